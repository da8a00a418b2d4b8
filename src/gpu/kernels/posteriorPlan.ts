/**
 * A posterior method and a plan, as the sampler's kernel reads them: constants of its code, and numbers of each step.
 * Kernel: shaders/shared/posterior.wgsl; twins: src/diffusion/posterior.
 */
import { DEFAULT_PROXIMITY } from '../../diffusion/posterior/diffpir'
import { DEFAULT_GUIDANCE } from '../../diffusion/posterior/dps'
import { isProjected } from '../../diffusion/posterior/mmps'
import type {
  AffineStep,
  CovarianceName,
  Plan,
  PosteriorMethod,
  PosteriorOptions,
  SolverName,
} from '../../diffusion/types'
import { heuristicCovariances } from '../../linalg/covariances'

/** Constants of shaders/shared/posterior.wgsl and its modules that the options decide: what a posterior kernel is compiled for. */
export interface PosteriorKernelOptions {
  /** Rows m of each A_i, 1 to 8. */
  readonly OBSERVED: number
  readonly METHOD: number
  readonly COVARIANCE: number
  readonly SOLVER: number
  readonly PROJECT: boolean
}

/** SOLVER of shaders/shared/chosen_solver.wgsl. */
export const solverCodes: Record<SolverName, number> = { exact: 0, cg: 1, gmres: 2, bicgstab: 3 }
const scalar = 1
const matrix = 2
const covariances: Record<CovarianceName, number> = {
  tweedie: 0,
  zero: scalar,
  identity: scalar,
  pigdm: scalar,
  gaussian: matrix,
  tmpd: 3,
}
const mmps = 0
const dps = 1
const plain = 2

/** The kernel's METHOD and COVARIANCE for a method. Error: RangeError for `tds`, which is not a method for lone samples. */
function methodCodes(method: PosteriorMethod, covariance: CovarianceName): readonly [number, number] {
  if (method === 'mmps') return [mmps, covariances[covariance]]
  if (method === 'dps') return [dps, scalar]
  if (method === 'diffpir') return [plain, scalar]
  if (method === 'jfps') return [plain, matrix]
  throw new RangeError('TDS samples populations, not samples on their own.')
}

/** What of the observations and the posterior decides the code; numbers such as ζ, λ and sigma_y do not. */
export function posteriorKernelOptions(observed: number, options: PosteriorOptions): PosteriorKernelOptions {
  const { method = 'mmps', covariance, solver } = options
  const [METHOD, COVARIANCE] = methodCodes(method, covariance)
  return {
    OBSERVED: observed,
    METHOD,
    COVARIANCE,
    SOLVER: METHOD === dps ? 0 : solverCodes[solver],
    PROJECT: METHOD === mmps && isProjected(options),
  }
}

/**
 * The number that the posterior method needs in a step: v of V = v I, or ζ/b of DPS, which leaves out the last step.
 * Error: RangeError for a λ that is not above 0.
 */
function methodNumber(posterior: PosteriorOptions | undefined): (step: AffineStep) => number {
  if (!posterior) return () => 0
  const {
    method = 'mmps',
    covariance,
    guidance = DEFAULT_GUIDANCE,
    proximity = DEFAULT_PROXIMITY,
  } = posterior
  if (method === 'dps') return ({ a, b, c }) => (b === 0 || (a === 0 && c === 0) ? 0 : guidance / b)
  if (method === 'diffpir') {
    if (!(proximity > 0)) throw new RangeError(`DiffPIR needs λ above 0, got ${proximity}.`)
    return ({ sigma }) => (sigma * sigma) / proximity
  }
  if (method === 'mmps' && covariances[covariance] === scalar) {
    const at = heuristicCovariances[covariance as 'zero' | 'identity' | 'pigdm'](1)
    return ({ sigma }) => at(sigma)[0]!
  }
  return () => 0
}

/**
 * The plan for the kernel, [steps, 8]: sigma, a, b, c, log sigma, the method's number, 1 + the place in `frames` of a step
 * whose x_t is kept or 0, 0.
 */
export function packPlan(
  plan: Plan,
  posterior?: PosteriorOptions,
  frames: readonly number[] = [],
): Float32Array<ArrayBuffer> {
  const number = methodNumber(posterior)
  const packed = new Float32Array(plan.length * 8)
  plan.forEach((step, i) => {
    const { sigma, a, b, c } = step
    packed.set([sigma, a, b, c, Math.log(sigma), number(step)], i * 8)
  })
  frames.forEach((step, frame) => (packed[step * 8 + 6] = frame + 1))
  return packed
}

/**
 * V = (I/sigma² + Sigma_x⁻¹)⁻¹ of each step, [steps, features, features]; undefined where the method does not use it. Error:
 * RangeError without Sigma_x.
 */
export function packCovariances(
  plan: Plan,
  features: number,
  { method = 'mmps', covariance, covX }: PosteriorOptions,
): Float32Array<ArrayBuffer> | undefined {
  if (method !== 'jfps' && (method !== 'mmps' || covariance !== 'gaussian')) return undefined
  const at = heuristicCovariances.gaussian(features, covX)
  const packed = new Float32Array(plan.length * features * features)
  plan.forEach(({ sigma }, i) => packed.set(at(sigma), i * features * features))
  return packed
}
