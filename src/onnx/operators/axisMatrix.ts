/**
 * A linear map along one axis of a tensor: y[…, o, …] = Σ_i M[o, i] x[…, i, …].
 *
 * Interpolation and padding are such maps, one per axis. As nodes they are one MatMul each, without transposing:
 * [before, in, after] is multiplied from the left by M, or, for the last axis, from the right by Mᵀ.
 */
import { OnnxError } from '../graph'
import type { Values } from '../graph'
import type { Builder } from '../rule'
import { elementCount } from '../tensor'

/** M in rows of as many entries each; entries of one row may have the same column, and are then added. */
export interface AxisMatrix {
  readonly rows: number
  readonly columns: number
  /** Entries in a row. */
  readonly width: number
  /** [rows, width]. */
  readonly places: Int32Array
  readonly weights: Float64Array
}

/** Entries that a matrix may have as a constant of the graph: 64 MB in float32. */
const LARGEST_MATRIX = 2 ** 24

/** Row o has a one at index[o]. */
export function selectionMatrix(index: readonly number[], columns: number): AxisMatrix {
  const [rows, places] = [index.length, Int32Array.from(index)]
  return { rows, columns, width: 1, places, weights: new Float64Array(rows).fill(1) }
}

/** [product of the dimensions before `axis`, its size, product of those after]. */
function around(shape: readonly number[], axis: number): [number, number, number] {
  return [elementCount(shape.slice(0, axis)), shape[axis]!, elementCount(shape.slice(axis + 1))]
}

export function applyAlong(x: Values, axis: number, matrix: AxisMatrix): Values {
  const { rows, columns, width, places, weights } = matrix
  const [before, , after] = around(x.shape, axis)
  const data = new Float64Array(before * rows * after)
  for (let row = 0; row < rows; row++)
    for (let entry = row * width; entry < (row + 1) * width; entry++) {
      const weight = weights[entry]!
      if (weight === 0) continue
      for (let b = 0; b < before; b++) {
        const [to, from] = [(b * rows + row) * after, (b * columns + places[entry]!) * after]
        for (let a = 0; a < after; a++) data[to + a]! += weight * x.data[from + a]!
      }
    }
  return { type: x.type, shape: x.shape.with(axis, rows), data }
}

/** M, or Mᵀ, row-major. Errors: OnnxError where it is too large to be a constant. */
function dense({ rows, columns, width, places, weights }: AxisMatrix, transposed: boolean): Float64Array {
  if (rows * columns > LARGEST_MATRIX)
    throw new OnnxError(
      `Interpolating ${columns} positions at ${rows} takes a matrix that is too large. Use a smaller image.`,
    )
  const entries = new Float64Array(rows * columns)
  places.forEach((column, entry) => {
    const row = Math.floor(entry / width)
    entries[transposed ? column * rows + row : row * columns + column]! += weights[entry]!
  })
  return entries
}

/** M x as nodes, or with `adjoint` Mᵀ x. */
export function writeAlong(
  build: Builder,
  x: string,
  axis: number,
  matrix: AxisMatrix,
  adjoint = false,
): string {
  const { type, shape } = build.typeOf(x)
  const [before, size, after] = around(shape, axis)
  const produced = adjoint ? matrix.columns : matrix.rows
  const target = shape.with(axis, produced)
  if (after === 1) {
    const right = build.constant(type, [size, produced], dense(matrix, !adjoint))
    return build.reshape(build.node('MatMul', [build.reshape(x, [before, size]), right]), target)
  }
  const left = build.constant(type, [produced, size], dense(matrix, adjoint))
  return build.reshape(build.node('MatMul', [left, build.reshape(x, [before, size, after])]), target)
}
