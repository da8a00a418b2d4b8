/**
 * Operators that pick entries by a table: Gather, GatherElements, GatherND.
 *
 * Each picks y_j = x_{p(j)} with fixed positions p, so ẏ_j = ẋ_{p(j)} and x̄_i = Σ_{p(j)=i} ȳ_j. That sum is written without
 * scattering: let q(i, 0..m-1) list the j with p(j) = i, filled up with the place of a zero that is put behind ȳ. Then
 * x̄_i = Σ_k (ȳ, 0)_{q(i,k)}: Pad, Gather and, where an entry was picked more than once, ReduceSum.
 * Source: github.com/onnx/onnx, docs/Operators.md.
 */
import { elementCount } from '../tensor'
import { gatheredElements, gatheredRows, rowsOfIndices, wrapIndices } from './indices'
import { checkTableSize, pick, resolveAxis } from './strided'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'

/**
 * The adjoint of picking along an axis: x̄ with `size` entries there, from ȳ with as many as `positions` has.
 * Positions are of 0..size-1.
 */
function unpick(
  node: NodeView,
  build: Builder,
  cotangent: string,
  positions: readonly number[],
  axis: number,
  size: number,
): string {
  const { shape } = build.typeOf(cotangent)
  checkTableSize(node, size)
  const sources: number[][] = Array.from({ length: size }, () => [])
  positions.forEach((position, j) => sources[position]!.push(j))
  const most = sources.reduce((count, list) => Math.max(count, list.length), 1)
  checkTableSize(node, size * most)
  const isFull = sources.every((list) => list.length === most)
  const none = shape.map(() => 0)
  const padded = isFull ? cotangent : build.pad(cotangent, none, none.with(axis, 1))
  const indices = sources.flatMap((list) =>
    Array.from({ length: most }, (_, k) => list[k] ?? positions.length),
  )
  if (most === 1) return build.node('Gather', [padded, build.integers(indices)], { axis })
  const table = build.constant('int64', [size, most], indices)
  return build.reduceSum(build.node('Gather', [padded, table], { axis }), [axis + 1], false)
}

/** Errors: OnnxError where the indices are not known before running. */
function knownIndices(node: NodeView, size: number): number[] {
  return wrapIndices(node, node.integers(1), size)
}

function isConsecutive(positions: readonly number[]): boolean {
  return positions.length > 0 && positions.every((position, i) => position === positions[0]! + i)
}

const gather: OperatorRule = {
  infer(node) {
    const { type, shape } = node.typeOf(0)
    const axis = resolveAxis(node, node.int('axis', 0), shape.length)
    return [{ type, shape: shape.toSpliced(axis, 1, ...node.typeOf(1).shape) }]
  },
  evaluate(node, [x, indices]) {
    const axis = resolveAxis(node, node.int('axis', 0), x!.shape.length)
    const size = x!.shape[axis]!
    const inner = elementCount(x!.shape.slice(axis + 1))
    const outer = elementCount(x!.shape.slice(0, axis))
    const positions = wrapIndices(node, indices!.data, size)
    const data = new Float64Array(outer * positions.length * inner)
    let at = 0
    for (let i = 0; i < outer; i++) {
      for (const position of positions) {
        const first = (i * size + position) * inner
        data.set(x!.data.subarray(first, first + inner), at)
        at += inner
      }
    }
    return [{ type: x!.type, shape: x!.shape.toSpliced(axis, 1, ...indices!.shape), data }]
  },
  vjp(node, [cotangent], build) {
    if (!cotangent) return []
    const { shape } = node.typeOf(0)
    const axis = resolveAxis(node, node.int('axis', 0), shape.length)
    const positions = knownIndices(node, shape[axis]!)
    const row = build.reshape(cotangent, shape.with(axis, positions.length))
    if (positions.length === 0) return [build.zeros(node.typeOf(0))]
    if (!isConsecutive(positions)) return [unpick(node, build, row, positions, axis, shape[axis]!)]
    const none = shape.map(() => 0)
    const rest = shape[axis]! - positions[0]! - positions.length
    return [build.pad(row, none.with(axis, positions[0]!), none.with(axis, rest))]
  },
  jvp: (node, [tangent], build) =>
    tangent ? [build.node('Gather', [tangent, node.inputs[1]], { axis: node.int('axis', 0) })] : [],
}

/** x̄ where entry (or row) j of y is entry (or row) positions[j] of x, both flattened. */
function unpickRows(
  build: Builder,
  node: NodeView,
  cotangent: string,
  positions: readonly number[],
  rowShape: readonly number[],
): string {
  const type = node.typeOf(0)
  const length = elementCount(rowShape)
  if (positions.length === 0 || length === 0) return build.zeros(type)
  const rows = elementCount(type.shape) / length
  const flat = build.reshape(cotangent, [positions.length, length])
  return build.reshape(unpick(node, build, flat, positions, 0, rows), type.shape)
}

const gatherElements: OperatorRule = {
  infer: (node) => [{ type: node.typeOf(0).type, shape: node.typeOf(1).shape }],
  evaluate(node, [x, indices]) {
    const positions = gatheredElements(node, x!.shape, indices!)
    return [{ type: x!.type, shape: indices!.shape, data: pick(x!.data, positions) }]
  },
  vjp(node, [cotangent], build) {
    if (!cotangent) return []
    const indices = { ...node.typeOf(1), data: Float64Array.from(node.integers(1)) }
    const positions = gatheredElements(node, node.typeOf(0).shape, indices)
    return [unpickRows(build, node, cotangent, [...positions], [])]
  },
  jvp: (node, [tangent], build) =>
    tangent ? [build.node('GatherElements', [tangent, node.inputs[1]], { axis: node.int('axis', 0) })] : [],
}

const gatherND: OperatorRule = {
  infer(node) {
    const { shape } = rowsOfIndices(node, node.typeOf(0).shape, node.typeOf(1).shape)
    return [{ type: node.typeOf(0).type, shape }]
  },
  evaluate(node, [x, indices]) {
    const { shape, rowShape } = rowsOfIndices(node, x!.shape, indices!.shape)
    const length = elementCount(rowShape)
    const data = new Float64Array(elementCount(shape))
    gatheredRows(node, x!.shape, indices!).forEach((row, j) => {
      data.set(x!.data.subarray(row * length, (row + 1) * length), j * length)
    })
    return [{ type: x!.type, shape, data }]
  },
  vjp(node, [cotangent], build) {
    if (!cotangent) return []
    const { shape } = node.typeOf(0)
    const indices = { ...node.typeOf(1), data: Float64Array.from(node.integers(1)) }
    const { rowShape } = rowsOfIndices(node, shape, indices.shape)
    return [unpickRows(build, node, cotangent, gatheredRows(node, shape, indices), rowShape)]
  },
  jvp: (node, [tangent], build) =>
    tangent
      ? [build.node('GatherND', [tangent, node.inputs[1]], { batch_dims: node.int('batch_dims', 0) })]
      : [],
}

export const rules: OperatorRules = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
}
