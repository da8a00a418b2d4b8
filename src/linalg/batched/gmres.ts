/**
 * Generalised minimal residual from zero on batches, without restarts, for maps that need not be symmetric;
 * src/linalg/gmres.ts in float32.
 *
 * Arnoldi by modified Gram-Schmidt, least squares by Givens rotations. A sample stops where its Krylov space is exhausted or
 * its residual is zero to rounding: its later basis vectors are zero, and zero diagonals of R give zero components.
 * Source: Saad & Schultz 1986; Saad, "Iterative methods for sparse linear systems", 2nd ed., Algorithm 6.9, 6.5.3.
 */
import type { ScalarInstruction, Scalars, Term, Vector, VectorMap, VectorSpace } from '../vectorSpace'
import { type BatchedSolver, FLOAT32_FLOOR, clear, isRunning, subtract, valueWhere } from './solver'

/** Scalars of one iteration j: column j of R, its rotation, and entry j of the right side. */
interface Column {
  readonly entries: readonly Scalars[]
  readonly cosine: Scalars
  readonly sine: Scalars
  readonly right: Scalars
}

export class BatchedGmres implements BatchedSolver {
  readonly residual: Scalars
  /** Grows to one more than the iterations asked for. */
  private readonly basis: Vector[] = []
  private readonly columns: Column[] = []
  private readonly scalars

  constructor(
    private readonly space: VectorSpace,
    private readonly batch: number,
    private readonly size: number,
  ) {
    const scalar = (label: string) => space.scalars(label, batch)
    this.residual = scalar('residual')
    this.scalars = {
      norm: scalar('‖b‖'),
      limit: scalar('least residual'),
      length: scalar('‖w‖ before projection'),
      remainder: scalar('‖w‖'),
      lower: scalar('entry below the diagonal'),
      radius: scalar('diagonal of R'),
      scale: scalar('1/‖w‖'),
      active: scalar('active'),
      open: scalar('not exhausted'),
      test: scalar('test'),
      product: scalar('product'),
    }
  }

  async solve(map: VectorMap, b: Vector, x: Vector, iterations: number): Promise<void> {
    const { space, scalars } = this
    const { norm, length, remainder, scale, active } = scalars
    this.grow(iterations)
    clear(space, x)
    space.dot(norm, b, b)
    space.compute(this.start())
    space.combine(this.basis[0]!, [{ factor: scale, vector: b }])
    let count = 0
    while (count < iterations && isRunning(space, active)) {
      const w = this.basis[count + 1]!
      await map(this.basis[count]!, w)
      space.dot(length, w, w)
      for (let i = 0; i <= count; i++) {
        const entry = this.columns[count]!.entries[i]!
        space.dot(entry, this.basis[i]!, w)
        subtract(space, w, entry, this.basis[i]!)
      }
      space.dot(remainder, w, w)
      space.compute(this.rotate(count))
      count++
      if (count < iterations) space.combine(w, [{ factor: scale, vector: w }])
    }
    space.compute(this.finish(count))
    for (let j = 0; j < count;) {
      const terms: Term[] = j === 0 ? [] : [{ factor: 1, vector: x }]
      for (; j < count && terms.length < 4; j++) {
        terms.push({ factor: this.columns[j]!.right, vector: this.basis[j]! })
      }
      space.combine(x, terms)
    }
  }

  release(): void {
    const columns = this.columns.flatMap(({ entries, cosine, sine, right }) => [
      ...entries,
      cosine,
      sine,
      right,
    ])
    this.space.release(...this.basis, ...columns, this.residual, ...Object.values(this.scalars))
    this.basis.length = 0
    this.columns.length = 0
  }

  private grow(iterations: number): void {
    const { space, batch, size, basis, columns } = this
    while (basis.length < iterations + 1) basis.push(space.vector(`GMRES q${basis.length}`, batch, size))
    while (columns.length < iterations + 1) {
      const scalar = (label: string) => space.scalars(label, batch)
      const entries = Array.from({ length: columns.length + 1 }, (_, i) => scalar(`R${i}`))
      columns.push({ entries, cosine: scalar('cosine'), sine: scalar('sine'), right: scalar('right') })
    }
  }

  private start(): ScalarInstruction[] {
    const { norm, limit, scale, active } = this.scalars
    return [
      { operation: 'root', out: norm, a: norm },
      { operation: 'multiply', out: limit, a: norm, b: FLOAT32_FLOOR },
      { operation: 'larger', out: active, a: norm, b: 0 },
      { operation: 'ratio', out: scale, a: 1, b: norm },
      { operation: 'add', out: this.residual, a: norm, b: 0 },
      { operation: 'add', out: this.columns[0]!.right, a: norm, b: 0 },
    ]
  }

  /** Turns column j of the Hessenberg matrix into one of R, and scales the next basis vector. */
  private rotate(j: number): ScalarInstruction[] {
    const { limit, length, remainder, lower, radius, scale, active, open, test, product } = this.scalars
    const { entries, cosine, sine, right } = this.columns[j]!
    const next = this.columns[j + 1]!.right
    const diagonal = entries[j]!
    const program: ScalarInstruction[] = [
      { operation: 'root', out: length, a: length },
      { operation: 'root', out: remainder, a: remainder },
      { operation: 'multiply', out: length, a: length, b: FLOAT32_FLOOR },
      { operation: 'larger', out: open, a: remainder, b: length },
      ...valueWhere(lower, open, remainder),
    ]
    for (let i = 0; i < j; i++) {
      const [upper, below] = [entries[i]!, entries[i + 1]!]
      const { cosine: c, sine: s } = this.columns[i]!
      program.push(
        { operation: 'multiply', out: test, a: c, b: upper },
        { operation: 'multiply', out: product, a: s, b: below },
        { operation: 'add', out: test, a: test, b: product },
        { operation: 'multiply', out: below, a: c, b: below },
        { operation: 'multiply', out: product, a: s, b: upper },
        { operation: 'subtract', out: below, a: below, b: product },
        { operation: 'add', out: upper, a: test, b: 0 },
      )
    }
    program.push(
      { operation: 'multiply', out: radius, a: diagonal, b: diagonal },
      { operation: 'multiply', out: product, a: lower, b: lower },
      { operation: 'add', out: radius, a: radius, b: product },
      { operation: 'root', out: radius, a: radius },
      // a column that is zero to rounding: cosine 1, sine 0, and no component
      { operation: 'larger', out: test, a: radius, b: length },
      { operation: 'ratio', out: product, a: diagonal, b: radius },
      { operation: 'add', out: cosine, a: 1, b: 0 },
      { operation: 'choose', out: cosine, a: test, b: product },
      { operation: 'ratio', out: sine, a: lower, b: radius },
      { operation: 'multiply', out: test, a: test, b: active },
      ...valueWhere(diagonal, test, radius),
      { operation: 'multiply', out: next, a: sine, b: right },
      { operation: 'subtract', out: next, a: 0, b: next },
      { operation: 'multiply', out: right, a: right, b: cosine },
      // without a component the residual stays what it was
      { operation: 'magnitude', out: product, a: next },
      { operation: 'choose', out: this.residual, a: test, b: product },
      { operation: 'larger', out: test, a: product, b: limit },
      { operation: 'multiply', out: active, a: active, b: test },
      { operation: 'multiply', out: active, a: active, b: open },
      { operation: 'ratio', out: product, a: 1, b: remainder },
      ...valueWhere(scale, active, product),
    )
    return program
  }

  /** Back substitution: the components of x in the basis, in place of the right side. */
  private finish(count: number): ScalarInstruction[] {
    const { norm, product } = this.scalars
    const program: ScalarInstruction[] = [
      { operation: 'ratio', out: this.residual, a: this.residual, b: norm },
    ]
    for (let j = count - 1; j >= 0; j--) {
      const { right, entries } = this.columns[j]!
      for (let k = j + 1; k < count; k++) {
        const column = this.columns[k]!
        program.push(
          { operation: 'multiply', out: product, a: column.entries[j]!, b: column.right },
          { operation: 'subtract', out: right, a: right, b: product },
        )
      }
      program.push({ operation: 'ratio', out: right, a: right, b: entries[j]! })
    }
    return program
  }
}
