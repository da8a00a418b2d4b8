/**
 * Concat and Split. Each is linear, and the adjoint of the other: the cotangent of what was joined is parted, and of what
 * was parted joined. Source: github.com/onnx/onnx, docs/Operators.md.
 */
import { elementCount, sameShape } from '../tensor'
import { pick, resolveAxis, sizesIn, stridedOffsets, stridesOf } from './strided'
import type { Values, ValueType } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'

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

export const rules: OperatorRules = { Concat: concat, Split: split }
