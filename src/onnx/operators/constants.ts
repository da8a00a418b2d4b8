/** Operators whose value is known before running; and random ones, which a denoiser cannot have. */
import type { GraphTensor, Values, ValueType } from '../graph'
import type { NodeView, OperatorRule, OperatorRules } from '../rule'
import { decodeTensor, elementCount } from '../tensor'

/** The value of a Constant node, from whichever attribute holds it. */
function constantValue(node: NodeView): Values {
  const tensor = node.tensor('value')
  if (tensor) return decodeTensor(tensor)
  const scalar = (type: 'float32' | 'int64', value: number): Values => ({
    type,
    shape: [],
    data: Float64Array.of(value),
  })
  if (node.has('value_float')) return scalar('float32', node.float('value_float'))
  if (node.has('value_int')) return scalar('int64', node.int('value_int'))
  const list = node.attributes.value_floats ?? node.attributes.value_ints
  if (list?.kind === 'floats' || list?.kind === 'ints') {
    const type = node.has('value_floats') ? 'float32' : 'int64'
    return { type, shape: [list.value.length], data: Float64Array.from(list.value) }
  }
  const kinds = Object.keys(node.attributes).join(', ') || 'none'
  throw node.error(`it holds no tensor or numbers (attributes: ${kinds}). Export the model without strings.`)
}

/** The tensor that a Constant node holds whole, however large. */
export function constantTensor(node: NodeView): GraphTensor | undefined {
  return node.op === 'Constant' ? node.tensor('value') : undefined
}

function constantType(node: NodeView): ValueType {
  const { type, shape } = node.tensor('value') ?? constantValue(node)
  return { type, shape }
}

const filled: OperatorRule = {
  derivative: 'none',
  infer(node) {
    const value = node.tensor('value')
    return [{ type: value?.type ?? 'float32', shape: [...node.integers(0)] }]
  },
  evaluate(node) {
    const value = node.tensor('value')
    const shape = [...node.integers(0)]
    const fill = value ? (decodeTensor(value).data[0] ?? 0) : 0
    return [{ type: value?.type ?? 'float32', shape, data: new Float64Array(elementCount(shape)).fill(fill) }]
  },
}

function rangeOf(node: NodeView): { readonly start: number; readonly step: number; readonly count: number } {
  const [start, limit, step] = [0, 1, 2].map((i) => node.integers(i)[0] ?? NaN) as [number, number, number]
  const count = Math.max(0, Math.ceil((limit - start) / step))
  if (!Number.isFinite(count))
    throw node.error(`it counts from ${start} to ${limit} in steps of ${step}, which never ends.`)
  return { start, step, count }
}

const range: OperatorRule = {
  derivative: 'none',
  infer: (node) => [{ type: node.typeOf(0).type, shape: [rangeOf(node).count] }],
  evaluate(node) {
    const { start, step, count } = rangeOf(node)
    const data = Float64Array.from({ length: count }, (_, i) => start + i * step)
    return [{ type: node.typeOf(0).type, shape: [count], data }]
  },
}

const random: OperatorRule = {
  infer(node) {
    throw node.error(
      'it draws random numbers, but a denoiser must give the same output for the same input. ' +
        'Export the denoiser alone, in evaluation mode.',
    )
  },
}

export const rules: OperatorRules = {
  Constant: {
    derivative: 'none',
    infer: (node) => [constantType(node)],
    evaluate: (node) => [constantValue(node)],
  },
  ConstantOfShape: filled,
  Range: range,
  RandomNormal: random,
  RandomNormalLike: random,
  RandomUniform: random,
  RandomUniformLike: random,
  Bernoulli: random,
  Multinomial: random,
}
