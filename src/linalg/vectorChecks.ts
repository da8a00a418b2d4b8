/**
 * What every vector space asks of its arguments. All throw RangeError: a wrong shape is the caller's own mistake, and on a
 * GPU it would read other numbers without a word.
 */
import {
  LONGEST_PROGRAM,
  type ScalarInstruction,
  type ScalarOperand,
  type Scalars,
  type Term,
  type Vector,
} from './vectorSpace'

const shape = ({ label, batch, size }: Vector): string => `"${label}" [${batch}, ${size}]`

/** Equal shapes; where `shared`, `other` may also have batch 1. */
export function requireSameShape(what: string, vector: Vector, other: Vector, shared = false): void {
  const sameBatch = other.batch === vector.batch || (shared && other.batch === 1)
  if (other.size !== vector.size || !sameBatch) {
    throw new RangeError(`${what} cannot join ${shape(vector)} and ${shape(other)}.`)
  }
}

export function requireScalars(what: string, batch: number, scalars: Scalars): void {
  if (scalars.batch !== batch) {
    throw new RangeError(`${what} needs scalars of ${batch} samples, got ${scalars.batch}.`)
  }
}

export function checkTerms(out: Vector, terms: readonly Term[]): void {
  if (terms.length < 1 || terms.length > 4) {
    throw new RangeError(`combine takes one to four terms, got ${terms.length}.`)
  }
  for (const { factor, vector } of terms) {
    requireSameShape('combine', out, vector, true)
    if (typeof factor !== 'number') {
      requireScalars('combine', out.batch, 'minus' in factor ? factor.minus : factor)
    }
  }
}

/** Batch of a program. */
export function checkProgram(program: readonly ScalarInstruction[]): number {
  const { length } = program
  if (length < 1 || length > LONGEST_PROGRAM) {
    throw new RangeError(`A scalar program has 1 to ${LONGEST_PROGRAM} instructions, not ${length}.`)
  }
  const { batch } = program[0]!.out
  const check = (operand: ScalarOperand) => {
    if (typeof operand !== 'number') requireScalars('A scalar program', batch, operand)
  }
  for (const { out, a, b = 0 } of program) for (const operand of [out, a, b]) check(operand)
  return batch
}

export function checkRecord(out: Vector, column: number, scalars: readonly Scalars[]): void {
  const { length } = scalars
  if (length < 1 || length > 4 || column < 0 || column + length > out.size) {
    throw new RangeError(`record cannot write ${length} numbers at column ${column} of ${shape(out)}.`)
  }
  for (const kept of scalars) requireScalars('record', out.batch, kept)
}
