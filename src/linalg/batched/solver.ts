/**
 * Truncated Krylov solvers on batches of vectors: what they share.
 *
 * Each sample is a system of its own. Its scalars stay on the device; a sample that has stopped gets coefficients of zero and
 * keeps its iterate. Nothing is read back: how many products are spent depends on the CPU alone, where the host can see that
 * every sample has stopped.
 */
import type { ScalarInstruction, Scalars, Vector, VectorMap, VectorSpace } from '../vectorSpace'

/** A residual below this fraction of b is float32 rounding: further iterations only amplify it. */
export const FLOAT32_FLOOR = 1e-6

export interface BatchedSolver {
  /** ‖b - M x‖/‖b‖ after the last `solve`, by the solver's own recurrence; 0 where b = 0. */
  readonly residual: Scalars
  /**
   * x ← at most `iterations` steps on M x = b from zero; b, x [batch, size]. The map is not called where there is no iteration.
   * x is not b. What the last call left is overwritten by the next.
   */
  solve(map: VectorMap, b: Vector, x: Vector, iterations: number): Promise<void>
  release(): void
}

/** Whether a sample may still be under way: always, where the host cannot see it. */
export function isRunning(space: VectorSpace, active: Scalars): boolean {
  const known = space.peek(active)
  return !known || Array.from(known).some((value) => value !== 0)
}

/** x ← 0. */
export function clear(space: VectorSpace, x: Vector): void {
  space.combine(x, [{ factor: 0, vector: x }])
}

/** x ← x + factor · v, with a factor on the device. */
export function add(space: VectorSpace, x: Vector, factor: Scalars, v: Vector): void {
  space.combine(x, [
    { factor: 1, vector: x },
    { factor, vector: v },
  ])
}

/** x ← x - factor · v. */
export function subtract(space: VectorSpace, x: Vector, factor: Scalars, v: Vector): void {
  space.combine(x, [
    { factor: 1, vector: x },
    { factor: { minus: factor }, vector: v },
  ])
}

/** out ← value where `where` is not 0, else 0, whatever value is there. */
export function valueWhere(out: Scalars, where: Scalars, value: Scalars): ScalarInstruction[] {
  return [
    { operation: 'add', out, a: 0, b: 0 },
    { operation: 'choose', out, a: where, b: value },
  ]
}
