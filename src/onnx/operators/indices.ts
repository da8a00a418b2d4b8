/**
 * Where the gathering and scattering operators read and write: positions in the flattened data. Negative indices count
 * from the end of their dimension. Source: github.com/onnx/onnx, docs/Operators.md.
 */
import { elementCount, sameShape } from '../tensor'
import { resolveAxis, stridedOffsets, stridesOf } from './strided'
import type { Values } from '../graph'
import type { NodeView } from '../rule'

/** Indices of 0..size-1. Errors: OnnxError where one lies outside of -size..size-1. */
export function wrapIndices(node: NodeView, indices: ArrayLike<number>, size: number): number[] {
  return Array.from(indices, (index) => {
    if (!(index >= -size && index < size)) {
      throw node.error(`index ${index} is outside of a dimension of size ${size}. Export the model again.`)
    }
    return index < 0 ? index + size : index
  })
}

/** GatherElements and ScatterElements: the position in `shape` of each entry of `indices`, which has the same rank. */
export function gatheredElements(node: NodeView, shape: readonly number[], indices: Values): Int32Array {
  if (indices.shape.length !== shape.length) {
    throw node.error(
      `indices of ${indices.shape.length} dimensions do not fit ${shape.length}. Export the model again.`,
    )
  }
  const axis = resolveAxis(node, node.int('axis', 0), shape.length)
  if (indices.shape.some((size, i) => i !== axis && size > shape[i]!)) {
    throw node.error(
      `indices of shape [${indices.shape.join(', ')}] are larger than [${shape.join(', ')}]. Export the model again.`,
    )
  }
  const strides = stridesOf(shape)
  const positions = stridedOffsets(indices.shape, strides.with(axis, 0))
  wrapIndices(node, indices.data, shape[axis]!).forEach((index, i) => {
    positions[i]! += index * strides[axis]!
  })
  return positions
}

/** GatherND and ScatterND: what an index tuple picks (`rowShape`), and the shape of everything picked. */
export function rowsOfIndices(
  node: NodeView,
  shape: readonly number[],
  indicesShape: readonly number[],
): { batch: number; depth: number; rowShape: readonly number[]; shape: readonly number[] } {
  const batch = node.int('batch_dims', 0)
  const depth = indicesShape.at(-1) ?? 0
  const fits =
    indicesShape.length > batch &&
    batch + depth <= shape.length &&
    sameShape(shape.slice(0, batch), indicesShape.slice(0, batch))
  if (!fits) {
    throw node.error(
      `indices of shape [${indicesShape.join(', ')}] do not fit data of shape [${shape.join(', ')}]. ` +
        'Export the model again.',
    )
  }
  const rowShape = shape.slice(batch + depth)
  return { batch, depth, rowShape, shape: [...indicesShape.slice(0, -1), ...rowShape] }
}

/** The number of the row of the flattened data that each index tuple means. */
export function gatheredRows(node: NodeView, shape: readonly number[], indices: Values): number[] {
  const { batch, depth } = rowsOfIndices(node, shape, indices.shape)
  const sizes = shape.slice(batch, batch + depth)
  const strides = stridesOf(sizes)
  const perBatch = elementCount(indices.shape.slice(batch, -1))
  const rowsPerBatch = elementCount(sizes)
  return Array.from({ length: elementCount(indices.shape.slice(0, -1)) }, (_, j) => {
    const tuple = indices.data.subarray(j * depth, (j + 1) * depth)
    return sizes.reduce(
      (row, size, d) => row + wrapIndices(node, [tuple[d]!], size)[0]! * strides[d]!,
      Math.floor(j / perBatch) * rowsPerBatch,
    )
  })
}
