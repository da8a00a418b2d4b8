/** Types of a node's outputs, by its operator's rule; and what of a graph has no rule. */
import { OnnxError } from './graph'
import type { Graph, GraphNode, ValueType } from './graph'
import { describeNode } from './nodeView'
import { ruleOf } from './registry'
import type { NodeView } from './rule'
import { elementCount } from './tensor'

/** No value may have more elements: 8 GiB of float32. */
const LARGEST_VALUE = 2 ** 31
const HIGHEST_RANK = 32

/** Errors: OnnxError where the operator is not known, or its inputs do not fit it or each other. */
export function inferNode(node: GraphNode, view: NodeView): readonly ValueType[] {
  const rule = ruleOf(node)
  if (!rule) throw new OnnxError(unsupportedMessage([node]))
  const types = attempt(view, () => rule.infer(view))
  for (const { shape } of types) {
    const valid = shape.every((size) => Number.isSafeInteger(size) && size >= 0)
    if (!valid || shape.length > HIGHEST_RANK) {
      throw view.error(`its output would have the shape [${shape.join(', ')}], which is not possible.`)
    }
    if (elementCount(shape) > LARGEST_VALUE) {
      throw view.error(
        `its output [${shape.join(', ')}] would have ${elementCount(shape)} elements, more than ${LARGEST_VALUE}. ` +
          'Use a smaller image or batch, or another model.',
      )
    }
  }
  return types
}

/** A rule that stumbles over inputs that make no sense says so about its node. */
export function attempt<T>(view: NodeView, compute: () => T): T {
  try {
    return compute()
  } catch (error) {
    if (error instanceof OnnxError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw view.error(`its inputs or attributes do not fit this operator (${reason}). Export the model again.`)
  }
}

/** Operators of a graph that the program does not know, each with the first node that uses it. */
export function unsupportedOperators(graph: Graph): readonly GraphNode[] {
  const first = new Map<string, GraphNode>()
  for (const node of graph.nodes) {
    const key = `${node.domain}:${node.op}`
    if (!ruleOf(node) && !first.has(key)) first.set(key, node)
  }
  return [...first.values()]
}

export function unsupportedMessage(nodes: readonly GraphNode[]): string {
  const named = nodes.map(
    (node) => `${describeNode(node)}${node.domain === '' ? '' : ` of domain "${node.domain}"`}`,
  )
  return (
    `The model uses ${nodes.length === 1 ? 'an operator' : 'operators'} that this program does not know: ` +
    `${named.join(', ')}. Export it with standard ONNX operators (torch.onnx.export with opset 13 to 23, ` +
    'without fusing), or add a rule in src/onnx/operators.'
  )
}
