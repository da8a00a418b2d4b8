/**
 * How many times smaller than the image a network's coarsest feature map is: what its sides must be multiples of.
 *
 * A value's factor is the largest of its node's inputs, times the node's stride (Conv, pooling, SpaceToDepth), over its
 * scale (ConvTranspose, DepthToSpace, Resize). Weights count as 1, so that strides of the image's way add up only.
 */
import type { Graph, GraphNode } from './graph'

/** At least 1, at most 256; 1 where nothing is downscaled. */
export function coarsestFactor(graph: Graph, image: string): number {
  const factors = new Map<string, number>([[image, 1]])
  let coarsest = 1
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => factors.get(name)).filter((factor) => factor !== undefined)
    if (inputs.length === 0) continue
    const factor = Math.min(256, Math.max(1, Math.max(...inputs) * scaleOf(node)))
    coarsest = Math.max(coarsest, factor)
    for (const name of node.outputs) factors.set(name, factor)
  }
  return Math.round(coarsest)
}

/** The input's side over the output's. */
function scaleOf(node: GraphNode): number {
  const stride = largest(node, 'strides')
  switch (node.op) {
    case 'Conv':
    case 'AveragePool':
    case 'MaxPool':
    case 'LpPool':
      return stride
    case 'ConvTranspose':
      return 1 / stride
    case 'SpaceToDepth':
      return block(node)
    case 'DepthToSpace':
      return 1 / block(node)
    // an upsampling by an unknown scale, nearly always 2; a wrong guess only offers too few sizes
    case 'Resize':
    case 'Upsample':
      return 1 / 2
    default:
      return 1
  }
}

function largest({ attributes }: GraphNode, name: string): number {
  const attribute = attributes[name]
  return attribute?.kind === 'ints' ? Math.max(1, ...attribute.value) : 1
}

function block({ attributes }: GraphNode): number {
  const attribute = attributes['blocksize']
  return attribute?.kind === 'int' ? Math.max(1, attribute.value) : 1
}
