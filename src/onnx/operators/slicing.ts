/**
 * Operators that pick entries by rule: Slice, Trilu, OneHot; those that pick by a table are in gathering.ts.
 *
 * The adjoint of a Slice puts zeros between the entries of a step, and around them a Pad.
 * Source: github.com/onnx/onnx, docs/Operators.md.
 */
import { elementCount } from '../tensor'
import { rules as gathering } from './gathering'
import { rules as scattering } from './scattering'
import {
  axesFrom,
  checkTableSize,
  pick,
  resolveAxes,
  resolveAxis,
  stridedOffsets,
  stridesOf,
} from './strided'
import type { Values } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'

/** Picked from one dimension: entries first, first + step, …, `count` of them. */
interface Range {
  readonly first: number
  readonly step: number
  readonly count: number
}

function rangeOf(node: NodeView, size: number, start: number, end: number, step: number): Range {
  if (!Number.isInteger(step) || step === 0)
    throw node.error(`a step of ${step} goes nowhere. Export the model again.`)
  const clamp = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most)
  const fromEnd = (value: number) => (value < 0 ? value + size : value)
  if (step > 0) {
    const first = clamp(fromEnd(start), 0, size)
    return { first, step, count: Math.max(0, Math.ceil((clamp(fromEnd(end), 0, size) - first) / step)) }
  }
  const first = clamp(fromEnd(start), -1, size - 1)
  return { first, step, count: Math.max(0, Math.ceil((clamp(fromEnd(end), -1, size - 1) - first) / step)) }
}

/** One range for each dimension of the input. */
function rangesOf(node: NodeView): Range[] {
  const { shape } = node.typeOf(0)
  const starts = node.integers(1)
  const ends = node.integers(2)
  const axes = node.inputs[3] === undefined ? axesFrom(0, starts.length) : node.integers(3)
  const steps = node.inputs[4] === undefined ? starts.map(() => 1) : node.integers(4)
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
    throw node.error('starts, ends, axes and steps differ in length. Export the model again.')
  }
  resolveAxes(node, axes, shape.length)
  const ranges: Range[] = shape.map((size) => ({ first: 0, step: 1, count: size }))
  axes.forEach((given, i) => {
    const axis = resolveAxis(node, given, shape.length)
    ranges[axis] = rangeOf(node, shape[axis]!, starts[i]!, ends[i]!, steps[i]!)
  })
  return ranges
}

const slice: OperatorRule = {
  infer: (node) => [{ type: node.typeOf(0).type, shape: rangesOf(node).map(({ count }) => count) }],
  evaluate(node, [x]) {
    const ranges = rangesOf(node)
    const shape = ranges.map(({ count }) => count)
    const strides = stridesOf(x!.shape)
    const first = ranges.reduce((total, range, i) => total + range.first * strides[i]!, 0)
    const offsets = stridedOffsets(
      shape,
      ranges.map(({ step }, i) => step * strides[i]!),
      first,
    )
    return [{ type: x!.type, shape, data: pick(x!.data, offsets) }]
  },
  vjp(node, [cotangent], build) {
    if (!cotangent) return []
    const type = node.typeOf(0)
    const ranges = rangesOf(node)
    if (ranges.some(({ count }) => count === 0)) return [build.zeros(type)]
    return [unslice(build, cotangent, ranges, type.shape)]
  },
  jvp: (node, [tangent], build) => (tangent ? [build.node('Slice', [tangent, ...node.inputs.slice(1)])] : []),
}

/** An array of `shape` with the entries of `x` where the ranges say, zeros elsewhere. */
function unslice(build: Builder, x: string, ranges: readonly Range[], shape: readonly number[]): string {
  let spread = x
  const before: number[] = []
  const after: number[] = []
  ranges.forEach(({ first, step, count }, axis) => {
    if (step < 0 && count > 1) spread = build.slice(spread, [count - 1], [-Infinity], [axis], [-1])
    const lowest = step < 0 ? first + (count - 1) * step : first
    const length = count > 1 ? (count - 1) * Math.abs(step) + 1 : 1
    if (length > count) spread = interleaveZeros(build, spread, axis, Math.abs(step), shape[axis]! - lowest)
    const filled = build.typeOf(spread).shape[axis]!
    before.push(lowest)
    after.push(shape[axis]! - lowest - filled)
  })
  return build.pad(spread, before, after)
}

/** `step` - 1 zeros behind each entry of an axis, of which no more than `room` entries are kept. */
function interleaveZeros(build: Builder, x: string, axis: number, step: number, room: number): string {
  const { shape } = build.typeOf(x)
  const parted = shape.toSpliced(axis + 1, 0, 1)
  const none = parted.map(() => 0)
  const padded = build.pad(build.reshape(x, parted), none, none.with(axis + 1, step - 1))
  const length = shape[axis]! * step
  const spread = build.reshape(padded, shape.with(axis, length))
  return length <= room ? spread : build.slice(spread, [0], [room], [axis])
}

/** 1 where a triangle keeps its entry, [rows, columns]. */
function triangle(node: NodeView): { shape: readonly [number, number]; kept: Float64Array } {
  const { shape } = node.typeOf(0)
  if (shape.length < 2)
    throw node.error('the input must be a matrix or a stack of them. Export the model again.')
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!]
  const shift = node.inputs[1] === undefined ? 0 : (node.integers(1)[0] ?? 0)
  const isUpper = node.int('upper', 1) !== 0
  checkTableSize(node, rows * columns)
  const kept = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++)
      kept[i * columns + j] = (isUpper ? j - i >= shift : j - i <= shift) ? 1 : 0
  }
  return { shape: [rows, columns], kept }
}

const trilu: OperatorRule = {
  infer: (node) => [node.typeOf(0)],
  evaluate(node, [x]) {
    const { kept } = triangle(node)
    return [
      {
        type: x!.type,
        shape: x!.shape,
        data: x!.data.map((value, i) => (kept[i % kept.length] ? value : 0)),
      },
    ]
  },
  // By Where and not by a product: masks hold infinities, and the WebGPU provider has no Trilu.
  rewrite(node, build) {
    const { shape, kept } = triangle(node)
    const x = node.inputs[0]!
    return [build.node('Where', [build.constant('bool', shape, kept), x, build.scalar(0, x)])]
  },
}

const oneHot: OperatorRule = {
  derivative: 'none',
  infer(node) {
    const { shape } = node.typeOf(0)
    const axis = resolveAxis(node, node.int('axis', -1), shape.length + 1)
    return [{ type: node.typeOf(2).type, shape: shape.toSpliced(axis, 0, node.integers(1)[0] ?? 0) }]
  },
  evaluate(node, inputs) {
    const [indices, depth, values] = inputs.map((input) => input!) as [Values, Values, Values]
    const size = depth.data[0]!
    const axis = resolveAxis(node, node.int('axis', -1), indices.shape.length + 1)
    const shape = indices.shape.toSpliced(axis, 0, size)
    const [off, on] = values.data as unknown as [number, number]
    const data = new Float64Array(elementCount(shape)).fill(off)
    const strides = stridesOf(shape)
    const places = stridedOffsets(indices.shape, strides.toSpliced(axis, 1))
    indices.data.forEach((index, i) => {
      const at = index < 0 ? index + size : index
      if (at >= 0 && at < size) data[places[i]! + at * strides[axis]!] = on
    })
    return [{ type: values.type, shape, data }]
  },
}

export const rules: OperatorRules = {
  Slice: slice,
  Trilu: trilu,
  OneHot: oneHot,
  ...gathering,
  ...scattering,
}
