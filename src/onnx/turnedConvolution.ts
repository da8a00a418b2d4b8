/**
 * ConvTranspose of stride 1 as the Conv that it is, with its kernel turned around and the channels' roles exchanged:
 *
 *     x̄[c, i] = Σ_{m, k} w[m, c, k] ȳ[m, i + before - k·dilation]   =   Conv of ȳ with w'[c, m, k] = w[m, c, K - 1 - k]
 *
 * with span - 1 - pad zeros in place of pad. So backpropagation through most convolutions uses the kernels that are tuned best:
 * the WebGPU provider multiplies matrices by tiles for Conv only, and for ConvTranspose transposes the weights in every run.
 */
import type { Attribute, Graph, GraphNode, GraphTensor } from './graph'
import { uniqueNames } from './names'
import { missingInputs } from './operators/groups'
import { BYTES_PER_ELEMENT, elementCount } from './tensor'

/** The same function; graphs without such a node are returned as they are. Weights are turned here, each once. */
export function withTurnedConvolutions(graph: Graph): Graph {
  const initializers = new Map(graph.initializers)
  const unique = uniqueNames(graph)
  const names = new Map<string, string>()
  const turned = (name: string, weights: GraphTensor): string => {
    let chosen = names.get(name)
    if (chosen === undefined) {
      chosen = unique(`${name} turned`)
      names.set(name, chosen)
      initializers.set(chosen, turnedKernel(weights))
    }
    return chosen
  }
  const nodes = graph.nodes.map((node) => {
    const weights = graph.initializers.get(node.inputs[1] ?? '')
    const attributes = weights && turnedAttributes(node, weights.shape)
    if (!attributes) return node
    const [y, w, ...bias] = node.inputs as [string, string]
    return { ...node, op: 'Conv', inputs: [y, turned(w, weights), ...bias], attributes }
  })
  if (names.size === 0) return graph
  const read = new Set([...nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)])
  for (const name of names.keys()) if (!read.has(name)) initializers.delete(name)
  return { ...graph, initializers, nodes }
}

/** Those of the Conv; undefined where the node is none of stride 1, or pads more than its kernel reaches, or the WebGPU provider errs. */
function turnedAttributes(
  { op, domain, attributes }: GraphNode,
  [inputs, outputs, ...kernel]: readonly number[],
): Readonly<Record<string, Attribute>> | undefined {
  if (op !== 'ConvTranspose' || domain !== '' || 'auto_pad' in attributes || 'output_shape' in attributes)
    return undefined
  const ints = (name: string, length: number, fallback: number): readonly number[] => {
    const given = attributes[name]
    return given?.kind === 'ints' ? given.value : Array.from({ length }, () => fallback)
  }
  const count = kernel.length
  const group = attributes['group']?.value ?? 1
  const dilations = ints('dilations', count, 1)
  const unusual =
    group !== 1 ||
    ints('strides', count, 1).some((stride) => stride !== 1) ||
    ints('output_padding', count, 0).some((padding) => padding !== 0)
  const reach = kernel.map((size, d) => (size - 1) * dilations[d]!)
  const pads = ints('pads', 2 * count, 0).map((pad, side) => reach[side % count]! - pad)
  const isWrong = missingInputs(inputs!, outputs!, elementCount(kernel), 1) > 0
  if (unusual || isWrong || pads.some((pad) => pad < 0)) return undefined
  const list = (value: readonly number[]): Attribute => ({ kind: 'ints', value })
  return {
    kernel_shape: list(kernel),
    strides: list(kernel.map(() => 1)),
    dilations: list(dilations),
    pads: list(pads),
    group: { kind: 'int', value: 1 },
  }
}

/** w [M, C, …kernel] → [C, M, …kernel], each kernel backwards; element by element, whatever the type. */
function turnedKernel({ type, shape, bytes }: GraphTensor): GraphTensor {
  const [rows, columns, ...kernel] = shape as [number, number, ...number[]]
  const width = BYTES_PER_ELEMENT[type]
  const taps = elementCount(kernel)
  const turned = new Uint8Array(bytes.length)
  for (let m = 0; m < rows; m++) {
    for (let c = 0; c < columns; c++) {
      for (let k = 0; k < taps; k++) {
        const from = ((m * columns + c) * taps + k) * width
        const to = ((c * rows + m) * taps + (taps - 1 - k)) * width
        for (let byte = 0; byte < width; byte++) turned[to + byte] = bytes[from + byte]!
      }
    }
  }
  return { type, shape: [columns, rows, ...kernel], bytes: turned }
}
