/**
 * x̂ = r (x - m) of rows: the part that the normalisations share. m is a row's mean and r = 1/√(mean (x - m)² + ε).
 *
 * On a GPU and in WASM it is a LayerNormalization with all its outputs, x̂, m and r, so that a derivative finds there what it
 * needs. For groups of channels it is as fast as InstanceNormalization, and with m and r from nodes of their own that would be
 * two to five times as slow.
 */
import { elementCount } from '../tensor'
import type { Builder } from '../rule'

export const DEFAULT_EPSILON = 1e-5

/** x̂, m and r of contiguous rows in float64; m is 0 where the rows are not centred. */
export function normaliseRows(x: Float64Array, length: number, epsilon: number, isCentred: boolean) {
  const rows = length === 0 ? 0 : x.length / length
  const normalised = new Float64Array(x.length)
  const means = new Float64Array(rows)
  const inverses = new Float64Array(rows)
  for (let i = 0; i < rows; i++) {
    const row = x.subarray(i * length, (i + 1) * length)
    const mean = isCentred ? row.reduce((a, b) => a + b, 0) / length : 0
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / length
    const inverse = 1 / Math.sqrt(variance + epsilon)
    means[i] = mean
    inverses[i] = inverse
    for (let j = 0; j < length; j++) normalised[i * length + j] = (row[j]! - mean) * inverse
  }
  return { normalised, means, inverses }
}

/** Longer rows have too few workgroups to be fast in one node, and a scale of ones that fills memory. */
const LONGEST_ROW = 2 ** 16
const FIRST_OPSET = 17

export function hasPlainLayer(build: Builder, length: number): boolean {
  return build.opset >= FIRST_OPSET && length > 0 && length <= LONGEST_ROW
}

/** x̂ along all dimensions from `axis` on. The scale that LayerNormalization wants is one for each entry of a row. */
export function plainLayer(build: Builder, x: string, axis: number, epsilon: number): string {
  const { type, shape } = build.typeOf(x)
  const row = shape.slice(axis)
  const one = build.constant(
    type,
    row.map(() => 1),
    [1],
  )
  const ones = elementCount(row) === 1 ? one : build.expand(one, row)
  return build.nodes('LayerNormalization', [x, ones], 3, { axis, epsilon: { float: epsilon } })[0]!
}
