/**
 * Residuals with channels last, for a provider that computes so (WebGPU).
 *
 * Inside a session it moves the transposes between both orders to where they cancel, but what enters or leaves one is
 * [batch, channels, height, width]: each image would be transposed once when it is kept and once in every product with J.
 * Here both graphs say that it is [batch, height, width, channels], with a Transpose that cancels the provider's.
 */
import type { SplitModel } from './differentiate'
import { renamedNode } from './finish'
import type { Graph, GraphNode, GraphPort, ValueType } from './graph'
import { uniqueNames } from './names'

const LAST = [0, 2, 3, 1] as const
const FIRST = [0, 3, 1, 2] as const

/**
 * The same models, but that residuals which are images have their channels last. Not where masks are among them: what is moved
 * to them would be a transpose of booleans, which WebGPU leaves to the CPU.
 */
export function withChannelsLast(split: SplitModel): SplitModel {
  const { forward, vjp, jvp, residuals } = split
  if (residuals.some(({ type }) => type.type !== 'float32')) return split
  const moved = new Set(residuals.filter(({ type }) => isImage(type)).map(({ name }) => name))
  return {
    forward: withPorts(forward, moved, 'outputs'),
    ...(vjp && { vjp: withPorts(vjp, moved, 'inputs') }),
    ...(jvp && { jvp: withPorts(jvp, moved, 'inputs') }),
    residuals: residuals.map(({ name, type }) => ({
      name,
      type: moved.has(name) ? { type: type.type, shape: permuted(type.shape) } : type,
    })),
  }
}

/** Neither of its orders is the other. */
function isImage({ shape }: ValueType): boolean {
  const [, channels = 1, height = 1, width = 1] = shape
  return shape.length === 4 && channels > 1 && height * width > 1
}

function withPorts(graph: Graph, moved: ReadonlySet<string>, side: 'inputs' | 'outputs'): Graph {
  const ports = graph[side].filter(({ name }) => moved.has(name))
  const unique = uniqueNames(graph)
  const names = new Map(ports.map(({ name }) => [name, unique(`${name} channels first`)]))
  const inner = (name: string) => names.get(name) ?? name
  const transposes = ports.map(({ name }) =>
    side === 'inputs' ? transpose(name, inner(name), FIRST) : transpose(inner(name), name, LAST),
  )
  const nodes = graph.nodes.map((node) => renamedNode(node, inner))
  return {
    ...graph,
    [side]: graph[side].map((port) => (names.has(port.name) ? lastPort(port) : port)),
    nodes: side === 'inputs' ? [...transposes, ...nodes] : [...nodes, ...transposes],
  }
}

function lastPort(port: GraphPort): GraphPort {
  return { ...port, shape: permuted(port.shape) }
}

function permuted<Size>(shape: readonly Size[]): Size[] {
  return LAST.map((axis) => shape[axis]!)
}

function transpose(from: string, to: string, perm: readonly number[]): GraphNode {
  const attributes = { perm: { kind: 'ints', value: perm } } as const
  return { op: 'Transpose', domain: '', name: to, inputs: [from], outputs: [to], attributes }
}
