import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitModel } from '../../src/onnx/differentiate'
import { OnnxError } from '../../src/onnx/graph'
import type { Attribute, Graph, GraphNode, ValueType } from '../../src/onnx/graph'
import { readModel } from '../../src/onnx/model'
import { knownOperators } from '../../src/onnx/registry'
import { specialize } from '../../src/onnx/simplify'
import { encodeTensor } from '../../src/onnx/tensor'
import { writeModel } from '../../src/onnx/write'
import { smallUnet } from './graphs'

/** Runs of each property; `FUZZ_RUNS=20000` looks longer. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 150)
/** Processor time for one mutated model of 20 kB, in milliseconds; wall time would count what else the machine does. */
const LONGEST = 5000

const original = smallUnet('float32')
const file = writeModel(original)

/** Reads, specialises and splits; whatever else than OnnxError is thrown is an error of this program. */
function use(read: () => Graph): void {
  const start = process.cpuUsage()
  try {
    const graph = read()
    const sizes: Record<string, ValueType> = {}
    for (const { name, type, shape } of graph.inputs) {
      sizes[name] = { type, shape: shape.map((size) => (typeof size === 'number' ? size : 2)) }
    }
    const typed = specialize(graph, sizes)
    const [input, output] = [graph.inputs[0]?.name ?? '', graph.outputs[0]?.name ?? '']
    const split = splitModel(typed, { input, output, derivatives: ['vjp', 'jvp'] })
    writeModel(split.forward)
  } catch (error) {
    if (!(error instanceof OnnxError)) throw error
    expect(error.message.length).toBeLessThan(5000)
  }
  expect(process.cpuUsage(start).user / 1000).toBeLessThan(LONGEST)
}

type ByteChange =
  | { readonly kind: 'set'; readonly at: number; readonly byte: number }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number; readonly to: number }

const place = fc.double({ min: 0, max: 1, noNaN: true })
const byteChange: fc.Arbitrary<ByteChange> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: place, byte: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: place, length: fc.nat(64) }),
  fc.record({ kind: fc.constant('repeat' as const), at: place, length: fc.nat(400), to: place }),
)

function changed(bytes: Uint8Array, changes: readonly ByteChange[]): Uint8Array {
  return changes.reduce((current, change) => {
    const at = Math.floor(change.at * current.length)
    if (change.kind === 'set') return current.map((byte, i) => (i === at ? change.byte : byte))
    if (change.kind === 'cut')
      return Uint8Array.of(...current.subarray(0, at), ...current.subarray(at + change.length))
    const to = Math.floor(change.to * current.length)
    const piece = current.subarray(at, at + change.length)
    return Uint8Array.of(...current.subarray(0, to), ...piece, ...current.subarray(to))
  }, bytes)
}

const extreme = fc.oneof(
  fc.integer({ min: -3, max: 9 }),
  fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53, 2 ** 63, -(2 ** 63), 1e6, 65536),
)
const numbers = fc.array(extreme, { maxLength: 6 })

const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  extreme.map((value) => ({ kind: 'int' as const, value })),
  numbers.map((value) => ({ kind: 'ints' as const, value })),
  fc.float().map((value) => ({ kind: 'float' as const, value })),
  fc.string().map((value) => ({ kind: 'string' as const, value })),
)

type NodeChange =
  | { readonly kind: 'op'; readonly at: number; readonly op: string }
  | { readonly kind: 'input'; readonly at: number; readonly slot: number; readonly from: number }
  | { readonly kind: 'attribute'; readonly at: number; readonly name: string; readonly value: Attribute }
  | {
      readonly kind: 'constant'
      readonly at: number
      readonly slot: number
      readonly values: readonly number[]
    }

const names = [
  'axis',
  'axes',
  'perm',
  'pads',
  'strides',
  'dilations',
  'group',
  'kernel_shape',
  'keepdims',
  'mode',
  'to',
]
const at = place
const nodeChange: fc.Arbitrary<NodeChange> = fc.oneof(
  fc.record({ kind: fc.constant('op' as const), at, op: fc.constantFrom(...knownOperators()) }),
  fc.record({ kind: fc.constant('input' as const), at, slot: fc.nat(4), from: place }),
  fc.record({
    kind: fc.constant('attribute' as const),
    at,
    name: fc.constantFrom(...names),
    value: attribute,
  }),
  fc.record({ kind: fc.constant('constant' as const), at, slot: fc.nat(3), values: numbers }),
)

/** The graph with changed nodes; an input may be any value that was computed before, or a new integer constant. */
function rewired(graph: Graph, changes: readonly NodeChange[]): Graph {
  const nodes: GraphNode[] = [...graph.nodes]
  const initializers = new Map(graph.initializers)
  for (const [number, change] of changes.entries()) {
    const index = Math.min(Math.floor(change.at * nodes.length), nodes.length - 1)
    const node = nodes[index] as GraphNode
    const inputs = [...node.inputs]
    if (change.kind === 'op') nodes[index] = { ...node, op: change.op }
    if (change.kind === 'attribute') {
      nodes[index] = { ...node, attributes: { ...node.attributes, [change.name]: change.value } }
    }
    if (change.kind === 'input') {
      const before = [
        ...initializers.keys(),
        ...nodes.slice(0, index).flatMap(({ outputs }) => outputs),
        'x',
        'sigma',
      ]
      inputs[change.slot] = before[Math.floor(change.from * (before.length - 1))] as string
    }
    if (change.kind === 'constant') {
      const name = `constant ${number}`
      const data = Float64Array.from(change.values)
      initializers.set(name, encodeTensor({ type: 'int64', shape: [data.length], data }))
      inputs[change.slot] = name
    }
    if (change.kind === 'input' || change.kind === 'constant') {
      nodes[index] = { ...(nodes[index] as GraphNode), inputs: Array.from(inputs, (name) => name ?? '') }
    }
  }
  return { ...graph, nodes, initializers }
}

describe('a mutated model is used or refused with a message, in bounded time', () => {
  it('byte by byte', () => {
    fc.assert(
      fc.property(fc.array(byteChange, { minLength: 1, maxLength: 5 }), (changes) => {
        use(() => readModel(changed(file, changes)))
      }),
      { numRuns: RUNS },
    )
  })

  it('node by node', () => {
    fc.assert(
      fc.property(fc.array(nodeChange, { minLength: 1, maxLength: 4 }), (changes) => {
        use(() => rewired(original, changes))
      }),
      { numRuns: RUNS },
    )
  })

  it('any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        use(() => readModel(Uint8Array.of(0x08, 8, ...bytes)))
      }),
      { numRuns: RUNS },
    )
  })
})
