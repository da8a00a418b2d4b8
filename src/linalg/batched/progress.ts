/**
 * How far each sample of a batched solver is, by the square of its residual r: the scalars that CG, BiCGSTAB and least squares
 * share, and the instructions on them. A sample that is not `active` has stopped and stays as it is.
 */
import type { ScalarInstruction, ScalarOperand, Scalars, VectorSpace } from '../vectorSpace'
import { FLOAT32_FLOOR, isRunning, valueWhere } from './solver'

export class Progress {
  /** ‖r‖ over its first value after `finish`, 0 where that is 0. */
  readonly residual: Scalars
  /** ‖r‖² at the start, set before `start`. */
  readonly first: Scalars
  readonly square: Scalars
  /** ‖r‖² of the step, set before `shorten`. */
  readonly next: Scalars
  /** 1 where the sample goes on, 0 where it has stopped. */
  readonly active: Scalars
  /** Free between the instructions of this class. */
  readonly test: Scalars
  private readonly limit: Scalars

  constructor(
    private readonly space: VectorSpace,
    batch: number,
  ) {
    this.residual = space.scalars('residual', batch)
    this.first = space.scalars('first ‖r‖²', batch)
    this.square = space.scalars('‖r‖²', batch)
    this.next = space.scalars('next ‖r‖²', batch)
    this.test = space.scalars('test', batch)
    this.limit = space.scalars('least ‖r‖²', batch)
    this.active = space.scalars('active', batch)
  }

  get isRunning(): boolean {
    return isRunning(this.space, this.active)
  }

  start(): ScalarInstruction[] {
    const { first, square, limit, active } = this
    return [
      { operation: 'add', out: square, a: first, b: 0 },
      { operation: 'multiply', out: limit, a: first, b: FLOAT32_FLOOR ** 2 },
      { operation: 'larger', out: active, a: first, b: 0 },
    ]
  }

  /** Takes over the step's ‖r‖², and stops where it is rounding. */
  shorten(): ScalarInstruction[] {
    const { square, next, limit, active } = this
    return [{ operation: 'choose', out: square, a: active, b: next }, ...this.stopUnlessLarger(square, limit)]
  }

  /** out ← a/b, 0 where the sample has stopped. */
  quotient(out: Scalars, a: Scalars, b: Scalars): ScalarInstruction[] {
    const { active, test } = this
    return [{ operation: 'ratio', out: test, a, b }, ...valueWhere(out, active, test)]
  }

  stopUnlessLarger(a: ScalarOperand, b: ScalarOperand): ScalarInstruction[] {
    const { active, test } = this
    return [
      { operation: 'larger', out: test, a, b },
      { operation: 'multiply', out: active, a: active, b: test },
    ]
  }

  stopUnlessNonzero(value: Scalars): ScalarInstruction[] {
    const { test } = this
    return [{ operation: 'magnitude', out: test, a: value }, ...this.stopUnlessLarger(test, 0)]
  }

  finish(): ScalarInstruction[] {
    const { residual, square, first } = this
    return [
      { operation: 'ratio', out: residual, a: square, b: first },
      { operation: 'root', out: residual, a: residual },
    ]
  }

  release(): void {
    const { residual, first, square, next, test, limit, active } = this
    this.space.release(residual, first, square, next, test, limit, active)
  }
}
