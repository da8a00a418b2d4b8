/**
 * Damped least squares from zero on batches, min_x ‖b - A x‖² + damping ‖x‖², by conjugate gradient on its normal equations
 * (CGLS), without forming them: the residual b - A x is carried itself, so that what A makes small keeps its digits.
 *
 *     q = A p,  alpha = ‖s‖²/(‖q‖² + damping ‖p‖²),  x ← x + alpha p,  r ← r - alpha q,
 *     s = Aᵀ r - damping x,  p ← s + (‖s‖² new/old) p
 *
 * A sample stops where A p vanishes, and where ‖s‖ is zero to rounding.
 * Source: Hestenes & Stiefel 1952, section 10; Björck, "Numerical methods for least squares problems", 1996, section 7.4.
 */
import type { Scalars, Vector, VectorMap, VectorSpace } from '../vectorSpace'
import { Progress } from './progress'
import { add, clear, subtract } from './solver'

export interface LeastSquaresProblem {
  /** x [batch, columns] → [batch, rows]. */
  readonly apply: VectorMap
  readonly adjoint: VectorMap
  /** [batch, rows]. */
  readonly b: Vector
  /** At least 0. */
  readonly damping: number
}

export class BatchedLeastSquares {
  private readonly r: Vector
  private readonly q: Vector
  private readonly s: Vector
  private readonly p: Vector
  private readonly curvature: Scalars
  private readonly length: Scalars
  private readonly alpha: Scalars
  private readonly beta: Scalars
  private readonly progress: Progress

  constructor(
    private readonly space: VectorSpace,
    batch: number,
    rows: number,
    columns: number,
  ) {
    this.progress = new Progress(space, batch)
    this.curvature = space.scalars('‖A p‖² + damping ‖p‖²', batch)
    this.length = space.scalars('damping ‖p‖²', batch)
    this.alpha = space.scalars('alpha', batch)
    this.beta = space.scalars('beta', batch)
    this.r = space.vector('CGLS r', batch, rows)
    this.q = space.vector('CGLS q', batch, rows)
    this.s = space.vector('CGLS s', batch, columns)
    this.p = space.vector('CGLS p', batch, columns)
  }

  /** ‖Aᵀ (b - A x) - damping x‖/‖Aᵀ b‖ after the last `solve`; 0 where Aᵀ b = 0. */
  get residual(): Scalars {
    return this.progress.residual
  }

  /** x ← the iterate after at most `iterations` steps, each one product with A and one with Aᵀ. */
  async solve(problem: LeastSquaresProblem, x: Vector, iterations: number): Promise<void> {
    const { space, r, q, s, p, curvature, length, alpha, beta, progress } = this
    const { first, square, next } = progress
    const { apply, adjoint, b, damping } = problem
    clear(space, x)
    space.copy(b, r)
    await adjoint(r, s)
    space.copy(s, p)
    space.dot(first, s, s)
    space.compute(progress.start())
    for (let k = 0; k < iterations && progress.isRunning; k++) {
      await apply(p, q)
      space.dot(curvature, q, q)
      space.dot(length, p, p)
      space.compute([
        { operation: 'multiply', out: length, a: length, b: damping },
        { operation: 'add', out: curvature, a: curvature, b: length },
        ...progress.stopUnlessLarger(curvature, 0),
        ...progress.quotient(alpha, square, curvature),
      ])
      add(space, x, alpha, p)
      subtract(space, r, alpha, q)
      await adjoint(r, s)
      space.combine(s, [
        { factor: 1, vector: s },
        { factor: -damping, vector: x },
      ])
      space.dot(next, s, s)
      space.compute([{ operation: 'ratio', out: beta, a: next, b: square }, ...progress.shorten()])
      if (k + 1 === iterations) break
      space.combine(p, [
        { factor: 1, vector: s },
        { factor: beta, vector: p },
      ])
    }
    space.compute(progress.finish())
  }

  release(): void {
    const { space, r, q, s, p, curvature, length, alpha, beta, progress } = this
    progress.release()
    space.release(r, q, s, p, curvature, length, alpha, beta)
  }
}
