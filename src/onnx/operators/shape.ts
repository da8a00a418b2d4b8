/**
 * Operators on shapes (Shape, Size, EyeLike, NonZero) and those that repeat arrays: Expand, Tile.
 *
 * The repeating ones are linear, y = L x: the tangent is L ẋ and the cotangent Lᵀ ȳ, which sums what was repeated. Those that
 * join and part are in joining.ts. Source: github.com/onnx/onnx, docs/Operators.md.
 */
import { ELEMENT_TYPES } from '../elementTypes'
import { elementCount } from '../tensor'
import { rules as joining } from './joining'
import { broadcastShape, broadcastStrides } from './broadcast'
import { pick, sizesIn, stridedOffsets, stridesOf } from './strided'
import type { Values, ValueType } from '../graph'
import type { NodeView, OperatorRule, OperatorRules } from '../rule'

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
  EyeLike: eyeLike,
  NonZero: nonZero,
  ...joining,
}
