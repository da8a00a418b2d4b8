/** Multiplications and additions of a graph, counted from its convolutions and matrix products. */
import type { GraphNode, ValueType } from './graph'
import type { TypedGraph } from './simplify'
import { elementCount } from './tensor'

/** Floating-point operations of one pass; what is done element by element is left out. */
export function countFlops({ graph, types }: TypedGraph): number {
  const typeOf = (name: string | undefined) => types.get(name ?? '')
  return graph.nodes.reduce((sum, node) => sum + 2 * products(node, typeOf), 0)
}

function products(node: GraphNode, typeOf: (name: string | undefined) => ValueType | undefined): number {
  const [a, b, out] = [node.inputs[0], node.inputs[1], node.outputs[0]].map((name) => typeOf(name)?.shape)
  if (!a || !b || !out) return 0
  switch (node.op) {
    case 'Conv':
      // Every output is a sum over [channels of the group, ...kernel].
      return elementCount(out) * elementCount(b.slice(1))
    case 'ConvTranspose':
      return elementCount(a) * elementCount(b.slice(1))
    case 'MatMul':
      return elementCount(out) * (a.at(-1) ?? 1)
    case 'Gemm':
      return elementCount(out) * (a[node.attributes.transA?.value === 1 ? 0 : 1] ?? 1)
    default:
      return 0
  }
}
