import { create, toBinary } from '@bufbuild/protobuf'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'
import type { Graph, Values } from '../../src/onnx/graph'
import { interpret } from '../../src/onnx/interpret'
import { readModel } from '../../src/onnx/model'
import { ModelProtoSchema } from '../../src/onnx/proto/onnx_pb'
import { decodeTensor, encodeTensor } from '../../src/onnx/tensor'
import { writeModel } from '../../src/onnx/write'
import { random } from './checkRule'
import { graphOf, node, smallUnet } from './graphs'

type ModelInit = Exclude<MessageInitShape<typeof ModelProtoSchema>, { $typeName: string }>
type GraphInit = NonNullable<ModelInit['graph']>
type TensorInit = NonNullable<GraphInit['initializer']>[number]

const FLOAT = 1
const tensorType = (...dims: (number | string)[]) => ({
  value: {
    case: 'tensorType' as const,
    value: {
      elemType: FLOAT,
      shape: {
        dim: dims.map((size) => ({
          value:
            typeof size === 'number'
              ? { case: 'dimValue' as const, value: BigInt(size) }
              : { case: 'dimParam' as const, value: size },
        })),
      },
    },
  },
})
const call = (opType: string, input: string[], output: string[], more: object = {}) => ({
  opType,
  input,
  output,
  name: `${opType} ${output[0]}`,
  ...more,
})

/** A file with input x [2, 3] and output y: y = x + w. */
function fileOf(graph: Omit<GraphInit, '$typeName'>, model: Omit<ModelInit, '$typeName'> = {}): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 17n }],
      graph: {
        node: [call('Add', ['x', 'w'], ['y'])],
        input: [{ name: 'x', type: tensorType(2, 3) }],
        output: [{ name: 'y', type: tensorType(2, 3) }],
        ...graph,
      },
      ...model,
    }),
  )
}

const weight = (more: Omit<TensorInit, '$typeName'>): Omit<GraphInit, '$typeName'> => ({
  initializer: [{ name: 'w', dataType: FLOAT, dims: [3n], ...more }],
})
const external = (file: string, offset: string, length?: string) => ({
  dataLocation: 1,
  externalData: [
    { key: 'location', value: file },
    { key: 'offset', value: offset },
    ...(length === undefined ? [] : [{ key: 'length', value: length }]),
  ],
})
const floatBytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)
const weightOf = (graph: Graph) => [...decodeTensor(graph.initializers.get('w') as never).data]

describe('reading what was written', () => {
  it('gives the same graph', () => {
    const graph = smallUnet('float32')
    expect(readModel(writeModel(graph))).toEqual({ ...graph, warnings: [] })
  })

  it('keeps every kind of attribute and element', () => {
    const types = [
      'float32',
      'float16',
      'float64',
      'bfloat16',
      'int8',
      'uint8',
      'int16',
      'uint16',
      'int32',
      'uint32',
    ] as const
    const values = Float64Array.of(0, 1, 5)
    const all = [...types, 'int64', 'uint64', 'bool'] as const
    const initializers = new Map(
      all.map((type) => [
        type as string,
        encodeTensor({ type, shape: [3], data: type === 'bool' ? Float64Array.of(0, 1, 1) : values }),
      ]),
    )
    const tensor = initializers.get('float16')
    const every = node('Some', [...initializers.keys(), '', 'x'], ['y'], {
      attributes: {
        a: { kind: 'int', value: -(2 ** 40) },
        b: { kind: 'float', value: 0.5 },
        c: { kind: 'string', value: 'größer' },
        d: { kind: 'ints', value: [1, -2, 0] },
        e: { kind: 'floats', value: [0.25, 0] },
        f: { kind: 'strings', value: ['p', 'q'] },
        g: { kind: 'tensor', value: tensor! },
        h: { kind: 'int', value: 0 },
      },
    })
    const graph = { ...graphOf([every]), initializers }
    expect(readModel(writeModel(graph))).toEqual({ ...graph, warnings: [] })
  })

  it.each([
    0,
    -0,
    1,
    1 / 3,
    -65504,
    65519.99,
    65520,
    1e9,
    2 ** -24,
    2 ** -25,
    1.5 * 2 ** -25,
    6e-5,
    2049,
    2051,
    NaN,
    -Infinity,
  ])('rounds %f to float16 and bfloat16 and back', (value) => {
    const bits = new Uint32Array(Float32Array.of(value).buffer)[0] as number
    const through = (type: 'float16' | 'bfloat16') =>
      decodeTensor(encodeTensor({ type, shape: [1], data: Float64Array.of(value) })).data[0] as number
    const spacing = Math.max(2 ** (Math.floor(Math.log2(Math.abs(value) || 1)) - 10), 2 ** -24)
    const half = through('float16')
    if (Math.abs(value) >= 65520) expect(half).toBe(Math.sign(value) * Infinity)
    else if (Number.isNaN(value)) expect(half).toBeNaN()
    else expect(Math.abs(half - value)).toBeLessThanOrEqual(spacing / 2)
    const brain = through('bfloat16')
    const up = new Float32Array(Uint32Array.of(((bits >>> 16) + 1) << 16, (bits >>> 16) << 16).buffer)
    if (Number.isFinite(value)) expect([up[0], up[1]]).toContain(brain)
    else expect(brain).toEqual(value)
  })
})

describe('weights', () => {
  it.each<[string, Omit<TensorInit, '$typeName'>, number[]]>([
    ['raw bytes', { rawData: floatBytes(1, 2, 3) }, [1, 2, 3]],
    ['typed floats', { floatData: [1, 2, 3] }, [1, 2, 3]],
    ['float16 bits in integers', { dataType: 10, int32Data: [0x3c00, 0xc000, 1] }, [1, -2, 2 ** -24]],
    ['doubles', { dataType: 11, doubleData: [1, 2, 0.1] }, [1, 2, 0.1]],
    ['64-bit integers', { dataType: 7, int64Data: [1n, -2n, 2n ** 53n] }, [1, -2, 2 ** 53]],
    ['unsigned integers', { dataType: 12, uint64Data: [1n, 2n, 2n ** 32n - 1n] }, [1, 2, 2 ** 32 - 1]],
    ['booleans', { dataType: 9, int32Data: [0, 1, 1] }, [0, 1, 1]],
    ['bytes', { dataType: 3, int32Data: [0, -1, 127] }, [0, -1, 127]],
  ])('as %s', (_what, tensor, values) => {
    expect(weightOf(readModel(fileOf(weight(tensor))))).toEqual(values)
  })

  it('in a file beside the model, at an offset, with or without length', () => {
    const files = new Map([['weights.bin', floatBytes(9, 1, 2, 3, 9)]])
    for (const length of ['12', undefined]) {
      const file = fileOf(weight(external('sub/weights.bin', '4', length)))
      expect(weightOf(readModel(file, files))).toEqual([1, 2, 3])
    }
  })

  it('of old files, which list them among the inputs', () => {
    const input = ['x', 'w'].map((name) => ({ name, type: tensorType(2, 3) }))
    const graph = readModel(fileOf({ ...weight({ rawData: floatBytes(1, 2, 3) }), input }))
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x'])
  })

  it('that nothing uses are left out, whatever they are', () => {
    const unused = { name: 'text', dataType: 8, dims: [1n], stringData: [new Uint8Array(2)] }
    const used = weight({ rawData: floatBytes(1, 2, 3) }).initializer ?? []
    const graph = readModel(fileOf({ initializer: [...used, unused] }))
    expect([...graph.initializers.keys()]).toEqual(['w'])
  })
})

describe('structure', () => {
  const x = random([2, 3], 1)
  const value = (file: Uint8Array) => [...(interpret(readModel(file), { x }).get('y') as Values).data]

  it('sorts nodes that a file has in any order', () => {
    const nodes = [call('Neg', ['b'], ['y']), call('Exp', ['a'], ['b']), call('Abs', ['x'], ['a'])]
    const graph = readModel(fileOf({ node: nodes }))
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Abs', 'Exp', 'Neg'])
  })

  it('reads open dimensions', () => {
    const input = [{ name: 'x', type: tensorType('batch', -1, 3) }]
    const graph = readModel(fileOf({ node: [call('Relu', ['x'], ['y'])], input }))
    expect(graph.inputs[0]?.shape).toEqual(['batch', '', 3])
  })

  it('writes functions out, with their attributes and defaults', () => {
    // twice(a) = leaky(leaky(a)), leaky(a; slope = 0.5) = LeakyRelu(a, alpha = slope).
    const leaky = {
      name: 'leaky', domain: 'local', input: ['a'], output: ['b'],
      attributeProto: [{ name: 'slope', type: 1, f: 0.5 }],
      node: [
        call('LeakyRelu', ['a'], ['t'], { attribute: [{ name: 'alpha', refAttrName: 'slope', type: 1 }] }),
        call('Identity', ['t'], ['b']),
      ],
    } // prettier-ignore
    const twice = {
      name: 'twice', domain: 'local', input: ['a'], output: ['b'],
      node: [
        call('leaky', ['a'], ['t'], { domain: 'local' }),
        call('leaky', ['t'], ['b'], { domain: 'local', attribute: [{ name: 'slope', type: 1, f: 0.25 }] }),
      ],
    } // prettier-ignore
    const file = fileOf(
      { node: [call('twice', ['x'], ['y'], { domain: 'local' })] },
      { functions: [leaky, twice] },
    )
    expect(value(file)).toEqual([...x.data].map((each) => (each < 0 ? each / 8 : each)))
  })

  it('takes the branch of an If whose condition is a constant', () => {
    const branch = (opType: string) => ({
      node: [call(opType, ['x'], ['t'])],
      output: [{ name: 't' }],
    })
    const choose = call('If', ['c'], ['y'], {
      attribute: [
        { name: 'then_branch', type: 5, g: branch('Neg') },
        { name: 'else_branch', type: 5, g: branch('Abs') },
      ],
    })
    const condition = (bit: number) => ({ name: 'c', dataType: 9, rawData: Uint8Array.of(bit) })
    const neg = fileOf({ node: [choose], initializer: [condition(1)] })
    const abs = fileOf({
      node: [
        call('Constant', [], ['c'], { attribute: [{ name: 'value', type: 4, t: condition(0) }] }),
        choose,
      ],
    })
    expect(value(neg)).toEqual([...x.data].map((each) => -each))
    expect(value(abs)).toEqual([...x.data].map(Math.abs))
    expect(() => readModel(fileOf({ node: [call('Exp', ['x'], ['c']), choose] }))).toThrow(
      '"If y" (If) chooses',
    )
  })

  it('takes newer opsets with a warning, and names older ones', () => {
    const opset = (version: bigint) =>
      fileOf({ node: [call('Relu', ['x'], ['y'])] }, { opsetImport: [{ version }] })
    expect(readModel(opset(26n)).warnings).toEqual([])
    const future = readModel(opset(31n))
    expect([future.opset, future.warnings.length]).toEqual([26, 1])
    expect(() => readModel(opset(11n))).toThrow('opset 11; 13 to 26 can be used')
  })
})

describe('a file that is no model', () => {
  const text = (value: string) => new TextEncoder().encode(value)
  const header = text('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}')
  const safetensors = new Uint8Array(8 + header.length + 4)
  safetensors[0] = header.length
  safetensors.set(header, 8)
  const latin1 = (value: string) => Uint8Array.from(value, (character) => character.charCodeAt(0))
  const whole = fileOf(weight({ rawData: floatBytes(1, 2, 3) }))

  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'an empty file'],
    ['a web page', text('\n<!DOCTYPE html><html>'), 'a web page'],
    ['JSON', text('{ "format": "diem" }'), 'a JSON file'],
    ['text', text('Hello, this is no model.'), 'a text file'],
    ['a PyTorch checkpoint', latin1('PK\x03\x04\0\0archive/data.pkl'), 'a PyTorch checkpoint'],
    ['a zip archive', latin1('PK\x03\x04\0\0photos/1.jpg'), 'a zip archive'],
    ['a pickle', latin1('\x80\x02}q\0'), 'a Python pickle'],
    ['safetensors', safetensors, 'a safetensors file'],
    ['a PNG', latin1('\x89PNG\r\n\x1a\n'), 'a PNG image'],
    ['a Git LFS pointer', text('version https://git-lfs.github.com/spec/v1'), 'a Git LFS pointer'],
    ['noise', Uint8Array.of(0xff, 0xfe, 0x12, 0x00, 0x99), 'not an ONNX model'],
    ['the beginning of a model', whole.subarray(0, whole.length - 20), 'cut off'],
    ['a model without graph', whole.subarray(0, 2), 'no graph with outputs'],
  ])('%s', (_what, bytes, message) => {
    expect(() => readModel(bytes)).toThrow(message)
  })
})

describe('a model that is wrong', () => {
  const constant = (more: Omit<TensorInit, '$typeName'>) => fileOf(weight(more))
  const nodes = (...list: ReturnType<typeof call>[]) => fileOf({ node: list })

  it.each<[string, Uint8Array, string]>([
    [
      'a cycle',
      nodes(call('Add', ['x', 'y'], ['a']), call('Neg', ['a'], ['y'])),
      'cyclic: nodes[0] "Add a" (Add)',
    ],
    ['a value twice', nodes(call('Neg', ['x'], ['y']), call('Abs', ['x'], ['y'])), '"y" is defined twice'],
    ['an undefined value', nodes(call('Neg', ['z'], ['y'])), 'nodes[0] "Neg y" (Neg) reads "z"'],
    ['an output of nothing', nodes(call('Neg', ['x'], ['z'])), 'output "y"'],
    ['a negative dimension', constant({ dims: [-3n] }), 'impossible shape [-3]'],
    ['dimensions beyond all numbers', constant({ dims: [2n ** 40n, 2n ** 40n] }), 'impossible shape'],
    ['a claim of terabytes', constant({ dims: [2n ** 40n], rawData: floatBytes(1) }), 'has 4'],
    ['too few bytes', constant({ rawData: floatBytes(1, 2) }), 'needs 12 bytes but has 8'],
    ['too many numbers', constant({ floatData: [1, 2, 3, 4] }), 'needs 12 bytes but has 16'],
    ['no weights', constant({}), 'needs 12 bytes but has 0'],
    ['strings', constant({ dataType: 8, stringData: [new Uint8Array(1)] }), 'holds strings'],
    ['4-bit weights', constant({ dataType: 22, rawData: new Uint8Array(2) }), 'holds int4'],
    ['a missing file', constant(external('w.data', '0')), 'another file, "w.data": choose or drop it'],
    ['a sparse constant', fileOf({ sparseInitializer: [{ values: { name: 'w' } }] }), '"w" is sparse'],
    [
      'a sequence',
      fileOf({ node: [call('Relu', ['x'], ['y'])], input: [{ name: 'x', type: {} }] }),
      'no tensor',
    ],
    [
      'an input of no shape',
      fileOf({
        node: [call('Relu', ['x'], ['y'])],
        input: [{ name: 'x', type: { value: { case: 'tensorType', value: { elemType: 1 } } } }],
      }),
      'has no shape',
    ],
    [
      'a loop',
      nodes(call('Loop', ['x'], ['y'], { attribute: [{ name: 'body', type: 5, g: {} }] })),
      '"Loop y" (Loop) runs other graphs',
    ],
    ['no opset', fileOf({ node: [call('Relu', ['x'], ['y'])] }, { opsetImport: [] }), 'names no version'],
  ])('%s', (_what, bytes, message) => {
    expect(() => readModel(bytes)).toThrow(message)
  })

  it('pieces of a file that are not in it', () => {
    const files = new Map([['w.data', floatBytes(1, 2)]])
    for (const [offset, length] of [
      ['0', '12'],
      ['-4', '12'],
      ['1e300', '12'],
      ['8', 'x'],
    ] as const) {
      expect(() => readModel(constant(external('w.data', offset, length)), files)).toThrow(
        'that file has 8 bytes',
      )
    }
  })

  it('functions that call themselves, or each other without end', () => {
    const self = {
      name: 'f',
      domain: 'local',
      input: ['a'],
      output: ['b'],
      node: [call('f', ['a'], ['b'], { domain: 'local' })],
    }
    const start = [call('f', ['x'], ['y'], { domain: 'local' })]
    expect(() => readModel(fileOf({ node: start }, { functions: [self] }))).toThrow('32 levels deep')
    // Each level calls the next twice: 2^30 nodes.
    const functions = Array.from({ length: 30 }, (_, i) => ({
      name: i === 0 ? 'f' : `f${i}`, domain: 'local', input: ['a'], output: ['b'],
      node: i === 29
        ? [call('Neg', ['a'], ['b'])]
        : [call(`f${i + 1}`, ['a'], ['t'], { domain: 'local' }), call(`f${i + 1}`, ['t'], ['b'], { domain: 'local' })],
    })) // prettier-ignore
    expect(() => readModel(fileOf({ node: start }, { functions }))).toThrow('100000')
  })

  it('functions whose written-out names would fill the memory', () => {
    // 20,000 nodes behind a name of 100 kB: 2 GB
    const node = Array.from({ length: 20_000 }, (_, i) =>
      call('Neg', [i === 0 ? 'a' : `t${i}`], [`t${i + 1}`]),
    )
    const functions = [{ name: 'f', domain: 'local', input: ['a'], output: ['t20000'], node }]
    const start = [call('f', ['x'], ['y'], { domain: 'local', name: 'n'.repeat(100_000) })]
    const { nodes } = readModel(fileOf({ node: start }, { functions }))
    expect(nodes.every(({ name, outputs }) => name.length + outputs.join().length < 500)).toBe(true)
  })

  it('millions of 64-bit integers, each of which is one byte', () => {
    // TensorProto.int64_data = 7 (packed and not), NodeProto.attribute = 5, AttributeProto.ints = 8
    const packed = lengthDelimited(7, new Uint8Array(5_000_000))
    const single = new Uint8Array(10_000_000)
    for (let i = 0; i < single.length; i += 2) single[i] = 7 << 3
    const ints = lengthDelimited(5, lengthDelimited(8, new Uint8Array(5_000_000)))
    for (const graph of [lengthDelimited(5, packed), lengthDelimited(5, single), lengthDelimited(1, ints)]) {
      expect(() => readModel(framed(graph))).toThrow('64-bit integers')
    }
  })

  it('a million versions of operators', () => {
    const version = lengthDelimited(8, Uint8Array.of(0x10, 17))
    const file = new Uint8Array(version.length * 200_000)
    for (let i = 0; i < 200_000; i++) file.set(version, i * version.length)
    expect(() => readModel(concatenated(fileOf({}), file))).toThrow('reads "w", which nothing computes')
  })

  it('millions of empty parts, and graphs in graphs in graphs', () => {
    // ModelProto.graph (field 7) of empty nodes (field 1): two bytes each.
    const empty = new Uint8Array(2_500_000)
    for (let i = 0; i < empty.length; i += 2) empty[i] = 0x0a
    expect(() => readModel(framed(empty))).toThrow('holds more than')
    let nested: Uint8Array = new Uint8Array(0)
    // GraphProto.node = 1, NodeProto.attribute = 5, AttributeProto.g = 6.
    for (let i = 0; i < 60; i++) for (const field of [6, 5, 1]) nested = lengthDelimited(field, nested)
    expect(() => readModel(framed(nested))).toThrow('nested deeper')
  })
})

/** A model of version 8 with this graph. */
function framed(graph: Uint8Array): Uint8Array {
  return concatenated(Uint8Array.of(0x08, 8), lengthDelimited(7, graph))
}

function lengthPrefix(field: number, length: number): number[] {
  const bytes = [(field << 3) | 2]
  for (let rest = length; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest & 127) | 128)
  }
}

function lengthDelimited(field: number, content: Uint8Array): Uint8Array {
  return concatenated(Uint8Array.from(lengthPrefix(field, content.length)), content)
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
