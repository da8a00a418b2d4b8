/**
 * ONNX files for the tests: a denoiser by hand, and files that are wrong in one way each.
 *
 *     d(x, σ) = g (x + (1 - g)(K ∗ x - x)),   g = s²/(s² + σ²)
 *
 * with a binomial kernel K of 3 × 3 pixels: it shrinks towards gray, fine detail more than coarse shapes. J is symmetric.
 */
import type { DenoiserContract } from '../../src/onnx/contract'
import type { Attribute, Graph, GraphNode, GraphTensor } from '../../src/onnx/graph'
import { writeModel } from '../../src/onnx/write'

const VARIANCE = 0.3

/** As JSON, for a denoiser.json. */
export function handMadeContract(changes: Partial<DenoiserContract> = {}): Buffer {
  const side = { multipleOf: 8, minimum: 16, maximum: 64 }
  const contract: DenoiserContract = {
    version: 1,
    name: 'by-hand',
    title: 'By hand',
    description: 'Shrinks and smooths.',
    image: { channels: 1, height: side, width: side },
    batch: 'dynamic',
    range: [-1, 1],
    inputs: { x: 'x', noise: 'sigma' },
    output: { name: 'x0' },
    predicts: 'x0',
    takes: { kind: 'sigma' },
    process: 've',
    sigmaMin: 0.01,
    sigmaMax: 20,
    licence: 'MIT',
    ...changes,
  }
  return Buffer.from(JSON.stringify(contract))
}

export interface HandMade {
  /** Name of the noise level's input: a bare file with another name than sigma is asked about. */
  readonly noise?: string
  /** The smoothing kernel times this; NaN for a damaged file. */
  readonly gain?: number
  /** After the last node: the output passes through it. */
  readonly last?: (input: string, output: string) => GraphNode[]
  /** More constants. */
  readonly initializers?: Readonly<Record<string, GraphTensor>>
}

/** The denoiser as an ONNX file. */
export function handMadeModel({ noise = 'sigma', gain = 1, last, initializers = {} }: HandMade = {}): Buffer {
  const image = ['batch', 1, 'height', 'width']
  const end = last ? 'almost' : 'x0'
  const graph: Graph = {
    name: 'by hand',
    opset: 17,
    inputs: [
      { name: 'x', type: 'float32', shape: image },
      { name: noise, type: 'float32', shape: ['batch'] },
    ],
    outputs: [{ name: 'x0', type: 'float32', shape: image }],
    initializers: new Map([
      [
        'kernel',
        floats(
          [1, 1, 3, 3],
          [1, 2, 1, 2, 4, 2, 1, 2, 1].map((weight) => (gain * weight) / 16),
        ),
      ],
      ['variance', floats([], [VARIANCE])],
      ['one', floats([], [1])],
      ['column', integers([-1, 1, 1, 1])],
      ...Object.entries(initializers),
    ]),
    nodes: [
      node('Reshape', [noise, 'column'], 's'),
      node('Mul', ['s', 's'], 's2'),
      node('Add', ['s2', 'variance'], 'total'),
      node('Div', ['variance', 'total'], 'g'),
      node('Sub', ['one', 'g'], 'rest'),
      node('Conv', ['x', 'kernel'], 'smooth', { pads: { kind: 'ints', value: [1, 1, 1, 1] } }),
      node('Sub', ['smooth', 'x'], 'detail'),
      node('Mul', ['rest', 'detail'], 'change'),
      node('Add', ['x', 'change'], 'smoother'),
      node('Mul', ['g', 'smoother'], end),
      ...(last?.(end, 'x0') ?? []),
    ],
  }
  return Buffer.from(writeModel(graph))
}

export function node(
  op: string,
  inputs: string[],
  output: string,
  attributes: Record<string, Attribute> = {},
  domain = '',
): GraphNode {
  return { op, domain, name: `the ${op} of ${output}`, inputs, outputs: [output], attributes }
}

export function floats(shape: readonly number[], values: readonly number[]): GraphTensor {
  return { type: 'float32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) }
}

export function integers(values: readonly number[]): GraphTensor {
  const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
  return { type: 'int64', shape: [values.length], bytes }
}
