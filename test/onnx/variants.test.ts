/**
 * One U-Net as files may hold it: of several opsets, in float16, with its weights in another file. On the WASM provider, with
 * derivatives, against the graph in float64, and the file as it is in ONNX Runtime's CPU provider.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { beforeAll, describe, expect, test } from 'vitest'
import { splitModel } from '../../src/onnx/differentiate'
import type { Graph, GraphTensor, Values } from '../../src/onnx/graph'
import { interpret } from '../../src/onnx/interpret'
import { readModel } from '../../src/onnx/model'
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
} from '../../src/onnx/proto/onnx_pb'
import type { Builder } from '../../src/onnx/rule'
import { evaluateModel } from '../../src/onnx/session/evaluate'
import { nodeWasmRuntime } from '../../src/onnx/session/nodeRuntimes'
import type { OrtRuntime } from '../../src/onnx/session/runtime'
import { specialize } from '../../src/onnx/simplify'
import { convertFloats } from '../../src/onnx/tensor'
import { writeModel } from '../../src/onnx/write'
import { distance, random, runOnnx } from './checkRule'
import { smallUnet } from './graphs'

let wasm: OrtRuntime
beforeAll(async () => {
  wasm = await nodeWasmRuntime()
})

const shape = [1, 2, 8, 8]
const feeds = { x: random(shape, 20), sigma: random([1], 21, 0.5, 1) }
const u = random(shape, 22)
const v = random(shape, 23)

/** What a newer opset has, or writes in another way. */
function lastOf(opset: number) {
  return (build: Builder, h: string): string => {
    const mean = build.reduceMean(h, [2, 3], true)
    const [first, second] = build.nodes(
      'Split',
      opset >= 18 ? [h] : [h, build.integers([1, 1])],
      2,
      opset >= 18 ? { axis: 1, num_outputs: 2 } : { axis: 1 },
    ) as [string, string]
    let out = build.add(mean, build.concat([second, first], 1))
    const weights = (size: number, seed: number) => {
      const { type } = build.typeOf(h)
      return build.constant(type, [size], random([size], seed, 0.5, 1.5).data)
    }
    if (opset >= 17) out = build.node('LayerNormalization', [out, weights(8, 31), weights(8, 32)])
    // of each group until opset 20, of each channel since
    if (opset >= 18) {
      const scales = opset >= 21 ? 2 : 1
      const normal = [out, weights(scales, 33), weights(scales, 34)]
      out = build.node('GroupNormalization', normal, { num_groups: 1 })
    }
    if (opset >= 20) out = build.node('Gelu', [out], { approximate: 'tanh' })
    if (opset >= 23) out = build.node('RMSNormalization', [out, weights(8, 35)])
    return out
  }
}

const inDoubles = ({ shape, data }: Values): Values => ({ type: 'float64', shape, data })

/** The graph with all floating-point numbers of another type, but those that Resize wants in float32. */
function inType(graph: Graph, type: 'float16' | 'float64'): Graph {
  const scales = new Set(graph.nodes.filter(({ op }) => op === 'Resize').map(({ inputs }) => inputs[2]))
  const tensor = (name: string, each: GraphTensor) =>
    each.type === 'float32' && !scales.has(name) ? convertFloats(each, type) : each
  const port = (each: Graph['inputs'][number]) => ({ ...each, type })
  return {
    ...graph,
    inputs: graph.inputs.map(port),
    outputs: graph.outputs.map(port),
    initializers: new Map([...graph.initializers].map(([name, each]) => [name, tensor(name, each)])),
  }
}

const request = { input: 'x', output: 'denoised', derivatives: ['vjp', 'jvp'] } as const

/** Output, VJP and JVP in float64. */
function exact(doubles: Graph) {
  const given = { x: inDoubles(feeds.x), sigma: inDoubles(feeds.sigma) }
  const split = splitModel(specialize(doubles, {}), request)
  const values = interpret(split.forward, given)
  const held = Object.fromEntries(values)
  const product = (graph: Graph | undefined, seed: Record<string, Values>) =>
    interpret(graph!, { ...held, ...seed }).get('result')!.data
  return {
    output: values.get('denoised')!.data,
    vjp: product(split.vjp, { cotangent: inDoubles(v) }),
    jvp: product(split.jvp, { tangent: inDoubles(u) }),
  }
}

/** The same through sessions on WASM, in float32. Errors relative in norm: all norms are above 1. */
async function check(graph: Graph, doubles: Graph): Promise<void> {
  const split = splitModel(specialize(graph, {}, { float32: true }), request)
  const found = await evaluateModel(wasm, split, 'denoised', feeds, { u, v })
  const expected = exact(doubles)
  for (const key of ['output', 'vjp', 'jvp'] as const) {
    expect(distance(found[key]!, expected[key])).toBeLessThan(3e-6)
  }
}

describe('a U-Net', () => {
  test.each([13, 17, 18, 20, 21, 23])('of opset %i', async (opset) => {
    const graph = readModel(writeModel(smallUnet('float32', opset, lastOf(opset))))
    await check(graph, smallUnet('float64', opset, lastOf(opset)))
    // as it is, without any rewriting
    const { denoised } = await runOnnx(graph, feeds)
    const output = exact(smallUnet('float64', opset, lastOf(opset))).output
    expect(distance(denoised!.data, output)).toBeLessThan(3e-6)
  })

  test('in float16, which is computed in float32', async () => {
    const half = readModel(writeModel(inType(smallUnet('float32'), 'float16')))
    expect(half.inputs.map(({ type }) => type)).toEqual(['float16', 'float16'])
    // the weights lose digits, what is computed with them does not
    await check(half, inType(withFloat32Weights(half), 'float64'))
  })

  test('with its weights in another file', async () => {
    const { bytes, data } = withExternalData(writeModel(smallUnet('float32')))
    expect(() => readModel(bytes)).toThrow('"weights.bin"')
    const graph = readModel(bytes, new Map([['weights.bin', data]]))
    await check(graph, smallUnet('float64'))
  })
})

function withFloat32Weights(graph: Graph): Graph {
  const wide = [...graph.initializers].map(
    ([name, each]) => [name, each.type === 'float16' ? convertFloats(each, 'float32') : each] as const,
  )
  return { ...graph, initializers: new Map(wide) }
}

/** The file with all constants of 16 bytes and more in one other file. */
function withExternalData(file: Uint8Array): { bytes: Uint8Array; data: Uint8Array } {
  const model = fromBinary(ModelProtoSchema, file)
  const parts: number[] = []
  for (const tensor of model.graph!.initializer) {
    if (tensor.rawData.length < 16) continue
    const entries = { location: 'weights.bin', offset: `${parts.length}`, length: `${tensor.rawData.length}` }
    tensor.externalData = Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    )
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL
    parts.push(...tensor.rawData)
    tensor.rawData = new Uint8Array(0)
  }
  return { bytes: toBinary(ModelProtoSchema, model), data: Uint8Array.from(parts) }
}
