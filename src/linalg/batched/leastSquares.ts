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
import type { ScalarInstruction, Scalars, Vector, VectorMap, VectorSpace } from '../vectorSpace'
import { FLOAT32_FLOOR, add, clear, isRunning, subtract } from './solver'

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
  /** ‖Aᵀ (b - A x) - damping x‖/‖Aᵀ b‖ after the last `solve`; 0 where Aᵀ b = 0. */
  readonly residual: Scalars
  private readonly r: Vector
  private readonly q: Vector
  private readonly s: Vector
  private readonly p: Vector
  private readonly scalars

  constructor(
    private readonly space: VectorSpace,
    batch: number,
    rows: number,
    columns: number,
  ) {
    const scalar = (label: string) => space.scalars(label, batch)
    this.residual = scalar('residual')
    this.scalars = {
      first: scalar('‖Aᵀ b‖²'),
      limit: scalar('least ‖s‖²'),
      square: scalar('‖s‖²'),
      next: scalar('next ‖s‖²'),
      curvature: scalar('‖A p‖² + damping ‖p‖²'),
      length: scalar('‖p‖²'),
      alpha: scalar('alpha'),
      beta: scalar('beta'),
      active: scalar('active'),
      test: scalar('test'),
    }
    this.r = space.vector('CGLS r', batch, rows)
    this.q = space.vector('CGLS q', batch, rows)
    this.s = space.vector('CGLS s', batch, columns)
    this.p = space.vector('CGLS p', batch, columns)
  }

  /** x ← the iterate after at most `iterations` steps, each one product with A and one with Aᵀ. */
  async solve(problem: LeastSquaresProblem, x: Vector, iterations: number): Promise<void> {
    const { space, r, q, s, p, scalars } = this
    const { first, square, next, curvature, length, alpha, beta, active } = scalars
    const { apply, adjoint, b, damping } = problem
    clear(space, x)
    space.copy(b, r)
    await adjoint(r, s)
    space.copy(s, p)
    space.dot(first, s, s)
    space.compute(this.start())
    for (let k = 0; k < iterations && isRunning(space, active); k++) {
      await apply(p, q)
      space.dot(curvature, q, q)
      space.dot(length, p, p)
      space.compute(this.step(damping))
      add(space, x, alpha, p)
      subtract(space, r, alpha, q)
      await adjoint(r, s)
      space.combine(s, [
        { factor: 1, vector: s },
        { factor: -damping, vector: x },
      ])
      space.dot(next, s, s)
      space.compute(this.turn())
      if (k + 1 === iterations) break
      space.combine(p, [
        { factor: 1, vector: s },
        { factor: beta, vector: p },
      ])
    }
    space.compute([
      { operation: 'ratio', out: this.residual, a: square, b: first },
      { operation: 'root', out: this.residual, a: this.residual },
    ])
  }

  release(): void {
    const { r, q, s, p, residual } = this
    this.space.release(r, q, s, p, residual, ...Object.values(this.scalars))
  }

  private start(): ScalarInstruction[] {
    const { first, limit, square, active } = this.scalars
    return [
      { operation: 'add', out: square, a: first, b: 0 },
      { operation: 'multiply', out: limit, a: first, b: FLOAT32_FLOOR ** 2 },
      { operation: 'larger', out: active, a: first, b: 0 },
    ]
  }

  private step(damping: number): ScalarInstruction[] {
    const { square, curvature, length, alpha, active, test } = this.scalars
    return [
      { operation: 'multiply', out: length, a: length, b: damping },
      { operation: 'add', out: curvature, a: curvature, b: length },
      { operation: 'larger', out: test, a: curvature, b: 0 },
      { operation: 'multiply', out: active, a: active, b: test },
      { operation: 'ratio', out: test, a: square, b: curvature },
      { operation: 'add', out: alpha, a: 0, b: 0 },
      { operation: 'choose', out: alpha, a: active, b: test },
    ]
  }

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
