/**
 * A linear map along one axis of a tensor: y[…, o, …] = Σ_i M[o, i] x[…, i, …].
 *
 * Interpolation and padding are such maps, one per axis. As nodes they are one MatMul each, without transposing:
 * [before, in, after] is multiplied from the left by M, or, for the last axis, from the right by Mᵀ.
 */
import type { Values } from '../graph'
import type { Builder } from '../rule'
import { elementCount } from '../tensor'

/** Entries [rows, columns], row-major. */
export interface AxisMatrix {
  readonly rows: number
  readonly columns: number
  readonly entries: Float64Array
}

export function transposeMatrix({ rows, columns, entries }: AxisMatrix): AxisMatrix {
  const turned = new Float64Array(entries.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = entries[row * columns + column]!
  return { rows: columns, columns: rows, entries: turned }
}

/** Row o has a one at index[o]; nowhere where that is -1. */
export function selectionMatrix(index: readonly number[], columns: number): AxisMatrix {
  const entries = new Float64Array(index.length * columns)
  index.forEach((column, row) => {
    if (column >= 0) entries[row * columns + column] = 1
  })
  return { rows: index.length, columns, entries }
}

/** [product of the dimensions before `axis`, its size, product of those after]. */
function around(shape: readonly number[], axis: number): [number, number, number] {
  return [elementCount(shape.slice(0, axis)), shape[axis]!, elementCount(shape.slice(axis + 1))]
}

export function applyAlong(x: Values, axis: number, { rows, columns, entries }: AxisMatrix): Values {
  const [before, , after] = around(x.shape, axis)
  const data = new Float64Array(before * rows * after)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const entry = entries[row * columns + column]!
      if (entry === 0) continue
      for (let b = 0; b < before; b++) {
        const [to, from] = [(b * rows + row) * after, (b * columns + column) * after]
        for (let a = 0; a < after; a++) data[to + a]! += entry * x.data[from + a]!
      }
    }
  return { type: x.type, shape: x.shape.with(axis, rows), data }
}

/** The same as nodes. */
export function writeAlong(build: Builder, x: string, axis: number, matrix: AxisMatrix): string {
  const { type, shape } = build.typeOf(x)
  const [before, size, after] = around(shape, axis)
  const target = shape.with(axis, matrix.rows)
  if (after === 1) {
    const { rows, columns, entries } = transposeMatrix(matrix)
    const flat = build.reshape(x, [before, size])
    return build.reshape(build.node('MatMul', [flat, build.constant(type, [rows, columns], entries)]), target)
  }
  const left = build.constant(type, [matrix.rows, matrix.columns], matrix.entries)
  const flat = build.reshape(x, [before, size, after])
  return build.reshape(build.node('MatMul', [left, flat]), target)
}
