/**
 * An integer input that is only ever cast to floating point, as a float32 input.
 *
 * WebGPU has no 64-bit integers: with an int64 timestep, ONNX Runtime computes the beginning of the network on the CPU. On
 * the way to the casts the numbers may be reshaped; anything else (an index into a table, arithmetic) keeps the input.
 */
import { isFloatCode } from './elementTypes'
import type { Graph, GraphNode } from './graph'
import { isFloat } from './tensor'

/** They do nothing to the numbers of their first input. */
const CARRIERS = new Set([
  'Unsqueeze',
  'Squeeze',
  'Reshape',
  'Expand',
  'Identity',
  'Flatten',
  'Transpose',
  'Tile',
])

/** The graph itself where the input is none, is floating-point, or is needed as an integer. */
export function withFloatInput(graph: Graph, name: string): Graph {
  const port = graph.inputs.find((each) => each.name === name)
  if (!port || isFloat(port.type) || port.type === 'bool') return graph
  const carried = new Set([name])
  for (const node of graph.nodes) {
    if (!node.inputs.some((input) => carried.has(input))) continue
    const first = carried.has(node.inputs[0]!) && !node.inputs.slice(1).some((input) => carried.has(input))
    if (first && castsToFloat(node)) continue
    if (!first || !CARRIERS.has(node.op)) return graph
    for (const output of node.outputs) carried.add(output)
  }
  if (graph.outputs.some((output) => carried.has(output.name))) return graph
  const inputs = graph.inputs.map((each) => (each === port ? { ...port, type: 'float32' as const } : each))
  return { ...graph, inputs }
}

function castsToFloat({ op, attributes }: GraphNode): boolean {
  const to = attributes['to']
  return op === 'Cast' && to?.kind === 'int' && isFloatCode(to.value)
}
