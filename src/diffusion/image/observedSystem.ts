/**
 * The system that joins a denoised image and a measurement, and which all methods but DPS solve:
 *
 *     (sigma_y² I + A V Aᵀ) v = y - A xHat,   d(x_t | y) = xHat + W Aᵀ v
 *
 * It is divided by about its largest eigenvalue, so that float32 keeps its digits for sigma_t from 80 down to 0.002 and
 * sigma_y from 1 down to 0.001: with c = 1/(sigma_y² + largest variance), M = c sigma_y² I + A (c V) Aᵀ and W becomes c W.
 */
import type { BatchedSolver } from '../../linalg/batched/solver'
import { batchedSolvers } from '../../linalg/batched/solvers'
import type { Scalars, Vector, VectorMap } from '../../linalg/vectorSpace'
import type { ImageOperator } from '../../operators/types'
import type { EstimatorRequest, ImageSolverName } from './types'

/** What a product with c V is: factor · map, without a map factor · I. */
export interface ScaledCovariance {
  readonly factor: number
  readonly map?: VectorMap
}

export class ObservedSystem {
  /** Aᵀ v of the last `solve`, [batch, input]. */
  readonly pulled: Vector
  private readonly b: Vector
  private readonly v: Vector
  private readonly image: Vector
  private readonly solver: BatchedSolver

  /** Error: RangeError where sigma_y is not above 0 or y has another shape than the operator gives. */
  constructor(
    private readonly request: EstimatorRequest,
    solver: ImageSolverName,
  ) {
    const { denoiser, operator, y, sigmaY } = request
    const { space, batch } = denoiser
    const { channels, height, width } = operator.output
    const measured = channels * height * width
    if (!(sigmaY > 0 && Number.isFinite(sigmaY))) {
      throw new RangeError(`The measurement noise sigma_y must be above 0, not ${sigmaY}.`)
    }
    if (y.size !== measured || (y.batch !== 1 && y.batch !== batch)) {
      throw new RangeError(
        `y is [${y.batch}, ${y.size}], but the operator gives [${batch}, ${measured}]: measure it with the same operator.`,
      )
    }
    const size = denoiser.shape.channels * denoiser.shape.height * denoiser.shape.width
    this.b = space.vector('y - A xHat', batch, measured)
    this.v = space.vector('v', batch, measured)
    this.pulled = space.vector('Aᵀ v', batch, size)
    this.image = space.vector('V Aᵀ v', batch, size)
    this.solver = new batchedSolvers[solver](space, batch, measured)
  }

  get residual(): Scalars {
    return this.solver.residual
  }

  /** c for a system whose V has variances up to `largest`. */
  scale(largest: number): number {
    return 1 / (this.request.sigmaY ** 2 + largest)
  }

  /** Solves for v and pulls it back; `scale` is c, `covariance` c V. */
  async solve(xHat: Vector, scale: number, covariance: ScaledCovariance, iterations: number): Promise<void> {
    const { b, v, pulled, image, solver } = this
    const { denoiser, operator, y, sigmaY } = this.request
    const { space } = denoiser
    const { factor, map } = covariance
    const noise = scale * sigmaY ** 2
    operator.apply(xHat, b)
    space.combine(b, [
      { factor: 1, vector: y },
      { factor: -1, vector: b },
    ])
    const product: VectorMap = async (u, out) => {
      operator.adjoint(u, pulled)
      if (map) await map(pulled, image)
      operator.apply(map ? image : pulled, out)
      space.combine(out, [
        { factor, vector: out },
        { factor: noise, vector: u },
      ])
    }
    await solver.solve(product, b, v, iterations)
    operator.adjoint(v, pulled)
  }

  release(): void {
    this.solver.release()
    this.request.denoiser.space.release(this.pulled, this.b, this.v, this.image)
  }
}

/**
 * Iterations that solve the system where V needs no network. With V a multiple of I, A Aᵀ of inpainting and of the gray image is
 * a multiple of a projection (1 iteration is exact), and MRI's has the eigenvalues 0, 1/2 and 1 (at most 3). Others are cut
 * where sigma_t is large and sigma_y small: CG then leaves out what the measurement hardly saw.
 */
export function sufficientIterations({ description: { kind } }: ImageOperator, isMultiple: boolean): number {
  if (isMultiple && (kind === 'inpainting' || kind === 'gray')) return 1
  if (isMultiple && kind === 'mri') return 3
  return 50
}
