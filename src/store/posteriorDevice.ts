/** The device of one worker of the posterior lab, and what is said where something fails on it. */
import { DeviceLimitError, DeviceLostError, type Backend } from '../diffusion/backend'
import type { Problem } from './labTypes'
import { OpenedDevice } from './openedDevice'
import type { PosteriorEvent } from './posteriorMessages'

/** What the lab's workers need from where they run. */
export interface PosteriorHost {
  openBackend(): Promise<{ backend: Backend; fallback: Problem | null }>
  publish(event: PosteriorEvent): void
}

export type PosteriorDevice = OpenedDevice<Backend>

/** Opens the worker's device on first use, and tells the page of it. */
export function createPosteriorDevice(host: PosteriorHost): PosteriorDevice {
  return new OpenedDevice(async () => {
    const { backend, fallback } = await host.openBackend()
    host.publish({ type: 'device', adapter: backend.adapter, fallback })
    return backend
  })
}

/** What went wrong, in a person's words, with the next step. `what`: for example "ΠGDM's samples". */
export function explainPosterior(error: unknown, what: string): Problem {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof DeviceLostError) {
    return {
      title: 'The graphics device was lost twice',
      message: `${message} ${what} could not be finished; what was drawn before stays.`,
      nextStep:
        'Try again. If it happens again, draw fewer samples, or close other programs that use the GPU.',
      action: 'retry',
      place: 'run',
    }
  }
  if (error instanceof DeviceLimitError) {
    return {
      title: 'Too large for this device',
      message: `${message} ${what} could not be computed; what was drawn before stays.`,
      nextStep: 'Lower the setting that the message names.',
      action: 'none',
      place: 'run',
    }
  }
  if (error instanceof RangeError) {
    return {
      title: `${what} cannot be computed with these settings`,
      message,
      nextStep: 'Change the setting that the message names; what was drawn before stays.',
      action: 'none',
      place: 'run',
    }
  }
  return {
    title: `${what} could not be computed`,
    message,
    nextStep: 'Try again; what was drawn before stays. If it fails again, reload the page.',
    action: 'retry',
    place: 'run',
  }
}
