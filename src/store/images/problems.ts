/** What went wrong in the image lab, in a person's words, with the next step. */
import { DeviceLimitError, DeviceLostError } from '../../diffusion/backend'
import { ContractError } from '../../onnx/contract'
import { OnnxError } from '../../onnx/graph'
import { NonFiniteOutputError, OutOfMemoryError } from '../../onnx/session/errors'
import type { Problem } from '../labTypes'

/** `what`: "The run", "The comparison". */
export function explainImages(error: unknown, what: string): Problem {
  const message = messageOf(error)
  const problem = (title: string, nextStep: string, action: Problem['action'] = 'none'): Problem => ({
    title,
    message,
    nextStep,
    action,
    place: 'run',
  })
  if (error instanceof DeviceLostError) {
    return problem(
      'The graphics device was lost twice',
      'What was drawn before stays. Try again; if it happens again, take fewer samples or a smaller side, or close other programs that use the GPU.',
      'retry',
    )
  }
  if (isOutOfMemory(error)) {
    return problem(
      'Too large for this device’s memory',
      'Take fewer samples or a smaller side; what was drawn before stays.',
    )
  }
  if (error instanceof NonFiniteOutputError) {
    return problem(
      'The model gave numbers that are not finite',
      'Look at its report: sigmaMin, sigmaMax or what it predicts may be wrong in its contract. Or choose another model.',
    )
  }
  if (error instanceof RangeError) {
    return problem(
      `${what} cannot be computed with these settings`,
      'Change the setting that the message names; what was drawn before stays.',
    )
  }
  return problem(
    `${what} failed`,
    'Try again; what was drawn before stays. If it fails again, reload the page: the address keeps all settings.',
    'retry',
  )
}

export function explainModel(error: unknown, name: string): Problem {
  const problem = (title: string, nextStep: string, action: Problem['action'] = 'none'): Problem => ({
    title,
    message: messageOf(error),
    nextStep,
    action,
    place: 'import',
  })
  const title = `“${name}” cannot be used`
  if (error instanceof ContractError)
    return problem(
      `The contract of “${name}” cannot be used`,
      'Correct denoiser.json, and open both files again.',
    )
  if (error instanceof OnnxError)
    return problem(title, 'Choose another file, or export the model again as the message says.')
  if (isOutOfMemory(error))
    return problem(
      `“${name}” does not fit into memory`,
      'Take a smaller side or fewer samples, or a smaller model.',
    )
  if (error instanceof DeviceLostError)
    return problem(
      'The graphics device was lost twice',
      'Try again, or close other programs that use the GPU.',
      'retry',
    )
  if (error instanceof TypeError && /fetch|network/i.test(error.message))
    return problem(
      'The model could not be downloaded',
      'Check the connection and choose the model again.',
      'retry',
    )
  return problem(title, 'Try again, or choose another model.', 'retry')
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof OutOfMemoryError || error instanceof DeviceLimitError
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
