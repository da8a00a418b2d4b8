/**
 * The system that joins a denoised image and a measurement, which MMPS, TMPD and JFPS solve with their own V:
 *
 *     (sigma_y² I + A V Aᵀ) v = y - A xHat,   d(x_t | y) = xHat + W Aᵀ v
 *
 * It is divided by about its largest eigenvalue, so that float32 keeps its digits for sigma_t from 80 down to 0.002 and
 * sigma_y from 1 down to 0.001: with c = 1/(sigma_y² + largest variance), M = c sigma_y² I + A (c V) Aᵀ and W becomes c W.
 */
import type { BatchedSolver } from '../../linalg/batched/solver'
import { batchedSolvers } from '../../linalg/batched/solvers'
import type { Scalars, Term, Vector, VectorMap, VectorSpace } from '../../linalg/vectorSpace'
import { sizeOf } from '../../operators/types'
import type { EstimatorRequest, ImageLinearization, ImageSolverName } from './types'

/**
 * Iterations that solve the system where V needs no network. Blurred measurements with little noise may need more: CG then
 * leaves out what they hardly saw.
 */
export const SUFFICIENT_ITERATIONS = 50

/** Sizes of an image and of its measurement. Error: RangeError where sigma_y is not above 0 or y has another shape. */
export function checkMeasurement({ denoiser, operator, y, sigmaY }: EstimatorRequest) {
  const { batch } = denoiser
  const output = sizeOf(operator.output)
  if (!(sigmaY > 0 && Number.isFinite(sigmaY))) {
    throw new RangeError(`The measurement noise sigma_y must be above 0, not ${sigmaY}.`)
  }
  if (y.size !== output || (y.batch !== 1 && y.batch !== batch)) {
    throw new RangeError(
      `y is [${y.batch}, ${y.size}], but the operator gives [${batch}, ${output}]: measure it with the same operator.`,
    )
  }
  return { input: sizeOf(denoiser.shape), output }
}

/** out ← y - A x. */
export function subtractMeasured(
  space: VectorSpace,
  { operator, y }: Pick<EstimatorRequest, 'operator' | 'y'>,
  x: Vector,
  out: Vector,
): void {
  operator.apply(x, out)
  space.combine(out, [
    { factor: 1, vector: y },
    { factor: -1, vector: out },
  ])
}

/** out ← xHat + factor · Jᵀ pulled. */
export async function addPulled(
  space: VectorSpace,
  { xHat, vjp }: Pick<ImageLinearization, 'xHat' | 'vjp'>,
  factor: Term['factor'],
  pulled: Vector,
  out: Vector,
): Promise<void> {
  await vjp(pulled, out)
  space.combine(out, [
    { factor: 1, vector: xHat },
    { factor, vector: out },
  ])
}

export class ObservedSystem {
  /** Aᵀ v of the last `solve`, [batch, input]. */
  readonly pulled: Vector
  private readonly b: Vector
  private readonly v: Vector
  private readonly image: Vector
  private readonly solver: BatchedSolver

  /** Errors: as checkMeasurement. */
  constructor(
    private readonly request: EstimatorRequest,
    solver: ImageSolverName,
  ) {
    const { space, batch } = request.denoiser
    const { input, output } = checkMeasurement(request)
    this.b = space.vector('y - A xHat', batch, output)
    this.v = space.vector('v', batch, output)
    this.pulled = space.vector('Aᵀ v', batch, input)
    this.image = space.vector('V Aᵀ v', batch, input)
    this.solver = new batchedSolvers[solver](space, batch, output)
  }

  get residual(): Scalars {
    return this.solver.residual
  }

  /** c for a system whose V has variances up to `largest`. */
  scale(largest: number): number {
    return 1 / (this.request.sigmaY ** 2 + largest)
  }

  /** Solves for v and pulls it back; `scale` is c, and c V = factor · map. */
  async solve(
    xHat: Vector,
    scale: number,
    { factor, map }: { readonly factor: number; readonly map: VectorMap },
    iterations: number,
  ): Promise<void> {
    const { b, v, pulled, image, solver, request } = this
    const { denoiser, operator, sigmaY } = request
    subtractMeasured(denoiser.space, request, xHat, b)
    const product: VectorMap = async (u, out) => {
      operator.adjoint(u, pulled)
      await map(pulled, image)
      operator.apply(image, out)
      denoiser.space.combine(out, [
        { factor, vector: out },
        { factor: scale * sigmaY ** 2, vector: u },
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
