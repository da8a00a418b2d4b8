/**
 * A small network with random weights and open sizes: two 3 × 3 convolutions with a SiLU between that the noise level
 * shifts, and a skip. It denoises nothing; its derivatives are as good as any.
 */
import type { DenoiserContract } from '../../src/onnx/contract'
import type { Attribute, Graph, GraphNode, GraphTensor } from '../../src/onnx/graph'

const HIDDEN = 8

export function tinyContract(batch: number | 'dynamic'): DenoiserContract {
  return {
    version: 1,
    name: 'tiny',
    title: 'Tiny',
    description: '',
    image: {
      channels: 3,
      height: { multipleOf: 2, minimum: 2, maximum: 64 },
      width: { multipleOf: 2, minimum: 2, maximum: 64 },
    },
    batch,
    range: [0, 1],
    inputs: { x: 'x', noise: 'sigma' },
    output: { name: 'eps' },
    predicts: 'epsilon',
    takes: { kind: 'log-sigma', scale: 0.25 },
    process: 'vp',
    sigmaMin: 0.01,
    sigmaMax: 10,
    licence: 'MIT',
  }
}

export function tinyModel(batch: number | 'dynamic'): Graph {
  const rows = batch === 'dynamic' ? 'batch' : batch
  const image = [rows, 3, 'height', 'width']
  return {
    name: 'tiny',
    opset: 17,
    inputs: [
      { name: 'x', type: 'float32', shape: image },
      { name: 'sigma', type: 'float32', shape: [rows] },
    ],
    outputs: [{ name: 'eps', type: 'float32', shape: image }],
    initializers: new Map([
      ['w1', floats([HIDDEN, 3, 3, 3], 0.3)],
      ['w2', floats([3, HIDDEN, 3, 3], 0.2)],
      ['b1', floats([HIDDEN], 0.1)],
      ['shift', floats([1, HIDDEN, 1, 1], 0.5)],
      ['shape', integers([-1, 1, 1, 1])],
    ]),
    nodes: [
      node('Conv', ['x', 'w1', 'b1'], 'h', { pads: { kind: 'ints', value: [1, 1, 1, 1] } }),
      node('Reshape', ['sigma', 'shape'], 's'),
      node('Mul', ['s', 'shift'], 'm'),
      node('Add', ['h', 'm'], 'a'),
      node('Sigmoid', ['a'], 'g'),
      node('Mul', ['a', 'g'], 'silu'),
      node('Conv', ['silu', 'w2'], 'r', { pads: { kind: 'ints', value: [1, 1, 1, 1] } }),
      node('Add', ['r', 'x'], 'eps'),
    ],
  }
}

function node(
  op: string,
  inputs: string[],
  output: string,
  attributes: Record<string, Attribute> = {},
): GraphNode {
  return { op, domain: '', name: output, inputs, outputs: [output], attributes }
}

function floats(shape: readonly number[], scale: number): GraphTensor {
  const count = shape.reduce((product, size) => product * size, 1)
  const data = Float32Array.from({ length: count }, (_, i) => scale * Math.sin(12.9898 * (i + 1) ** 2))
  return { type: 'float32', shape, bytes: new Uint8Array(data.buffer) }
}

function integers(values: readonly number[]): GraphTensor {
  return {
    type: 'int64',
    shape: [values.length],
    bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  }
}
