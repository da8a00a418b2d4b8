/**
 * Stabilised bi-conjugate gradient from zero on batches, for maps that need not be symmetric; two products an iteration;
 * src/linalg/bicgstab.ts in float32.
 *
 * A sample stops, keeping its iterate, where one of its denominators vanishes and at a residual that is zero to rounding.
 * Source: van der Vorst 1992; Saad, "Iterative methods for sparse linear systems", 2nd ed., Algorithm 7.7.
 */
import type { ScalarInstruction, Scalars, Vector, VectorMap, VectorSpace } from '../vectorSpace'
import { Progress } from './progress'
import { type BatchedSolver, add, clear, subtract, valueWhere } from './solver'

export class BatchedBicgstab implements BatchedSolver {
  private readonly r: Vector
  private readonly p: Vector
  private readonly v: Vector
  private readonly t: Vector
  private readonly scalars
  private readonly progress: Progress

  constructor(
    private readonly space: VectorSpace,
    batch: number,
    size: number,
  ) {
    const scalar = (label: string) => space.scalars(label, batch)
    this.progress = new Progress(space, batch)
    this.scalars = {
      rho: scalar('⟨b, r⟩'),
      nextRho: scalar('next ⟨b, r⟩'),
      denominator: scalar('⟨b, Mp⟩'),
      tt: scalar('‖t‖²'),
      tr: scalar('⟨t, r⟩'),
      alpha: scalar('alpha'),
      beta: scalar('beta'),
      omega: scalar('omega'),
      betaOmega: scalar('beta omega'),
    }
    this.r = space.vector('BiCGSTAB r', batch, size)
    this.p = space.vector('BiCGSTAB p', batch, size)
    this.v = space.vector('BiCGSTAB Mp', batch, size)
    this.t = space.vector('BiCGSTAB Mr', batch, size)
  }

  get residual(): Scalars {
    return this.progress.residual
  }

  async solve(map: VectorMap, b: Vector, x: Vector, iterations: number): Promise<void> {
    const { space, r, p, v, t, scalars, progress } = this
    const { first, next } = progress
    const { rho, nextRho, denominator, tt, tr, alpha, beta, omega, betaOmega } = scalars
    clear(space, x)
    space.copy(b, r)
    space.copy(b, p)
    space.dot(first, b, b)
    space.compute([...progress.start(), { operation: 'add', out: rho, a: first, b: 0 }])
    for (let k = 0; k < iterations && progress.isRunning; k++) {
      await map(p, v)
      space.dot(denominator, b, v)
      space.compute([
        ...progress.stopUnlessNonzero(denominator),
        ...progress.quotient(alpha, rho, denominator),
      ])
      add(space, x, alpha, p)
      subtract(space, r, alpha, v)
      space.dot(next, r, r)
      space.compute(progress.shorten())
      if (!progress.isRunning) break
      await map(r, t)
      space.dot(tt, t, t)
      space.dot(tr, t, r)
      space.compute([
        ...progress.stopUnlessNonzero(tt),
        ...progress.quotient(omega, tr, tt),
        ...progress.stopUnlessNonzero(omega),
      ])
      add(space, x, omega, r)
      subtract(space, r, omega, t)
      space.dot(next, r, r)
      space.dot(nextRho, b, r)
      space.compute([...progress.shorten(), ...this.turn()])
      if (k + 1 === iterations) break
      space.combine(p, [
        { factor: 1, vector: r },
        { factor: beta, vector: p },
        { factor: { minus: betaOmega }, vector: v },
      ])
    }
    space.compute(progress.finish())
  }

  release(): void {
    this.progress.release()
    this.space.release(this.r, this.p, this.v, this.t, ...Object.values(this.scalars))
  }

  /** beta = (rho new/old)(alpha/omega), 0 where the sample has stopped. */
  private turn(): ScalarInstruction[] {
    const { progress } = this
    const { active, test } = progress
    const { rho, nextRho, alpha, beta, omega, betaOmega } = this.scalars
    return [
      { operation: 'ratio', out: test, a: nextRho, b: rho },
      { operation: 'ratio', out: betaOmega, a: alpha, b: omega },
      { operation: 'multiply', out: test, a: test, b: betaOmega },
      ...valueWhere(beta, active, test),
      { operation: 'multiply', out: betaOmega, a: beta, b: omega },
      { operation: 'choose', out: rho, a: active, b: nextRho },
      ...progress.stopUnlessNonzero(rho),
    ]
  }
}
