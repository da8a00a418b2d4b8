/**
 * Stabilised bi-conjugate gradient from zero on batches, for maps that need not be symmetric; two products an iteration;
 * src/linalg/bicgstab.ts in float32.
 *
 * A sample stops, keeping its iterate, where one of its denominators vanishes and at a residual that is zero to rounding.
 * Source: van der Vorst 1992; Saad, "Iterative methods for sparse linear systems", 2nd ed., Algorithm 7.7.
 */
import type { ScalarInstruction, Scalars, Vector, VectorMap, VectorSpace } from '../vectorSpace'
import { type BatchedSolver, FLOAT32_FLOOR, add, clear, isRunning, subtract } from './solver'

export class BatchedBicgstab implements BatchedSolver {
  readonly residual: Scalars
  private readonly r: Vector
  private readonly p: Vector
  private readonly v: Vector
  private readonly t: Vector
  private readonly scalars

  constructor(
    private readonly space: VectorSpace,
    batch: number,
    size: number,
  ) {
    const scalar = (label: string) => space.scalars(label, batch)
    this.residual = scalar('residual')
    this.scalars = {
      first: scalar('‖b‖²'),
      limit: scalar('least ‖r‖²'),
      square: scalar('‖r‖²'),
      nextSquare: scalar('next ‖r‖²'),
      rho: scalar('⟨b, r⟩'),
      nextRho: scalar('next ⟨b, r⟩'),
      denominator: scalar('⟨b, Mp⟩'),
      tt: scalar('‖t‖²'),
      tr: scalar('⟨t, r⟩'),
      alpha: scalar('alpha'),
      beta: scalar('beta'),
      omega: scalar('omega'),
      betaOmega: scalar('beta omega'),
      active: scalar('active'),
      test: scalar('test'),
    }
    this.r = space.vector('BiCGSTAB r', batch, size)
    this.p = space.vector('BiCGSTAB p', batch, size)
    this.v = space.vector('BiCGSTAB Mp', batch, size)
    this.t = space.vector('BiCGSTAB Mr', batch, size)
  }

  async solve(map: VectorMap, b: Vector, x: Vector, iterations: number): Promise<void> {
    const { space, r, p, v, t, scalars } = this
    const { first, square, nextSquare, nextRho, denominator, tt, tr } = scalars
    const { alpha, beta, omega, betaOmega, active } = scalars
    clear(space, x)
    space.copy(b, r)
    space.copy(b, p)
    space.dot(first, b, b)
    space.compute(this.start())
    for (let k = 0; k < iterations && isRunning(space, active); k++) {
      await map(p, v)
      space.dot(denominator, b, v)
      space.compute(this.stride())
      add(space, x, alpha, p)
      subtract(space, r, alpha, v)
      space.dot(nextSquare, r, r)
      space.compute(this.shorten())
      if (!isRunning(space, active)) break
      await map(r, t)
      space.dot(tt, t, t)
      space.dot(tr, t, r)
      space.compute(this.stabilise())
      add(space, x, omega, r)
      subtract(space, r, omega, t)
      space.dot(nextSquare, r, r)
      space.dot(nextRho, b, r)
      space.compute([...this.shorten(), ...this.turn()])
      if (k + 1 === iterations) break
      space.combine(p, [
        { factor: 1, vector: r },
        { factor: beta, vector: p },
        { factor: { minus: betaOmega }, vector: v },
      ])
    }
    space.compute([
      { operation: 'ratio', out: this.residual, a: square, b: first },
      { operation: 'root', out: this.residual, a: this.residual },
    ])
  }

  release(): void {
    const { r, p, v, t, residual } = this
    this.space.release(r, p, v, t, residual, ...Object.values(this.scalars))
  }

  private start(): ScalarInstruction[] {
    const { first, square, rho, limit, active } = this.scalars
    return [
      { operation: 'add', out: square, a: first, b: 0 },
      { operation: 'add', out: rho, a: first, b: 0 },
      { operation: 'multiply', out: limit, a: first, b: FLOAT32_FLOOR ** 2 },
      { operation: 'larger', out: active, a: first, b: 0 },
    ]
  }

  /** alpha = rho/⟨b, Mp⟩, 0 from where the denominator vanishes. */
  private stride(): ScalarInstruction[] {
    const { rho, denominator, alpha, active, test } = this.scalars
    return [
      ...this.stopUnlessNonzero(denominator),
      { operation: 'ratio', out: test, a: rho, b: denominator },
      { operation: 'add', out: alpha, a: 0, b: 0 },
      { operation: 'choose', out: alpha, a: active, b: test },
    ]
  }

  /** Takes over the new ‖r‖², and stops where it is rounding. */
  private shorten(): ScalarInstruction[] {
    const { square, nextSquare, limit, active, test } = this.scalars
    return [
      { operation: 'choose', out: square, a: active, b: nextSquare },
      { operation: 'larger', out: test, a: square, b: limit },
      { operation: 'multiply', out: active, a: active, b: test },
    ]
  }

  /** omega = ⟨t, r⟩/‖t‖², 0 where the sample has stopped. */
  private stabilise(): ScalarInstruction[] {
    const { tt, tr, omega, active, test } = this.scalars
    return [
      ...this.stopUnlessNonzero(tt),
      { operation: 'ratio', out: test, a: tr, b: tt },
      { operation: 'add', out: omega, a: 0, b: 0 },
      { operation: 'choose', out: omega, a: active, b: test },
      ...this.stopUnlessNonzero(omega),
    ]
  }

  /** beta = (rho new/old)(alpha/omega), 0 where the sample has stopped. */
  private turn(): ScalarInstruction[] {
    const { rho, nextRho, alpha, beta, omega, betaOmega, active, test } = this.scalars
    return [
      { operation: 'ratio', out: test, a: nextRho, b: rho },
      { operation: 'ratio', out: betaOmega, a: alpha, b: omega },
      { operation: 'multiply', out: test, a: test, b: betaOmega },
      { operation: 'add', out: beta, a: 0, b: 0 },
      { operation: 'choose', out: beta, a: active, b: test },
      { operation: 'multiply', out: betaOmega, a: beta, b: omega },
      { operation: 'choose', out: rho, a: active, b: nextRho },
      ...this.stopUnlessNonzero(rho),
    ]
  }

  private stopUnlessNonzero(value: Scalars): ScalarInstruction[] {
    const { active, test } = this.scalars
    return [
      { operation: 'magnitude', out: test, a: value },
      { operation: 'larger', out: test, a: test, b: 0 },
      { operation: 'multiply', out: active, a: active, b: test },
    ]
  }
}
