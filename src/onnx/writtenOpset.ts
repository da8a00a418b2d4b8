/**
 * The version of the standard operators that a written graph names.
 *
 * ONNX Runtime's WebGPU provider registers operators version by version: from opset 22 on its ConvTranspose, MaxPool and
 * global pools, from 24 on Pad, from 25 on nearly all would compute on the CPU (measured with onnxruntime-web 1.30). Since 21
 * no operator that a graph here can hold changed its meaning, only the types that it takes; so graphs are written as of
 * 21, unless they hold operators that are newer.
 */
import type { Graph } from './graph'

const NEWEST_ON_WEBGPU = 21

/** Standard operators that appeared since. */
const NEWER = new Set([
  'Attention',
  'BitCast',
  'CumProd',
  'RMSNormalization',
  'RotaryEmbedding',
  'Swish',
  'TensorScatter',
])

export function writtenOpset({ opset, nodes }: Graph): number {
  const newer = nodes.some(({ op, domain }) => domain === '' && NEWER.has(op))
  return newer ? opset : Math.min(opset, NEWEST_ON_WEBGPU)
}
