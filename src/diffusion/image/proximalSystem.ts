/**
 * The measurement's update with an isotropic V = r² I, which ΠGDM and DiffPIR use:
 *
 *     u = argmin ‖y - A (xHat + u)‖²/sigma_y² + ‖u‖²/r² = r² Aᵀ (sigma_y² I + r² A Aᵀ)⁻¹ (y - A xHat)
 *
 * Solved among images, as damped least squares: noise that no image explains (MRI's antisymmetric part) would be divided by
 * sigma_y² among measurements, and float32 could not cancel it in Aᵀ v.
 */
import { BatchedLeastSquares } from '../../linalg/batched/leastSquares'
import type { Scalars, Vector } from '../../linalg/vectorSpace'
import type { ImageOperator } from '../../operators/types'
import { SUFFICIENT_ITERATIONS, checkMeasurement, subtractMeasured } from './observedSystem'
import type { EstimatorRequest } from './types'

export class ProximalSystem {
  /** u of the last `solve`, [batch, input]. */
  readonly update: Vector
  private readonly b: Vector
  private readonly solver: BatchedLeastSquares

  /** Errors: as checkMeasurement. */
  constructor(private readonly request: EstimatorRequest) {
    const { space, batch } = request.denoiser
    const { input, output } = checkMeasurement(request)
    this.b = space.vector('y - A xHat', batch, output)
    this.update = space.vector('u', batch, input)
    this.solver = new BatchedLeastSquares(space, batch, output, input)
  }

  /** Of the normal equations. */
  get residual(): Scalars {
    return this.solver.residual
  }

  /** Solves with r² = `variance`. */
  async solve(xHat: Vector, variance: number): Promise<void> {
    const { b, update, solver, request } = this
    const { denoiser, operator, sigmaY } = request
    subtractMeasured(denoiser.space, request, xHat, b)
    const problem = {
      apply: (x: Vector, out: Vector) => operator.apply(x, out),
      adjoint: (y: Vector, out: Vector) => operator.adjoint(y, out),
      b,
      damping: sigmaY ** 2 / variance,
    }
    await solver.solve(problem, update, sufficientIterations(operator))
  }

  release(): void {
    this.solver.release()
    this.request.denoiser.space.release(this.update, this.b)
  }
}

/**
 * Aᵀ A is a multiple of a projection for inpainting and the gray image, and has the eigenvalues 0, 1/2 and 1 for MRI: so many
 * iterations are exact. Others are cut where sigma_t is large and sigma_y small: CG then leaves out what A hardly saw.
 */
function sufficientIterations({ description: { kind } }: ImageOperator): number {
  if (kind === 'inpainting' || kind === 'gray') return 1
  return kind === 'mri' ? 2 : SUFFICIENT_ITERATIONS
}
