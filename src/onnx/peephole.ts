/**
 * Algebra on a node about to be written, so that derivative graphs stay small.
 *
 * Beside the usual identities (x + 0, 1 · x, reshapes of reshapes): with c linear in a cotangent or tangent and p, q not,
 *
 *     (c ∘ p) ∘ q = c ∘ (p ∘ q),    c ∘ p + c ∘ q = c ∘ (p + q),    -(c ∘ p) = c ∘ (-p),    (c ∘ p) / q = c ∘ (p / q).
 *
 * The right sides compute p ∘ q once per x in the forward model, so that an activation costs one product per VJP. Without c,
 * a ∘ (p ∘ q) = (a ∘ p) ∘ q where a ∘ p is needed anyway.
 */
import type { GraphDraft, NewNode } from './draft'
import type { GraphNode, ValueType } from './graph'
import type { NodeView } from './rule'
import { encodeTensor, sameShape } from './tensor'

const BROADCASTING = new Set(['Add', 'Sub', 'Mul', 'Div'])

/** Another value that equals the node's only output, or undefined. */
export function simplified(
  draft: GraphDraft,
  node: GraphNode,
  view: NodeView,
  type: ValueType,
): string | undefined {
  if (node.domain !== '') return undefined
  const shorter = BROADCASTING.has(node.op) ? unexpanded(draft, node, type) : undefined
  if (shorter) return shorter
  const pattern = patterns[node.op]
  return pattern && Object.hasOwn(patterns, node.op) ? pattern(draft, node, view, type) : undefined
}

type Pattern = (draft: GraphDraft, node: GraphNode, view: NodeView, type: ValueType) => string | undefined

const patterns: Readonly<Record<string, Pattern>> = {
  Identity: (_draft, node) => input(node, 0),
  Cast: sameType,
  Expand: sameType,
  Reshape: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Flatten: reshaped,
  Transpose: transposed,
  Concat: (_draft, node) => (node.inputs.length === 1 ? input(node, 0) : undefined),
  Slice(draft, node, view, type) {
    const steps = node.inputs[4] ? view.constant(4) : undefined
    const forwards = !node.inputs[4] || (steps?.data.every((step) => step > 0) ?? false)
    // A forward slice as large as its input is its input.
    return forwards ? sameType(draft, node, view, type) : undefined
  },
  Neg(draft, node) {
    const a = input(node, 0)
    const inner = draft.producerOf(a)
    if (inner?.op === 'Neg') return input(inner, 0)
    const product = linearProduct(draft, a)
    return product && multiply(draft, product.linear, one(draft, 'Neg', [product.factor]))
  },
  Add: (draft, node, _view, type) =>
    withoutNeutral(draft, node, type, 0, [0, 1]) ?? collected(draft, 'Add', node, type),
  Sub: (draft, node, _view, type) =>
    withoutNeutral(draft, node, type, 0, [1]) ?? collected(draft, 'Sub', node, type),
  Mul: (draft, node, _view, type) =>
    withoutNeutral(draft, node, type, 1, [0, 1]) ??
    reassociated(draft, 'Mul', input(node, 0), input(node, 1), type) ??
    reassociated(draft, 'Mul', input(node, 1), input(node, 0), type) ??
    shared(draft, input(node, 0), input(node, 1)) ??
    shared(draft, input(node, 1), input(node, 0)),
  Div: (draft, node, _view, type) =>
    withoutNeutral(draft, node, type, 1, [1]) ??
    reassociated(draft, 'Div', input(node, 0), input(node, 1), type),
}

/** An operator that broadcasts needs no Expand before it, where the other input has the whole shape. */
function unexpanded(draft: GraphDraft, node: GraphNode, type: ValueType): string | undefined {
  for (const place of [0, 1]) {
    const inner = draft.producerOf(input(node, place))
    const other = input(node, 1 - place)
    if (inner?.op !== 'Expand' || !sameShape(draft.typeOf(other).shape, type.shape)) continue
    const source = input(inner, 0)
    return one(draft, node.op, place === 0 ? [source, other] : [other, source])
  }
  return undefined
}

function input(node: GraphNode, index: number): string {
  return node.inputs[index] as string
}

function one(draft: GraphDraft, op: string, inputs: readonly string[], extra?: Partial<NewNode>): string {
  return draft.emit({ op, inputs, outputs: 1, attributes: {}, ...extra })[0] as string
}

function multiply(draft: GraphDraft, a: string, b: string): string {
  return one(draft, 'Mul', [a, b])
}

/** Input 0, where the node changes neither shape nor type. */
function sameType(draft: GraphDraft, node: GraphNode, _view: NodeView, type: ValueType): string | undefined {
  const from = draft.typeOf(input(node, 0))
  return from.type === type.type && sameShape(from.shape, type.shape) ? input(node, 0) : undefined
}

/** Every change of shape becomes one Reshape of the value where the last ones began. */
function reshaped(draft: GraphDraft, node: GraphNode, view: NodeView, type: ValueType): string | undefined {
  const same = sameType(draft, node, view, type)
  if (same) return same
  const inner = draft.producerOf(input(node, 0))
  const source = inner?.op === 'Reshape' ? input(inner, 0) : input(node, 0)
  if (node.op === 'Reshape' && source === input(node, 0)) return undefined
  return reshape(draft, source, type.shape)
}

function reshape(draft: GraphDraft, source: string, shape: readonly number[]): string | undefined {
  // A 0 in the target means "as in the input".
  if (shape.includes(0)) return undefined
  const target = draft.addConstant(
    encodeTensor({ type: 'int64', shape: [shape.length], data: Float64Array.from(shape) }),
  )
  return one(draft, 'Reshape', [source, target])
}

function transposed(draft: GraphDraft, node: GraphNode, view: NodeView, type: ValueType): string | undefined {
  const source = input(node, 0)
  const { shape } = draft.typeOf(source)
  const permutation = view.ints('perm', Array.from(shape.keys()).toReversed())
  const inner = draft.producerOf(source)
  if (inner?.op === 'Transpose' && inner.attributes.perm?.kind === 'ints') {
    const first = inner.attributes.perm.value
    const both = permutation.map((axis) => first[axis] as number)
    return one(draft, 'Transpose', [input(inner, 0)], { attributes: { perm: { kind: 'ints', value: both } } })
  }
  // Moving axes of length 1 moves no number.
  const long = permutation.filter((axis) => shape[axis] !== 1)
  if (!long.every((axis, i) => i === 0 || axis > (long[i - 1] as number))) return undefined
  return sameShape(shape, type.shape) ? source : reshape(draft, source, type.shape)
}

/** a where b is the neutral element of a ∘ b and does not enlarge it. */
function withoutNeutral(
  draft: GraphDraft,
  node: GraphNode,
  type: ValueType,
  neutral: number,
  places: readonly number[],
): string | undefined {
  for (const place of places) {
    const other = input(node, 1 - place)
    if (!sameShape(draft.typeOf(other).shape, type.shape)) continue
    if (draft.uniformValueOf(input(node, place)) === neutral) return other
  }
  return undefined
}

interface LinearProduct {
  readonly linear: string
  readonly factor: string
}

function linearProduct(draft: GraphDraft, name: string): LinearProduct | undefined {
  const node = draft.producerOf(name)
  if (node?.op !== 'Mul') return undefined
  const [a, b] = [input(node, 0), input(node, 1)]
  // Where the linear part is broadcast, its product is the larger value.
  const fits = (linear: string) => sameShape(draft.typeOf(linear).shape, draft.typeOf(name).shape)
  if (draft.isLinear(a) && !draft.isLinear(b) && fits(a)) return { linear: a, factor: b }
  if (draft.isLinear(b) && !draft.isLinear(a) && fits(b)) return { linear: b, factor: a }
  return undefined
}

/** c of c ∘ p; the value itself where it is no such product. */
export function linearPart(draft: GraphDraft, name: string): string {
  return linearProduct(draft, name)?.linear ?? name
}

/** (c ∘ p) ∘ q = c ∘ (p ∘ q); op is Mul or Div. */
function reassociated(
  draft: GraphDraft,
  op: string,
  a: string,
  q: string,
  type: ValueType,
): string | undefined {
  if (draft.isLinear(q)) return undefined
  const product = linearProduct(draft, a)
  if (!product || !sameShape(draft.typeOf(product.linear).shape, type.shape)) return undefined
  return multiply(draft, product.linear, one(draft, op, [product.factor, q]))
}

/** a ∘ (p ∘ q) = (a ∘ p) ∘ q where a ∘ p was there before p ∘ q: SiLU's slope then uses SiLU itself. */
function shared(draft: GraphDraft, a: string, product: string): string | undefined {
  const inner = draft.producerOf(product)
  if (inner?.op !== 'Mul' || [a, product].some((name) => draft.isLinear(name))) return undefined
  for (const place of [0, 1]) {
    const known = draft.written('Mul', [a, input(inner, place)])
    const before = known && draft.nodes.indexOf(draft.producerOf(known)!) < draft.nodes.indexOf(inner)
    if (before) return multiply(draft, known, input(inner, 1 - place))
  }
  return undefined
}

/** c ∘ p ± c ∘ q = c ∘ (p ± q), where p or q may be missing. */
function collected(draft: GraphDraft, op: string, node: GraphNode, type: ValueType): string | undefined {
  const [a, b] = [input(node, 0), input(node, 1)]
  if (!draft.isLinear(a) || !draft.isLinear(b)) return undefined
  const unit = (name: string): LinearProduct => ({ linear: name, factor: '' })
  for (const first of [linearProduct(draft, a), unit(a)]) {
    for (const second of [linearProduct(draft, b), unit(b)]) {
      if (!first || !second || first.linear !== second.linear) continue
      if (!sameShape(draft.typeOf(first.linear).shape, type.shape)) continue
      const factors = [first.factor, second.factor].map((factor) =>
        factor === ''
          ? draft.addConstant(encodeTensor({ type: type.type, shape: [], data: Float64Array.of(1) }))
          : factor,
      )
      return multiply(draft, first.linear, one(draft, op, factors))
    }
  }
  return undefined
}
