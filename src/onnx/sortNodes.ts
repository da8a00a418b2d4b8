/** Nodes in an order in which every value is computed before it is read (Kahn, 1962). */
import { OnnxError } from './graph'
import type { GraphNode } from './graph'
import { describeNode } from './nodeView'

/**
 * @param defined names of inputs and constants
 * @param outputs names that must be defined in the end
 * Errors: OnnxError where a value is defined twice or never, or the graph is cyclic.
 */
export function sortNodes(
  nodes: readonly GraphNode[],
  defined: readonly string[],
  outputs: readonly string[],
): readonly GraphNode[] {
  const producers = new Map<string, number>()
  const given = new Set<string>()
  for (const name of defined) {
    if (given.has(name)) throw twice(name)
    given.add(name)
  }
  for (const [i, node] of nodes.entries()) {
    for (const name of node.outputs) {
      if (name === '') continue
      if (given.has(name) || producers.has(name)) throw twice(name)
      producers.set(name, i)
    }
  }
  for (const name of outputs) {
    if (!given.has(name) && !producers.has(name)) {
      throw new OnnxError(
        `Nothing computes the model's output "${name}". The file is damaged: export it again.`,
      )
    }
  }
  const readers = nodes.map((): number[] => [])
  const waiting = nodes.map((node, i) => {
    const before = new Set<number>()
    for (const name of node.inputs) {
      if (name === '' || given.has(name)) continue
      const producer = producers.get(name)
      if (producer === undefined) {
        throw new OnnxError(
          `nodes[${i}] ${describeNode(node)} reads "${name}", which nothing computes. The file is damaged: export it again.`,
        )
      }
      before.add(producer)
    }
    for (const producer of before) readers[producer]?.push(i)
    return before.size
  })
  // Where a file is sorted, its order stays.
  if (isSorted(nodes, producers)) return nodes
  const order = waiting.flatMap((count, i) => (count === 0 ? [i] : []))
  for (let at = 0; at < order.length; at++) {
    for (const reader of readers[order[at] as number] ?? []) {
      waiting[reader] = (waiting[reader] as number) - 1
      if (waiting[reader] === 0) order.push(reader)
    }
  }
  if (order.length < nodes.length) {
    const stuck = waiting.findIndex((count) => count > 0)
    throw new OnnxError(
      `The graph is cyclic: nodes[${stuck}] ${describeNode(nodes[stuck] as GraphNode)} needs its own result. ` +
        'The file is damaged: export it again.',
    )
  }
  return order.map((i) => nodes[i] as GraphNode)
}

function isSorted(nodes: readonly GraphNode[], producers: ReadonlyMap<string, number>): boolean {
  return nodes.every((node, i) => node.inputs.every((name) => (producers.get(name) ?? -1) < i))
}

function twice(name: string): OnnxError {
  return new OnnxError(`The value "${name}" is defined twice. The file is damaged: export the model again.`)
}
