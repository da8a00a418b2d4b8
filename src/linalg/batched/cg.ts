/**
 * Conjugate gradient from zero on batches, for symmetric positive definite maps; src/linalg/cg.ts in float32.
 *
 *     alpha = ⟨r, r⟩/⟨p, Mp⟩,  x ← x + alpha p,  r ← r - alpha Mp,  p ← r + (⟨r, r⟩ new/old) p
 *
 * A sample stops, keeping its iterate, at a curvature ⟨p, Mp⟩ that is not positive and at a residual that is zero to rounding.
 * Source: Hestenes & Stiefel 1952; Saad, "Iterative methods for sparse linear systems", 2nd ed., Algorithm 6.18.
 */
import type { ScalarInstruction, Scalars, Vector, VectorMap, VectorSpace } from '../vectorSpace'
import { type BatchedSolver, FLOAT32_FLOOR, add, clear, isRunning, subtract } from './solver'

export class BatchedCg implements BatchedSolver {
  readonly residual: Scalars
  private readonly r: Vector
  private readonly p: Vector
  private readonly mp: Vector
  private readonly scalars

  constructor(
    private readonly space: VectorSpace,
    batch: number,
    size: number,
  ) {
    const scalar = (label: string) => space.scalars(label, batch)
    this.residual = scalar('residual')
    this.scalars = {
      square: scalar('‖r‖²'),
      next: scalar('next ‖r‖²'),
      first: scalar('‖b‖²'),
      limit: scalar('least ‖r‖²'),
      curvature: scalar('⟨p, Mp⟩'),
      alpha: scalar('alpha'),
      beta: scalar('beta'),
      active: scalar('active'),
      test: scalar('test'),
    }
    this.r = space.vector('CG r', batch, size)
    this.p = space.vector('CG p', batch, size)
    this.mp = space.vector('CG Mp', batch, size)
  }

  async solve(map: VectorMap, b: Vector, x: Vector, iterations: number): Promise<void> {
    const { space, r, p, mp, scalars } = this
    const { first, square, next, curvature, alpha, beta, active } = scalars
    clear(space, x)
    space.copy(b, r)
    space.copy(b, p)
    space.dot(first, b, b)
    space.compute(this.start())
    for (let k = 0; k < iterations && isRunning(space, active); k++) {
      await map(p, mp)
      space.dot(curvature, p, mp)
      space.compute(this.step())
      add(space, x, alpha, p)
      subtract(space, r, alpha, mp)
      space.dot(next, r, r)
      space.compute(this.turn())
      if (k + 1 === iterations) break
      space.combine(p, [
        { factor: 1, vector: r },
        { factor: beta, vector: p },
      ])
    }
    space.compute([
      { operation: 'ratio', out: this.residual, a: square, b: first },
      { operation: 'root', out: this.residual, a: this.residual },
    ])
  }

  release(): void {
    this.space.release(this.r, this.p, this.mp, this.residual, ...Object.values(this.scalars))
  }

  private start(): ScalarInstruction[] {
    const { square, first, limit, active } = this.scalars
    return [
      { operation: 'add', out: square, a: first, b: 0 },
      { operation: 'multiply', out: limit, a: first, b: FLOAT32_FLOOR ** 2 },
      { operation: 'larger', out: active, a: first, b: 0 },
    ]
  }

  /** alpha, 0 from where the curvature is not positive. */
  private step(): ScalarInstruction[] {
    const { square, curvature, alpha, active, test } = this.scalars
    return [
      { operation: 'larger', out: test, a: curvature, b: 0 },
      { operation: 'multiply', out: active, a: active, b: test },
      { operation: 'ratio', out: test, a: square, b: curvature },
      { operation: 'add', out: alpha, a: 0, b: 0 },
      { operation: 'choose', out: alpha, a: active, b: test },
    ]
  }

  /** beta, and whether to go on from the new residual. */
  private turn(): ScalarInstruction[] {
    const { square, next, limit, beta, active, test } = this.scalars
    return [
      { operation: 'ratio', out: beta, a: next, b: square },
      { operation: 'choose', out: square, a: active, b: next },
      { operation: 'larger', out: test, a: square, b: limit },
      { operation: 'multiply', out: active, a: active, b: test },
    ]
  }
}
