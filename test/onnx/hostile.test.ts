/** Models made to exhaust time or memory: each is used or refused, within some seconds of processor time. */
import { describe, expect, test } from 'vitest'
import { splitModel } from '../../src/onnx/differentiate'
import type { Graph, GraphNode, GraphTensor } from '../../src/onnx/graph'
import { OnnxError } from '../../src/onnx/graph'
import { specialize } from '../../src/onnx/simplify'
import { node } from './graphs'

const LONGEST_SECONDS = 8
const ints = (...value: number[]) => ({ kind: 'ints', value }) as const

/** x [4] → y [4] and such constants. */
function graph(nodes: readonly GraphNode[], constants: Readonly<Record<string, GraphTensor>> = {}): Graph {
  return {
    name: 'hostile',
    opset: 17,
    inputs: [{ name: 'x', type: 'float32', shape: [4] }],
    outputs: [{ name: 'y', type: 'float32', shape: [4] }],
    initializers: new Map(Object.entries(constants)),
    nodes,
  }
}

function ones(...shape: number[]): GraphTensor {
  const count = shape.reduce((product, size) => product * size, 1)
  return { type: 'float32', shape, bytes: new Uint8Array(new Float32Array(count).fill(1).buffer) }
}

/** Specialises and splits; OnnxError is a good end, and hanging none. */
function use(made: Graph): void {
  const start = process.cpuUsage()
  try {
    splitModel(specialize(made, {}), { input: 'x', output: 'y', derivatives: ['vjp', 'jvp'] })
  } catch (error) {
    if (!(error instanceof OnnxError)) throw error
  }
  const { user } = process.cpuUsage(start)
  expect(user / 1e6).toBeLessThan(LONGEST_SECONDS)
}

/** One constant folded many times, by nodes that differ in an attribute that means nothing. */
function repeated(count: number, op: string, inputs: string[], attributes: GraphNode['attributes'] = {}) {
  const nodes = Array.from({ length: count }, (_, i) =>
    node(op, inputs, [`t${i}`], { attributes: { ...attributes, unused: { kind: 'int', value: i } } }),
  )
  // what nothing needs is never computed
  return [...nodes, node('Sum', ['x', ...nodes.map(({ outputs }) => outputs[0]!)], ['y'])]
}

describe('constants that take long to compute', () => {
  const text = (value: string) => ({ kind: 'string', value }) as const
  test.each<[string, Graph]>([
    ['Einsum', graph(repeated(40, 'Einsum', ['a', 'a'], { equation: text('i,j->') }), { a: ones(4096) })],
    [
      'AveragePool',
      graph(
        repeated(40, 'AveragePool', ['a'], {
          kernel_shape: ints(2048, 2048),
          pads: ints(1024, 1024, 1024, 1024),
        }),
        {
          a: ones(1, 1, 1, 1),
        },
      ),
    ],
    [
      'MaxPool',
      graph(
        repeated(40, 'MaxPool', ['a'], {
          kernel_shape: ints(2048, 2048),
          pads: ints(1024, 1024, 1024, 1024),
        }),
        {
          a: ones(1, 1, 1, 1),
        },
      ),
    ],
    [
      'Conv',
      graph(repeated(40, 'Conv', ['a', 'w'], { pads: ints(512, 512, 512, 512) }), {
        a: ones(1, 1, 2, 2),
        w: ones(1, 1, 1024, 1024),
      }),
    ],
    [
      'ConvTranspose',
      graph(repeated(40, 'ConvTranspose', ['a', 'w'], { pads: ints(512, 512, 512, 512) }), {
        a: ones(1, 1, 512, 512),
        w: ones(1, 1, 512, 512),
      }),
    ],
    [
      'Attention',
      { ...graph(repeated(40, 'Attention', ['a', 'a', 'a']), { a: ones(1, 1, 4096, 1) }), opset: 23 },
    ],
  ])('%s', (_, made) => use(made))
})

describe('graphs whose cost would be quadratic', () => {
  test('a value that 20,000 nodes read', () => {
    const readers = Array.from({ length: 20000 }, (_, i) =>
      node('Sin', ['x'], [`s${i}`], { attributes: { unused: { kind: 'int', value: i } } }),
    )
    const names = readers.map(({ outputs }) => outputs[0]!)
    const joined = node('Concat', names, ['all'], { attributes: { axis: { kind: 'int', value: 0 } } })
    use(
      graph([...readers, joined, node('Slice', ['all', 'zero', 'four'], ['y'])], {
        zero: int64(0),
        four: int64(4),
      }),
    )
  })

  test('20,000 values to keep', () => {
    const chain = Array.from({ length: 20000 }, (_, i) =>
      node('Sin', [i === 0 ? 'x' : `s${i - 1}`], [i === 19999 ? 'y' : `s${i}`]),
    )
    use(graph(chain))
  })

  test('a large constant that many nodes read', () => {
    const size = 2 ** 23
    const chain = Array.from({ length: 500 }, (_, i) =>
      node(i % 2 ? 'Mul' : 'Add', [i === 0 ? 'big' : `s${i - 1}`, 'w'], [`s${i}`]),
    )
    const begin = node('Expand', ['x0', 'shape'], ['big'])
    use(
      graph(
        [
          node('Slice', ['x', 'zero', 'one'], ['x0']),
          begin,
          ...chain,
          node('Slice', ['s499', 'zero', 'four'], ['y']),
        ],
        {
          w: ones(size),
          zero: int64(0),
          one: int64(1),
          four: int64(4),
          shape: int64(size),
        },
      ),
    )
  })
})

function int64(...values: number[]): GraphTensor {
  return {
    type: 'int64',
    shape: [values.length],
    bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  }
}
