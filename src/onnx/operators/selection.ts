/**
 * Where: y = c ? a : b, with broadcasting; and the operators that order entries, TopK.
 *
 * Where's condition is fixed, so its derivatives choose in the same way: ẏ = c ? ȧ : ḃ, ā = Σ (c ? ȳ : 0), b̄ = Σ (c ? 0 : ȳ),
 * summed over what was broadcast. Source: github.com/onnx/onnx, docs/Operators.md.
 */
import { elementCount } from '../tensor'
import { broadcastShape, broadcastStrides } from './broadcast'
import { pick, resolveAxis, stridedOffsets, stridesOf } from './strided'
import type { Values, ValueType } from '../graph'
import type { NodeView, OperatorRule, OperatorRules } from '../rule'

const where: OperatorRule = {
  infer: (node) => [
    {
      type: node.typeOf(1).type,
      shape: broadcastShape(node, node.typeOf(0).shape, node.typeOf(1).shape, node.typeOf(2).shape),
    },
  ],
  evaluate(node, inputs) {
    const [condition, a, b] = inputs.map((input) => input!) as [Values, Values, Values]
    const shape = broadcastShape(node, condition.shape, a.shape, b.shape)
    const read = (x: Values) => pick(x.data, stridedOffsets(shape, broadcastStrides(x.shape, shape)))
    const [test, yes, no] = [read(condition), read(a), read(b)]
    return [{ type: a.type, shape, data: test.map((value, i) => (value !== 0 ? yes[i]! : no[i]!)) }]
  },
  vjp(node, [cotangent], build, wanted) {
    if (!cotangent) return []
    const condition = node.inputs[0]
    const zero = build.scalar(0, cotangent)
    const choose = (input: 1 | 2) => {
      const parts = input === 1 ? [condition, cotangent, zero] : [condition, zero, cotangent]
      return build.sumTo(build.node('Where', parts), node.typeOf(input).shape)
    }
    return [undefined, wanted[1] ? choose(1) : undefined, wanted[2] ? choose(2) : undefined]
  },
  jvp(node, [, a, b], build) {
    if (!a && !b) return []
    const zero = build.scalar(0, (a ?? b)!)
    const chosen = build.node('Where', [node.inputs[0], a ?? zero, b ?? zero])
    // The input without a tangent may be the one that gave the output its shape.
    return [build.expand(chosen, node.outputType(0).shape)]
  },
}

function topKType(node: NodeView): { axis: number; shape: readonly number[] } {
  const { shape } = node.typeOf(0)
  const axis = resolveAxis(node, node.int('axis', -1), shape.length)
  const count = node.integers(1)[0] ?? 0
  if (!(count >= 0 && count <= shape[axis]!)) {
    throw node.error(`the ${count} largest of ${shape[axis]} entries do not exist. Export the model again.`)
  }
  return { axis, shape: shape.with(axis, count) }
}

/** Without a derivative: no denoiser was found that orders its features. */
const topK: OperatorRule = {
  infer(node) {
    const { shape } = topKType(node)
    const types: ValueType[] = [
      { type: node.typeOf(0).type, shape },
      { type: 'int64', shape },
    ]
    return types.slice(0, node.outputs.length)
  },
  evaluate(node, [x]) {
    const { axis, shape } = topKType(node)
    const sign = node.int('largest', 1) !== 0 ? 1 : -1
    const strides = stridesOf(x!.shape)
    const outStrides = stridesOf(shape)
    const lines = shape.with(axis, 1)
    const starts = stridedOffsets(lines, strides)
    const outStarts = stridedOffsets(lines, outStrides)
    const data = new Float64Array(elementCount(shape))
    const indices = new Float64Array(data.length)
    starts.forEach((start, line) => {
      const valueAt = (i: number) => x!.data[start + i * strides[axis]!]!
      const order = Array.from({ length: x!.shape[axis]! }, (_, i) => i)
      order.sort((i, j) => sign * (valueAt(j) - valueAt(i)) || i - j)
      for (let rank = 0; rank < shape[axis]!; rank++) {
        const at = outStarts[line]! + rank * outStrides[axis]!
        data[at] = valueAt(order[rank]!)
        indices[at] = order[rank]!
      }
    })
    const values: Values[] = [
      { type: x!.type, shape, data },
      { type: 'int64', shape, data: indices },
    ]
    return values.slice(0, node.outputs.length)
  },
}

export const rules: OperatorRules = { Where: where, TopK: topK }
