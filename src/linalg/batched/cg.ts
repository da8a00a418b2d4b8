/**
 * Conjugate gradient from zero on batches, for symmetric positive definite maps; src/linalg/cg.ts in float32.
 *
 *     alpha = ⟨r, r⟩/⟨p, Mp⟩,  x ← x + alpha p,  r ← r - alpha Mp,  p ← r + (⟨r, r⟩ new/old) p
 *
 * A sample stops, keeping its iterate, at a curvature ⟨p, Mp⟩ that is not positive and at a residual that is zero to rounding.
 * Source: Hestenes & Stiefel 1952; Saad, "Iterative methods for sparse linear systems", 2nd ed., Algorithm 6.18.
 */
import type { Scalars, Vector, VectorMap, VectorSpace } from '../vectorSpace'
import { Progress } from './progress'
import { type BatchedSolver, add, clear, subtract } from './solver'

export class BatchedCg implements BatchedSolver {
  private readonly r: Vector
  private readonly p: Vector
  private readonly mp: Vector
  private readonly curvature: Scalars
  private readonly alpha: Scalars
  private readonly beta: Scalars
  private readonly progress: Progress

  constructor(
    private readonly space: VectorSpace,
    batch: number,
    size: number,
  ) {
    this.progress = new Progress(space, batch)
    this.curvature = space.scalars('⟨p, Mp⟩', batch)
    this.alpha = space.scalars('alpha', batch)
    this.beta = space.scalars('beta', batch)
    this.r = space.vector('CG r', batch, size)
    this.p = space.vector('CG p', batch, size)
    this.mp = space.vector('CG Mp', batch, size)
  }

  get residual(): Scalars {
    return this.progress.residual
  }

  async solve(map: VectorMap, b: Vector, x: Vector, iterations: number): Promise<void> {
    const { space, r, p, mp, curvature, alpha, beta, progress } = this
    const { first, square, next } = progress
    clear(space, x)
    space.copy(b, r)
    space.copy(b, p)
    space.dot(first, b, b)
    space.compute(progress.start())
    for (let k = 0; k < iterations && progress.isRunning; k++) {
      await map(p, mp)
      space.dot(curvature, p, mp)
      space.compute([
        ...progress.stopUnlessLarger(curvature, 0),
        ...progress.quotient(alpha, square, curvature),
      ])
      add(space, x, alpha, p)
      subtract(space, r, alpha, mp)
      space.dot(next, r, r)
      space.compute([{ operation: 'ratio', out: beta, a: next, b: square }, ...progress.shorten()])
      if (k + 1 === iterations) break
      space.combine(p, [
        { factor: 1, vector: r },
        { factor: beta, vector: p },
      ])
    }
    space.compute(progress.finish())
  }

  release(): void {
    this.progress.release()
    this.space.release(this.r, this.p, this.mp, this.curvature, this.alpha, this.beta)
  }
}
