/** The graph that a draft became: only what its outputs need. */
import type { GraphDraft } from './draft'
import type { Graph, GraphNode, GraphPort, ValueType } from './graph'

/** A value of a draft under the name that it shall have. */
export interface NamedValue {
  readonly name: string
  readonly value: string
}

/**
 * An output has the name that is asked for: its value is renamed, or handed on by an Identity where it is an input or a
 * constant, or an output under another name too.
 * @param inputs what the graph takes; nodes before them are left out
 */
export function finishGraph(
  draft: GraphDraft,
  name: string,
  outputs: readonly NamedValue[],
  inputs: readonly GraphPort[],
): Graph {
  const given = new Set(inputs.map((port) => port.name))
  const needed = new Set(outputs.map(({ value }) => value))
  const nodes = neededNodes(draft, needed, given)
  const renamed = new Map<string, string>()
  const shown = new Map<string, number>()
  for (const { value } of outputs) shown.set(value, (shown.get(value) ?? 0) + 1)
  for (const output of outputs) {
    const computed = draft.producerOf(output.value) !== undefined && !given.has(output.value)
    if (computed && shown.get(output.value) === 1) renamed.set(output.value, output.name)
    else nodes.push(identity(output.value, output.name))
  }
  return {
    name,
    opset: draft.opset,
    inputs,
    outputs: outputs.map((output) => draft.portOf(output.value, output.name)),
    initializers: new Map(
      [...draft.initializers].filter(([constant]) => needed.has(constant) && !given.has(constant)),
    ),
    nodes: nodes.map((node) => renamedNode(node, (value) => renamed.get(value) ?? value)),
  }
}

/** Nodes that `needed` values depend on, up to the given ones; adds to `needed` what the nodes read. */
function neededNodes(draft: GraphDraft, needed: Set<string>, given: ReadonlySet<string>): GraphNode[] {
  const nodes: GraphNode[] = []
  for (const node of draft.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output) && !given.has(output))) continue
    nodes.push({ ...node, outputs: node.outputs.map((output) => (given.has(output) ? '' : output)) })
    for (const input of node.inputs) if (input !== '') needed.add(input)
  }
  return nodes.toReversed()
}

/** Types of all values of a graph that this draft finished. */
export function typesIn(draft: GraphDraft, graph: Graph): ReadonlyMap<string, ValueType> {
  const shown = new Map(
    graph.outputs.map(({ name, type, shape }) => [name, { type, shape: shape.map(Number) }]),
  )
  const names = [
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]
  const typed = names.filter((name) => name !== '')
  return new Map(typed.map((name) => [name, shown.get(name) ?? draft.typeOf(name)] as const))
}

/** A node that reads and writes values of other names. */
export function renamedNode(node: GraphNode, rename: (name: string) => string): GraphNode {
  return { ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) }
}

function identity(from: string, to: string): GraphNode {
  return { op: 'Identity', domain: '', name: `output ${to}`, inputs: [from], outputs: [to], attributes: {} }
}
