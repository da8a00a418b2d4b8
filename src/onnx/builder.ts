/** Writes nodes into a draft, and hides how versions of the standard differ; see Builder in src/onnx/rule.ts. */
import type { GraphDraft } from './draft'
import type { Attribute, ElementType, ValueType } from './graph'
import { ELEMENT_TYPE_CODES } from './elementTypes'
import type { AttributeValues, Builder } from './rule'
import { elementCount, encodeTensor, sameShape } from './tensor'

/** The end of an axis, whatever its length. */
const TO_THE_END = 2 ** 63

export function createBuilder(draft: GraphDraft): Builder {
  const { opset } = draft

  function nodes(
    op: string,
    inputs: readonly (string | undefined)[],
    outputs: number,
    attributes: AttributeValues = {},
  ) {
    return draft.emit({ op, inputs, outputs, attributes: encodeAttributes(attributes) })
  }
  const node = (op: string, inputs: readonly (string | undefined)[], attributes?: AttributeValues) =>
    nodes(op, inputs, 1, attributes)[0] as string
  const constant = (type: ElementType, shape: readonly number[], values: ArrayLike<number>) =>
    draft.addConstant(encodeTensor({ type, shape, data: Float64Array.from(values) }))
  const integers = (values: readonly number[]) => constant('int64', [values.length], values)
  const typeOf = (name: string) => draft.typeOf(name)
  const shapeOf = (name: string) => draft.typeOf(name).shape

  const add = (a: string, b: string) => node('Add', [a, b])
  const reshape = (a: string, shape: readonly number[]) =>
    sameShape(shapeOf(a), shape)
      ? a
      : node('Reshape', [a, integers(shape)], shape.includes(0) ? { allowzero: 1 } : {})

  function reduce(op: 'ReduceSum' | 'ReduceMean', a: string, axes: readonly number[], keepDims: boolean) {
    if (axes.length === 0) return a
    const keepdims = keepDims ? 1 : 0
    const since = op === 'ReduceSum' ? 13 : 18
    return opset >= since ? node(op, [a, integers(axes)], { keepdims }) : node(op, [a], { axes, keepdims })
  }

  function sumTo(a: string, shape: readonly number[]): string {
    const from = shapeOf(a)
    if (sameShape(from, shape)) return a
    const extra = from.length - shape.length
    const axes = Array.from(from.keys()).filter((i) => i < extra || (shape[i - extra] === 1 && from[i] !== 1))
    return reshape(reduce('ReduceSum', a, axes, true), shape)
  }

  return {
    opset,
    typeOf,
    constantOf: (name) => draft.constantOf(name),
    node,
    nodes,
    constant,
    integers,
    scalar: (value, like) => constant(typeOf(like).type, [], [value]),
    add,
    sub: (a, b) => node('Sub', [a, b]),
    mul: (a, b) => node('Mul', [a, b]),
    div: (a, b) => node('Div', [a, b]),
    neg: (a) => node('Neg', [a]),
    sum: (a, b) => (a && b ? add(a, b) : (a ?? b)),
    reshape,
    transpose: (a, permutation) =>
      permutation.every((axis, i) => axis === i) ? a : node('Transpose', [a], { perm: permutation }),
    expand: (a, shape) => (sameShape(shapeOf(a), shape) ? a : node('Expand', [a, integers(shape)])),
    sumTo,
    reduceSum: (a, axes, keepDims) => reduce('ReduceSum', a, axes, keepDims),
    reduceMean: (a, axes, keepDims) => reduce('ReduceMean', a, axes, keepDims),
    slice(a, starts, ends, axes, steps = starts.map(() => 1)) {
      // Backwards to the beginning ends "before 0", which is written as the most negative number.
      const last = ends.map((end, i) =>
        end === Infinity ? TO_THE_END : (steps[i] as number) < 0 && end < 0 ? -TO_THE_END : end,
      )
      return node('Slice', [a, integers(starts), integers(last), integers(axes), integers(steps)])
    },
    pad: (a, before, after) =>
      [...before, ...after].every((size) => size === 0)
        ? a
        : node('Pad', [a, integers([...before, ...after])]),
    concat: (parts, axis) => (parts.length === 1 ? (parts[0] as string) : node('Concat', parts, { axis })),
    cast: (a, type) => (typeOf(a).type === type ? a : node('Cast', [a], { to: ELEMENT_TYPE_CODES[type] })),
    zeros(type: ValueType) {
      if (elementCount(type.shape) <= 16) {
        return constant(type.type, type.shape, new Float64Array(elementCount(type.shape)))
      }
      const value = encodeTensor({ type: type.type, shape: [1], data: new Float64Array(1) })
      return node('ConstantOfShape', [integers(type.shape)], { value: { tensor: value } })
    },
  }
}

/** Attributes as rules and tests write them. */
export function encodeAttributes(values: AttributeValues): Record<string, Attribute> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, encodeAttribute(value)]))
}

function encodeAttribute(value: AttributeValues[string]): Attribute {
  if (typeof value === 'number') {
    return Number.isInteger(value) ? { kind: 'int', value } : { kind: 'float', value }
  }
  if (typeof value === 'string') return { kind: 'string', value }
  if ('float' in value) return { kind: 'float', value: value.float }
  if ('floats' in value) return { kind: 'floats', value: value.floats }
  if ('tensor' in value) return { kind: 'tensor', value: value.tensor }
  if (value.length > 0 && value.every((item) => typeof item === 'string')) {
    return { kind: 'strings', value: value }
  }
  const numbers = value as readonly number[]
  return numbers.every((item) => Number.isInteger(item))
    ? { kind: 'ints', value: numbers }
    : { kind: 'floats', value: numbers }
}
