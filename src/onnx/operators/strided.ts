/**
 * Row-major arrays read with strides: entry i of a dimension lies stride · i after its first. A stride of 0 repeats
 * (src/onnx/operators/broadcast.ts), a negative one goes backwards (slices), and permuted ones transpose.
 */
import { elementCount } from '../tensor'
import type { Values } from '../graph'
import type { NodeView } from '../rule'

const LARGEST_TABLE = 2 ** 24

/** Errors: OnnxError where a constant that a rule would write, of `count` numbers, could exhaust memory. */
export function checkTableSize(node: NodeView, count: number): void {
  if (count <= LARGEST_TABLE) return
  throw node.error(
    `it would need a table of ${count} numbers, more than ${LARGEST_TABLE}. Use a smaller image, or another model.`,
  )
}

/** Strides of a row-major array. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1)
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!
  return strides
}

/** Where each entry of an array of `shape`, in row-major order, lies in the array that it is read from. */
export function stridedOffsets(shape: readonly number[], strides: readonly number[], first = 0): Int32Array {
  const offsets = new Int32Array(elementCount(shape))
  if (offsets.length === 0) return offsets
  offsets[0] = first
  let filled = 1
  for (let d = shape.length - 1; d >= 0; d--) {
    const block = filled
    for (let i = 1; i < shape[d]!; i++) {
      const shift = i * strides[d]!
      for (let j = 0; j < block; j++) offsets[filled++] = offsets[j]! + shift
    }
  }
  return offsets
}

/** An array parted into groups that lie along `axes`: where each begins, and the places in it from there on. */
export function groupsAlong(
  shape: readonly number[],
  axes: readonly number[],
): { readonly firsts: Int32Array; readonly inside: Int32Array } {
  const strides = stridesOf(shape)
  const inside = stridedOffsets(
    axes.map((axis) => shape[axis]!),
    axes.map((axis) => strides[axis]!),
  )
  const rest = shape.map((size, i) => (axes.includes(i) ? 1 : size))
  return { firsts: stridedOffsets(rest, strides), inside }
}

/** f of every group along `axes`, which returns as many entries as it gets. */
export function mapGroups(
  x: Values,
  axes: readonly number[],
  f: (values: Float64Array) => Float64Array,
): Values {
  const { firsts, inside } = groupsAlong(x.shape, axes)
  const data = new Float64Array(x.data.length)
  const values = new Float64Array(inside.length)
  for (const first of firsts) {
    for (let i = 0; i < inside.length; i++) values[i] = x.data[first + inside[i]!]!
    f(values).forEach((value, i) => {
      data[first + inside[i]!] = value
    })
  }
  return { type: x.type, shape: x.shape, data }
}

/** data[offsets[i]] for each i. */
export function pick(data: Float64Array, offsets: Int32Array): Float64Array {
  const out = new Float64Array(offsets.length)
  for (let i = 0; i < out.length; i++) out[i] = data[offsets[i]!]!
  return out
}

/** An axis of -rank..rank-1 as 0..rank-1. Errors: OnnxError where it is neither. */
export function resolveAxis(node: NodeView, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw node.error(`axis ${axis} is not one of an input with ${rank} dimensions. Export the model again.`)
  }
  return axis < 0 ? axis + rank : axis
}

/** The same for several, ascending. Errors: OnnxError where one occurs twice. */
export function resolveAxes(node: NodeView, axes: readonly number[], rank: number): number[] {
  const resolved = axes.map((axis) => resolveAxis(node, axis, rank)).sort((a, b) => a - b)
  if (new Set(resolved).size !== resolved.length) {
    throw node.error(`axes [${axes.join(', ')}] name a dimension twice. Export the model again.`)
  }
  return resolved
}

/** All dimensions from `first` on. */
export function axesFrom(first: number, rank: number): number[] {
  return Array.from({ length: rank - first }, (_, i) => first + i)
}

/** A shape given as an input. Errors: OnnxError where a size is no size. */
export function sizesIn(node: NodeView, input: number): readonly number[] {
  const sizes = node.integers(input)
  if (sizes.some((value) => !(value >= 0))) {
    throw node.error(
      `the shape [${sizes.join(', ')}] has a negative size. Export the model with fixed sizes.`,
    )
  }
  return sizes
}
