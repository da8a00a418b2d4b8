/**
 * Reverse and forward mode on a draft: nodes for x̄ = Jᵀ ȳ and ẏ = J ẋ, written behind the nodes of the function.
 *
 * Only nodes between the inputs and the outputs take part; values that are not floating-point cut the way.
 */
import { createBuilder } from './builder'
import type { GraphDraft } from './draft'
import { OnnxError } from './graph'
import type { GraphNode } from './graph'
import { attempt } from './infer'
import { describeNode } from './nodeView'
import { linearPart } from './peephole'
import { ruleOf } from './registry'
import type { Builder, OperatorRule } from './rule'
import { isFloat } from './tensor'

/** Nodes whose outputs depend on `inputs` and reach `outputs` through differentiable values, and the values between. */
interface ActivePart {
  readonly nodes: readonly GraphNode[]
  readonly values: ReadonlySet<string>
}

function activePart(
  draft: GraphDraft,
  nodes: readonly GraphNode[],
  inputs: Iterable<string>,
  outputs: Iterable<string>,
): ActivePart {
  const differentiable = (name: string) => name !== '' && isFloat(draft.typeOf(name).type)
  const dependent = new Set(inputs)
  const passing = nodes.filter((node) => {
    if (ruleOf(node)?.derivative === 'none' || !node.inputs.some((name) => dependent.has(name))) return false
    const results = node.outputs.filter(differentiable)
    for (const name of results) dependent.add(name)
    return results.length > 0
  })
  const reaching = new Set(outputs)
  const between: GraphNode[] = []
  for (const node of passing.toReversed()) {
    if (!node.outputs.some((name) => reaching.has(name))) continue
    between.push(node)
    for (const name of node.inputs) if (differentiable(name)) reaching.add(name)
  }
  return {
    nodes: between.toReversed(),
    values: new Set([...dependent].filter((name) => reaching.has(name))),
  }
}

function functionNodes(draft: GraphDraft, values?: ReadonlySet<string>): readonly GraphNode[] {
  return values
    ? draft.nodes.filter((node) => node.outputs.some((name) => values.has(name)))
    : [...draft.nodes]
}

/** Errors: OnnxError that names every node of the part without the rule. */
function checkRules(nodes: readonly GraphNode[], all: readonly GraphNode[], mode: 'vjp' | 'jvp'): void {
  const first = new Map<string, GraphNode>()
  for (const node of nodes) if (!ruleOf(node)?.[mode] && !first.has(node.op)) first.set(node.op, node)
  if (first.size === 0) return
  const named = [...first.values()].map((node) => `nodes[${all.indexOf(node)}] ${describeNode(node)}`)
  throw new OnnxError(
    `No derivative is known of ${named.join(', ')}, on the way from the noisy input to the output. ` +
      'Export the model without this operator, or add its rule in src/onnx/operators.',
  )
}

/**
 * Cotangents of `inputs` from those of some outputs. undefined: no dependence.
 * @param cotangents value → name of its cotangent
 * @param values outputs of the function's nodes, where the draft holds others too
 */
export function reverse(
  draft: GraphDraft,
  inputs: readonly string[],
  cotangents: ReadonlyMap<string, string>,
  values?: ReadonlySet<string>,
): readonly (string | undefined)[] {
  const nodes = functionNodes(draft, values)
  const active = activePart(draft, nodes, inputs, cotangents.keys())
  checkRules(active.nodes, nodes, 'vjp')
  const build = createBuilder(draft)
  const adjoints = new Adjoints(draft, build)
  for (const [name, cotangent] of cotangents) adjoints.add(name, cotangent)
  for (const node of active.nodes.toReversed()) {
    const outer = node.outputs.map((name) => adjoints.total(name))
    if (outer.every((name) => name === undefined)) continue
    const wanted = node.inputs.map((name) => active.values.has(name))
    const view = draft.viewOf(node)
    const { vjp } = ruleOf(node) as Required<OperatorRule>
    const results = attempt(view, () => vjp(view, outer, build, wanted))
    for (const [i, name] of node.inputs.entries()) {
      const result = wanted[i] ? results[i] : undefined
      if (!result) continue
      checkShape(draft, node, name, result)
      adjoints.add(name, result)
    }
  }
  return inputs.map((name) => (active.values.has(name) ? adjoints.total(name) : undefined))
}

/** Sums of what readers of a value contribute to its cotangent; c ∘ p and c ∘ q meet, so that they become c ∘ (p + q). */
class Adjoints {
  /** Contributions to each value, by their linear part. */
  readonly #parts = new Map<string, Map<string, string>>()

  constructor(
    readonly draft: GraphDraft,
    readonly build: Builder,
  ) {}

  add(name: string, part: string): void {
    const parts = this.#parts.get(name) ?? new Map<string, string>()
    this.#parts.set(name, parts)
    const linear = linearPart(this.draft, part)
    const like = parts.get(linear)
    if (like === undefined) {
      parts.set(linear, part)
      return
    }
    // a sum that could not be collected is a linear part of its own
    parts.delete(linear)
    this.add(name, this.build.add(like, part))
  }

  total(name: string): string | undefined {
    const parts = this.#parts.get(name)
    if (!parts) return undefined
    const sum = [...parts.values()].reduce((a, b) => this.build.add(a, b))
    this.#parts.set(name, new Map([[linearPart(this.draft, sum), sum]]))
    return sum
  }
}

/**
 * Tangents of `outputs` from those of some inputs. undefined: no dependence.
 * @param tangents value → name of its tangent
 * @param values outputs of the function's nodes, where the draft holds others too
 */
export function forward(
  draft: GraphDraft,
  outputs: readonly string[],
  tangents: ReadonlyMap<string, string>,
  values?: ReadonlySet<string>,
): readonly (string | undefined)[] {
  const nodes = functionNodes(draft, values)
  const active = activePart(draft, nodes, tangents.keys(), outputs)
  checkRules(active.nodes, nodes, 'jvp')
  const build = createBuilder(draft)
  const known = new Map(tangents)
  for (const node of active.nodes) {
    const inner = node.inputs.map((name) => known.get(name))
    if (inner.every((name) => name === undefined)) continue
    const view = draft.viewOf(node)
    const { jvp } = ruleOf(node) as Required<OperatorRule>
    const results = attempt(view, () => jvp(view, inner, build))
    for (const [i, name] of node.outputs.entries()) {
      const result = results[i]
      if (name === '' || !result) continue
      checkShape(draft, node, name, result)
      known.set(name, result)
    }
  }
  return outputs.map((name) => known.get(name))
}

/** A rule that forgets to undo a broadcast is found here, not in wrong numbers. */
function checkShape(draft: GraphDraft, node: GraphNode, name: string, derivative: string): void {
  const [expected, found] = [draft.typeOf(name), draft.typeOf(derivative)]
  if (expected.type === found.type && expected.shape.join() === found.shape.join()) return
  throw new OnnxError(
    `The rule of ${describeNode(node)} gives a derivative of type ${found.type} [${found.shape.join(', ')}] for ` +
      `"${name}", which is ${expected.type} [${expected.shape.join(', ')}]. This is an error of this program: report it.`,
  )
}
