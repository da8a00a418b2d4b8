/** Operators that hand their input on: Identity, Dropout as in inference, and conversions of the type. */
import type { ElementType, Values } from '../graph'
import type { NodeView, OperatorRule, OperatorRules } from '../rule'
import { isFloat } from '../tensor'
import { ELEMENT_TYPES } from '../elementTypes'

function target(node: NodeView): ElementType {
  if (node.op === 'CastLike') return node.typeOf(1).type
  const type = ELEMENT_TYPES.get(node.int('to'))
  if (!type) {
    throw node.error(
      `it casts to data type ${node.int('to')}, which is not a number of 8 to 64 bits. ` +
        'Export the model in float32 or float16, without quantisation.',
    )
  }
  return type
}

/** Floating-point numbers are not rounded: the reference computes in float64 throughout. */
function convert({ shape, data }: Values, type: ElementType): Values {
  if (isFloat(type)) return { type, shape, data }
  if (type === 'bool') return { type, shape, data: data.map((value) => (value === 0 ? 0 : 1)) }
  return { type, shape, data: data.map(Math.trunc) }
}

const cast: OperatorRule = {
  infer: (node) => [{ type: target(node), shape: node.typeOf(0).shape }],
  evaluate: (node, [x]) => [convert(x as Values, target(node))],
  vjp: (node, [outer], build) => [outer && build.cast(outer, node.typeOf(0).type)],
  jvp: (node, [tangent], build) => [tangent && build.cast(tangent, node.outputType(0).type)],
}

const dropout: OperatorRule = {
  infer(node) {
    if (node.inputs[2] && node.constant(2)?.data[0] !== 0) {
      throw node.error(
        'it is in training mode, so that its output is random. Export the model in evaluation mode.',
      )
    }
    return [node.typeOf(0), { type: 'bool', shape: node.typeOf(0).shape }]
  },
  evaluate(_node, [x]) {
    const { shape, data } = x as Values
    return [x as Values, { type: 'bool', shape, data: new Float64Array(data.length).fill(1) }]
  },
  vjp: (_node, [outer]) => [outer],
  jvp: (_node, [tangent]) => [tangent],
}

export const passingRules: OperatorRules = {
  Identity: {
    infer: (node) => [node.typeOf(0)],
    evaluate: (_node, [x]) => [x as Values],
    vjp: (_node, [outer]) => [outer],
    jvp: (_node, [tangent]) => [tangent],
  },
  Cast: cast,
  CastLike: cast,
  Dropout: dropout,
}
