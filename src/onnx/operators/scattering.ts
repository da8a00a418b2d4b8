/**
 * ScatterElements and ScatterND: y = x, but y_{p(j)} = u_j (or x_{p(j)} + u_j, reduction "add") at positions p.
 *
 * Both are linear in (x, u): ẏ scatters u̇ into ẋ; ū_j = ȳ_{p(j)}, and x̄ = ȳ, without the entries that were replaced.
 * Positions that are replaced twice have no defined value, so none is differentiated. Source: docs/Operators.md of ONNX.
 */
import { elementCount, sameShape } from '../tensor'
import { gatheredElements, gatheredRows, rowsOfIndices } from './indices'
import type { Values } from '../graph'
import type { AttributeValues, NodeView, OperatorRule, OperatorRules } from '../rule'

interface Scattering {
  readonly gather: string
  /** Attributes that the gathering operator shares. */
  attributes(node: NodeView): AttributeValues
  /** The shape that the updates must have. */
  updatesShape(node: NodeView): readonly number[]
  /** Positions of the updates' entries in the flattened data. */
  positions(node: NodeView, shape: readonly number[], indices: Values): Int32Array
}

const COMBINATIONS: Readonly<Record<string, (old: number, update: number) => number>> = {
  none: (_old, update) => update,
  add: (old, update) => old + update,
  mul: (old, update) => old * update,
  max: Math.max,
  min: Math.min,
}

function linearReduction(node: NodeView): 'none' | 'add' {
  const reduction = node.string('reduction', 'none')
  if (reduction === 'none' || reduction === 'add') return reduction
  throw node.error(`reduction "${reduction}" has no derivative here. Export the model without it.`)
}

function scatteringRule(scattering: Scattering): OperatorRule {
  return {
    infer(node) {
      const expected = scattering.updatesShape(node)
      const updates = node.typeOf(2).shape
      if (!sameShape(expected, updates)) {
        throw node.error(
          `updates of shape [${updates.join(', ')}] are given where [${expected.join(', ')}] are needed. ` +
            'Export the model again.',
        )
      }
      return [node.typeOf(0)]
    },
    evaluate(node, inputs) {
      const [x, indices, updates] = inputs.map((input) => input!) as [Values, Values, Values]
      const combine = COMBINATIONS[node.string('reduction', 'none')]
      if (!combine) throw node.error('its reduction is not known. Export the model again.')
      const data = x.data.slice()
      scattering.positions(node, x.shape, indices).forEach((position, j) => {
        data[position] = combine(data[position]!, updates.data[j]!)
      })
      return [{ type: x.type, shape: x.shape, data }]
    },
    vjp(node, [cotangent], build, wanted) {
      if (!cotangent) return []
      const attributes = scattering.attributes(node)
      const indices = node.inputs[1]
      const kept = () =>
        linearReduction(node) === 'add'
          ? cotangent
          : build.node(node.op, [cotangent, indices, build.zeros(node.typeOf(2))], attributes)
      return [
        wanted[0] ? kept() : undefined,
        undefined,
        wanted[2] ? build.node(scattering.gather, [cotangent, indices], attributes) : undefined,
      ]
    },
    jvp(node, [tangent, , updates], build) {
      if (!tangent && !updates) return []
      const reduction = linearReduction(node)
      const into = tangent ?? build.zeros(node.typeOf(0))
      const scattered = updates ?? build.zeros(node.typeOf(2))
      const attributes = { ...scattering.attributes(node), ...(reduction === 'add' && { reduction }) }
      return [build.node(node.op, [into, node.inputs[1], scattered], attributes)]
    },
  }
}

export const rules: OperatorRules = {
  ScatterElements: scatteringRule({
    gather: 'GatherElements',
    attributes: (node) => ({ axis: node.int('axis', 0) }),
    updatesShape: (node) => node.typeOf(1).shape,
    positions: gatheredElements,
  }),
  ScatterND: scatteringRule({
    gather: 'GatherND',
    attributes: () => ({}),
    updatesShape: (node) => rowsOfIndices(node, node.typeOf(0).shape, node.typeOf(1).shape).shape,
    positions(node, shape, indices) {
      const length = elementCount(rowsOfIndices(node, shape, indices.shape).rowShape)
      const rows = gatheredRows(node, shape, indices)
      return Int32Array.from({ length: rows.length * length }, (_, i) => {
        const j = Math.floor(i / length)
        return rows[j]! * length + (i - j * length)
      })
    },
  }),
}
