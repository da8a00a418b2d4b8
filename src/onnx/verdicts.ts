/** What the measurements of src/onnx/verify.ts mean: bounds, and a sentence for each. */
import type { ImageSolverName } from '../diffusion/image/types'

export type CheckName =
  'finite' | 'falling' | 'useful' | 'adjoint' | 'differences' | 'symmetric' | 'providers' | 'time'

export interface Check {
  readonly name: CheckName
  readonly label: string
  readonly status: 'pass' | 'warn' | 'fail'
  /** What was measured, and the most that passes; null where there is no number. */
  readonly value: number | null
  readonly bound: number | null
  /** What it means, and where it did not pass what to do. */
  readonly message: string
}

export interface VerificationReport {
  /** The worst of the checks. */
  readonly status: 'pass' | 'warn' | 'fail'
  readonly checks: readonly Check[]
  /** Mean squared error at each noise level, and that of the best multiple of x_t. */
  readonly curve: readonly { readonly sigma: number; readonly error: number; readonly trivial: number }[]
  /** ‖J v - Jᵀ v‖ / ‖J v‖. */
  readonly asymmetry: readonly { readonly sigma: number; readonly value: number }[]
  /** For MMPS's system with this model. */
  readonly solver: ImageSolverName
  /** Of one pass of the whole batch, at best; null where it was not measured. */
  readonly milliseconds: {
    readonly forward: number | null
    readonly vjp: number | null
    readonly jvp: number | null
  }
}

export interface Measurements {
  readonly webgpu: boolean
  /** Noise levels at which a number was not finite; then nothing after the curve was measured. */
  readonly notFinite: readonly number[]
  /** Whether the images are like the training images. */
  readonly familiar: boolean
  readonly sigmaMin: number
  readonly curve: VerificationReport['curve']
  readonly adjoint: number
  readonly differences: number
  readonly asymmetry: VerificationReport['asymmetry']
  /** ⟨v, J v⟩ is nowhere below 0 by more than chance. */
  readonly positive: boolean
  readonly providers: { readonly forward: number; readonly vjp: number } | null
  readonly milliseconds: VerificationReport['milliseconds']
}

/** float32 sums over an image in any order. */
const ADJOINT_BOUND = { cpu: 1e-4, webgpu: 1e-3 }
const DIFFERENCE_BOUND = 0.02
/** WebGPU against the CPU: rounding differs, a wrong kernel differs more. */
const PROVIDER_BOUND = 1e-3
/** Up to here CG's assumption of a symmetric matrix costs less than GMRES saves. */
const SYMMETRY_BOUND = 0.1
const TIME_BOUND = 2.5
/** Error over that of the best multiple of x_t, which a Gaussian model equals; a few images scatter. */
const USEFUL_BOUND = 1.1
/** The error may rise by this factor where sigma falls: few images, and a plateau at large sigma. */
const RISE_BOUND = 1.1
/** Up to this noise level, a noisy image shows most of what the clean one has. */
const LARGEST_SURE = 2
/** Mean squared error that float16 weights leave at no noise. */
const FLOOR = 1e-4

export function conclude(measured: Measurements): VerificationReport {
  const { curve, asymmetry, milliseconds } = measured
  const finite = finiteCheck(measured)
  const finiteOnly = measured.notFinite.length > 0
  const checks = !finiteOnly
    ? [
        finite,
        fallingCheck(measured),
        usefulCheck(measured),
        adjointCheck(measured),
        differenceCheck(measured),
      ]
    : [finite]
  const solver = symmetricEnough(measured) ? 'cg' : 'gmres'
  if (!finiteOnly) checks.push(symmetryCheck(measured, solver))
  if (measured.providers) checks.push(providerCheck(measured.providers))
  const time = timeCheck(milliseconds)
  if (time) checks.push(time)
  const statuses = checks.map(({ status }) => status)
  const status = statuses.includes('fail') ? 'fail' : statuses.includes('warn') ? 'warn' : 'pass'
  return { status, checks, curve, asymmetry, solver, milliseconds }
}

function finiteCheck({ notFinite }: Measurements): Check {
  const levels = notFinite.map((sigma) => sigma.toPrecision(2)).join(', ')
  return {
    name: 'finite',
    label: 'Finite output',
    status: levels === '' ? 'pass' : 'fail',
    value: notFinite.length,
    bound: 0,
    message:
      levels === ''
        ? 'All numbers that the model gives are finite.'
        : `The model gives NaN or infinity at σ ${levels}. Check takes and the range of noise levels in the contract; float16 models may overflow: export in float32.`,
  }
}

function fallingCheck({ curve: all, familiar, sigmaMin }: Measurements): Check {
  // of few unfamiliar images, what is hidden by the noise is guessed well or badly by chance
  const curve = familiar ? all : all.filter(({ sigma }, i) => i < 2 || sigma <= LARGEST_SURE)
  const rises = curve.slice(1).map(({ error }, i) => (curve[i]!.error - FLOOR) / Math.max(error, FLOOR))
  const value = Math.max(...rises)
  const least = curve[0]!.error
  const most = 2 * sigmaMin * sigmaMin + FLOOR
  const ends = least <= most
  const status = value <= RISE_BOUND && ends ? 'pass' : value <= 1.5 && least <= 100 * most ? 'warn' : 'fail'
  const contract = 'Check predicts, takes, process and range in the contract.'
  return {
    name: 'falling',
    label: 'Error falls with σ',
    status,
    value,
    bound: RISE_BOUND,
    message:
      status === 'pass'
        ? 'The less noise, the closer the output is to the clean image.'
        : ends
          ? `The error rises by a factor ${value.toPrecision(3)} from one noise level to a lower one. ${contract}`
          : `At the lowest noise level the output is ${Math.sqrt(least).toPrecision(2)} away from the clean image, more than the noise. ${contract}`,
  }
}

function usefulCheck({ curve, familiar }: Measurements): Check {
  // what is unlike the training images is denoised worse, above all where the noise hides it
  const range = familiar ? curve : curve.filter(({ sigma }) => sigma >= 0.05 && sigma <= LARGEST_SURE)
  const used = range.length > 0 ? range : curve
  const identity = Math.max(...used.map(({ sigma, error }) => error / (sigma * sigma + FLOOR)))
  const value = Math.max(...used.map(({ error, trivial }) => error / (trivial + FLOOR)))
  const wrong = familiar ? value > 1.5 : identity > 1
  const status = value <= USEFUL_BOUND ? 'pass' : wrong ? 'fail' : 'warn'
  const contract = 'Check predicts, takes, process and range in the contract.'
  return {
    name: 'useful',
    label: 'Better than no model',
    status,
    value,
    bound: USEFUL_BOUND,
    message: {
      pass: 'The output is closer to the clean image than any multiple of the noisy one.',
      warn: `At some noise levels a multiple of the noisy image is closer to the clean one. ${familiar ? contract : 'The test images may be unlike those it was trained on.'}`,
      fail: `At some noise levels ${familiar ? 'a multiple of the noisy image' : 'the noisy image itself'} is closer to the clean one. ${contract}`,
    }[status],
  }
}

function adjointCheck({ adjoint, webgpu }: Measurements): Check {
  const bound = ADJOINT_BOUND[webgpu ? 'webgpu' : 'cpu']
  const status = adjoint <= bound ? 'pass' : adjoint <= 10 * bound ? 'warn' : 'fail'
  return {
    name: 'adjoint',
    label: '⟨u, Jᵀv⟩ = ⟨Ju, v⟩',
    status,
    value: adjoint,
    bound,
    message:
      status === 'pass'
        ? 'VJP and JVP are derivatives of one function.'
        : 'VJP and JVP do not belong together: guided methods will be off. Try the other provider (WebGPU or WASM), and please report the model.',
  }
}

function differenceCheck({ differences }: Measurements): Check {
  const status =
    differences <= DIFFERENCE_BOUND ? 'pass' : differences <= 5 * DIFFERENCE_BOUND ? 'warn' : 'fail'
  return {
    name: 'differences',
    label: 'Finite differences',
    status,
    value: differences,
    bound: DIFFERENCE_BOUND,
    message:
      status === 'pass'
        ? 'The derivative is what small changes of the input show.'
        : 'The derivative is not what small changes of the input show: the model has kinks, its numbers are coarse (float16), or an operator is differentiated wrongly.',
  }
}

function symmetricEnough({ asymmetry, positive }: Measurements): boolean {
  return positive && asymmetry.length > 0 && asymmetry.every(({ value }) => value <= SYMMETRY_BOUND)
}

function symmetryCheck({ asymmetry, positive }: Measurements, solver: string): Check {
  const value = Math.max(...asymmetry.map((each) => each.value))
  const list = asymmetry
    .map(({ sigma, value }) => `${value.toPrecision(2)} at σ ${sigma.toPrecision(2)}`)
    .join(', ')
  const status = value < 1 && positive ? 'pass' : 'warn'
  const advice =
    solver === 'cg' ? 'CG solves its systems.' : 'Use GMRES, which does not need a symmetric matrix.'
  return {
    name: 'symmetric',
    label: 'Asymmetry of J',
    status,
    value,
    bound: 1,
    message:
      status === 'pass'
        ? `The Jacobian's relative asymmetry is ${list}. ${advice}`
        : `The Jacobian is far from a covariance: relative asymmetry ${list}${positive ? '' : ', and not positive'}. ${advice} MMPS may do no better than simpler methods.`,
  }
}

function providerCheck({ forward, vjp }: { readonly forward: number; readonly vjp: number }): Check {
  const value = Math.max(forward, vjp)
  const status = value <= PROVIDER_BOUND ? 'pass' : value <= 10 * PROVIDER_BOUND ? 'warn' : 'fail'
  return {
    name: 'providers',
    label: 'WebGPU agrees with the CPU',
    status,
    value,
    bound: PROVIDER_BOUND,
    message:
      status === 'pass'
        ? 'The GPU gives the numbers that the CPU gives.'
        : `The GPU's output differs by ${forward.toPrecision(2)} and its VJP by ${vjp.toPrecision(2)} from the CPU's. ${status === 'warn' ? 'Results may be a little off.' : 'Compute with WASM instead.'}`,
  }
}

function timeCheck({ forward, vjp }: Measurements['milliseconds']): Check | null {
  if (forward === null || vjp === null) return null
  const value = vjp / forward
  return {
    name: 'time',
    label: 'Time of a VJP',
    status: value <= TIME_BOUND ? 'pass' : 'warn',
    value,
    bound: TIME_BOUND,
    message: `A forward pass takes ${forward.toPrecision(3)} ms, a VJP ${vjp.toPrecision(3)} ms: ${value.toPrecision(2)} times as long.`,
  }
}
