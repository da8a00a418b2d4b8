/**
 * A graph evaluated in float64 by the operators' references: what every derivative is tested against.
 *
 * Floating-point numbers are not rounded to their type on the way.
 */
import { OnnxError } from './graph'
import type { Graph, Values, ValueType } from './graph'
import { inferNode } from './infer'
import { describeNode, viewNode } from './nodeView'
import { ruleOf } from './registry'
import { decodeTensor } from './tensor'

/** Values of everything in the graph, by name. Errors: OnnxError where an input is missing or an operator has no value. */
export function interpret(
  graph: Graph,
  inputs: Readonly<Record<string, Values>>,
): ReadonlyMap<string, Values> {
  const values = new Map<string, Values>()
  for (const [name, tensor] of graph.initializers) values.set(name, decodeTensor(tensor))
  for (const { name } of graph.inputs) {
    const value = inputs[name]
    if (value) values.set(name, value)
    else if (!values.has(name)) throw new OnnxError(`The graph needs a value of its input "${name}".`)
  }
  for (const node of graph.nodes) {
    let types: readonly ValueType[] | undefined
    const view = viewNode(node, {
      opset: graph.opset,
      typeOf: (name) => values.get(name),
      constantOf: (name) => values.get(name),
      outputTypes: () => (types ??= inferNode(node, view)),
    })
    const evaluate = ruleOf(node)?.evaluate
    if (!evaluate) throw new OnnxError(`${describeNode(node)} has no reference to evaluate.`)
    const known = node.inputs.map((name) => (name === '' ? undefined : values.get(name)))
    const outputs = evaluate(view, known)
    for (const [i, name] of node.outputs.entries()) {
      const value = outputs[i]
      if (name !== '' && value) values.set(name, value)
    }
  }
  return values
}
