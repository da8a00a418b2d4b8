/**
 * Operators on shapes (Shape, Size) and those that repeat, join or part arrays: Expand, Tile, Concat, Split, EyeLike, NonZero.
 *
 * Each of the repeating and joining ones is linear, y = L x: the tangent is L ẋ and the cotangent Lᵀ ȳ, which sums what was
 * repeated and parts what was joined. Source: github.com/onnx/onnx, docs/Operators.md.
 */
import { ELEMENT_TYPES } from '../elementTypes'
import { elementCount } from '../tensor'
import {
  broadcastShape,
  broadcastStrides,
  pick,
  resolveAxis,
  sameShape,
  stridedOffsets,
  stridesOf,
} from './strided'
import type { Values, ValueType } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'

/** The sizes that Shape gives: dimensions start..end-1, both counted from the end where negative, and clamped. */
function shownSizes(node: NodeView): readonly number[] {
  const { shape } = node.typeOf(0)
  return shape.slice(node.int('start', 0), node.has('end') ? node.int('end') : undefined)
}

/** Its value follows from the input's type: the input itself need not be known. */
const shapeOf: OperatorRule = {
  derivative: 'none',
  infer: (node) => [{ type: 'int64', shape: [shownSizes(node).length] }],
  evaluate(node) {
    const sizes = shownSizes(node)
    return [{ type: 'int64', shape: [sizes.length], data: Float64Array.from(sizes) }]
  },
}

const size: OperatorRule = {
  derivative: 'none',
  infer: () => [{ type: 'int64', shape: [] }],
  evaluate: (node) => [
    { type: 'int64', shape: [], data: Float64Array.of(elementCount(node.typeOf(0).shape)) },
  ],
}

/** A shape given as an input. Errors: OnnxError where a size is no size. */
function sizesIn(node: NodeView, input: number): readonly number[] {
  const sizes = node.integers(input)
  if (sizes.some((value) => !(value >= 0))) {
    throw node.error(
      `the shape [${sizes.join(', ')}] has a negative size. Export the model with fixed sizes.`,
    )
  }
  return sizes
}

const expand: OperatorRule = {
  infer: (node) => [
    { type: node.typeOf(0).type, shape: broadcastShape(node, node.typeOf(0).shape, sizesIn(node, 1)) },
  ],
  evaluate(node, [x]) {
    const shape = broadcastShape(node, x!.shape, sizesIn(node, 1))
    const data = pick(x!.data, stridedOffsets(shape, broadcastStrides(x!.shape, shape)))
    return [{ type: x!.type, shape, data }]
  },
  vjp: (node, [cotangent], build) => (cotangent ? [build.sumTo(cotangent, node.typeOf(0).shape)] : []),
  jvp: (node, [tangent], build) => (tangent ? [build.expand(tangent, node.outputType(0).shape)] : []),
}

function repeatsOf(node: NodeView): readonly number[] {
  const repeats = sizesIn(node, 1)
  const rank = node.typeOf(0).shape.length
  if (repeats.length !== rank) {
    throw node.error(`${repeats.length} repeats are given for ${rank} dimensions. Export the model again.`)
  }
  return repeats
}

const tile: OperatorRule = {
  infer(node) {
    const { type, shape } = node.typeOf(0)
    const repeats = repeatsOf(node)
    return [{ type, shape: shape.map((size, i) => size * repeats[i]!) }]
  },
  evaluate(node, [x]) {
    const repeats = repeatsOf(node)
    const strides = stridesOf(x!.shape)
    // Each dimension of the output is (repeats, size), of which the first moves nothing.
    const offsets = stridedOffsets(
      x!.shape.flatMap((size, i) => [repeats[i]!, size]),
      strides.flatMap((stride) => [0, stride]),
    )
    const shape = x!.shape.map((size, i) => size * repeats[i]!)
    return [{ type: x!.type, shape, data: pick(x!.data, offsets) }]
  },
  vjp(node, [cotangent], build) {
    if (!cotangent) return []
    const { shape } = node.typeOf(0)
    const repeats = repeatsOf(node)
    const parted = shape.flatMap((size, i) => (repeats[i] === 1 ? [size] : [repeats[i]!, size]))
    const axes: number[] = []
    repeats.forEach((count, i) => {
      // Each repeated dimension before this one was parted in two.
      if (count !== 1) axes.push(i + axes.length)
    })
    if (axes.length === 0) return [cotangent]
    return [build.reduceSum(build.reshape(cotangent, parted), axes, false)]
  },
  jvp: (node, [tangent], build) => (tangent ? [build.node('Tile', [tangent, node.inputs[1]])] : []),
}

/** Writes `source` into `target` where its dimension `axis` begins at `first`. */
function copyInto(target: Values, source: Values, axis: number, first: number): void {
  const strides = stridesOf(target.shape)
  stridedOffsets(source.shape, strides, first * (strides[axis] ?? 1)).forEach((offset, i) => {
    target.data[offset] = source.data[i]!
  })
}

function takeFrom(source: Values, shape: readonly number[], axis: number, first: number): Values {
  const strides = stridesOf(source.shape)
  return {
    type: source.type,
    shape,
    data: pick(source.data, stridedOffsets(shape, strides, first * strides[axis]!)),
  }
}

function concatType(node: NodeView, parts: readonly ValueType[]): { axis: number; type: ValueType } {
  const [first] = parts
  if (!first) throw node.error('there is nothing to join. Export the model again.')
  const axis = resolveAxis(node, node.int('axis'), first.shape.length)
  let total = 0
  for (const { shape } of parts) {
    if (shape.length !== first.shape.length || !sameShape(shape.with(axis, 0), first.shape.with(axis, 0))) {
      const all = parts.map((part) => `[${part.shape.join(', ')}]`).join(', ')
      throw node.error(
        `the shapes ${all} differ in more than dimension ${axis}. Use the model with the sizes that it was made for.`,
      )
    }
    total += shape[axis]!
  }
  return { axis, type: { type: first.type, shape: first.shape.with(axis, total) } }
}

const inputTypes = (node: NodeView) => node.inputs.map((_, i) => node.typeOf(i))

const concat: OperatorRule = {
  infer: (node) => [concatType(node, inputTypes(node)).type],
  evaluate(node, inputs) {
    const parts = inputs.map((part) => part!)
    const { axis, type } = concatType(node, parts)
    const out = { ...type, data: new Float64Array(elementCount(type.shape)) }
    let first = 0
    for (const part of parts) {
      copyInto(out, part, axis, first)
      first += part.shape[axis]!
    }
    return [out]
  },
  vjp(node, [cotangent], build, wanted) {
    if (!cotangent) return []
    const parts = inputTypes(node)
    const { axis } = concatType(node, parts)
    const sizes = parts.map(({ shape }) => shape[axis]!)
    if (parts.length > 1 && wanted.every(Boolean)) return splitInto(build, cotangent, sizes, axis)
    let first = 0
    return sizes.map((size, i) => {
      first += size
      return wanted[i] ? build.slice(cotangent, [first - size], [first], [axis]) : undefined
    })
  },
  jvp(node, tangents, build) {
    if (!tangents.some(Boolean)) return []
    const parts = inputTypes(node)
    const { axis } = concatType(node, parts)
    return [
      build.concat(
        parts.map((type, i) => tangents[i] ?? build.zeros(type)),
        axis,
      ),
    ]
  },
}

function splitInto(build: Builder, x: string, sizes: readonly number[], axis: number): readonly string[] {
  return build.nodes('Split', [x, build.integers(sizes)], sizes.length, { axis })
}

/** The outputs' sizes along the axis; without `split` they are equal, but for a smaller last one. */
function splitSizes(node: NodeView): { axis: number; sizes: readonly number[] } {
  const { shape } = node.typeOf(0)
  const axis = resolveAxis(node, node.int('axis', 0), shape.length)
  const total = shape[axis]!
  if (node.inputs[1] !== undefined) {
    const sizes = sizesIn(node, 1)
    if (sizes.reduce((a, b) => a + b, 0) !== total || sizes.length !== node.outputs.length) {
      throw node.error(
        `sizes [${sizes.join(', ')}] do not part ${total} entries into ${node.outputs.length} outputs. Export the model again.`,
      )
    }
    return { axis, sizes }
  }
  const count = node.outputs.length
  const each = Math.ceil(total / count)
  const last = total - each * (count - 1)
  if (last < 0 || (last !== each && !node.has('num_outputs'))) {
    throw node.error(`${total} entries do not part into ${count} equal outputs. Export the model again.`)
  }
  return { axis, sizes: node.outputs.map((_, i) => (i < count - 1 ? each : last)) }
}

const split: OperatorRule = {
  infer(node) {
    const { type, shape } = node.typeOf(0)
    const { axis, sizes } = splitSizes(node)
    return sizes.map((size) => ({ type, shape: shape.with(axis, size) }))
  },
  evaluate(node, [x]) {
    const { axis, sizes } = splitSizes(node)
    let first = 0
    return sizes.map((size) => {
      first += size
      return takeFrom(x!, x!.shape.with(axis, size), axis, first - size)
    })
  },
  vjp(node, cotangents, build) {
    if (!cotangents.some(Boolean)) return []
    const { type, shape } = node.typeOf(0)
    const { axis, sizes } = splitSizes(node)
    return [
      build.concat(
        sizes.map((size, i) => cotangents[i] ?? build.zeros({ type, shape: shape.with(axis, size) })),
        axis,
      ),
    ]
  },
  jvp(node, [tangent], build) {
    if (!tangent) return []
    const { axis, sizes } = splitSizes(node)
    return splitInto(build, tangent, sizes, axis)
  },
}

function eyeType(node: NodeView): ValueType {
  const { type, shape } = node.typeOf(0)
  if (shape.length !== 2) throw node.error('the input must be a matrix. Export the model again.')
  const asked = node.has('dtype') ? ELEMENT_TYPES.get(node.int('dtype')) : type
  if (!asked) throw node.error(`dtype ${node.int('dtype')} is not supported. Export the model in float32.`)
  return { type: asked, shape }
}

const eyeLike: OperatorRule = {
  derivative: 'none',
  infer: (node) => [eyeType(node)],
  evaluate(node) {
    const { type, shape } = eyeType(node)
    const [rows, columns] = shape as [number, number]
    const shift = node.int('k', 0)
    const data = new Float64Array(rows * columns)
    for (let i = 0; i < rows; i++) {
      if (i + shift >= 0 && i + shift < columns) data[i * columns + i + shift] = 1
    }
    return [{ type, shape, data }]
  },
}

function nonZeroIndices(x: Values): Values {
  const found: number[] = []
  x.data.forEach((value, i) => value !== 0 && found.push(i))
  const strides = stridesOf(x.shape)
  const data = Float64Array.from(
    x.shape.flatMap((size, d) => found.map((at) => Math.floor(at / strides[d]!) % size)),
  )
  return { type: 'int64', shape: [x.shape.length, found.length], data }
}

/** Its shape depends on the input's value, so that must be known. */
const nonZero: OperatorRule = {
  derivative: 'none',
  infer(node) {
    const x = node.constant(0)
    if (!x) {
      throw node.error(
        'the number of entries depends on the data. Export the model with masks instead of boolean indices.',
      )
    }
    const { type, shape } = nonZeroIndices(x)
    return [{ type, shape }]
  },
  evaluate: (_node, [x]) => [nonZeroIndices(x!)],
}

export const rules: OperatorRules = {
  Shape: shapeOf,
  Size: size,
  Expand: expand,
  Tile: tile,
  Concat: concat,
  Split: split,
  EyeLike: eyeLike,
  NonZero: nonZero,
}
