import { readFile } from 'node:fs/promises'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ContractError,
  type DenoiserContract,
  contractJsonSchema,
  parseContract,
} from '../../src/onnx/contract'
import { completeContract, inferContract } from '../../src/onnx/inferContract'
import type { Graph, GraphNode, GraphPort } from '../../src/onnx/graph'
import { timestepOf, timestepSigmas } from '../../src/onnx/timesteps'

const edm: DenoiserContract = {
  version: 1,
  name: 'own',
  title: 'Own model',
  description: '',
  image: { channels: 3, height: 32, width: { multipleOf: 8, minimum: 16, maximum: 64 } },
  batch: 'dynamic',
  range: [-1, 1],
  inputs: { x: 'x', noise: 'sigma' },
  output: { name: 'x0' },
  predicts: 'x0',
  takes: { kind: 'sigma' },
  process: 've',
  sigmaMin: 0.002,
  sigmaMax: 80,
  licence: 'MIT',
}

describe('denoiser.json', () => {
  test('is described by public/models/denoiser.schema.json', async () => {
    const file = await readFile('public/models/denoiser.schema.json', 'utf8')
    expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(contractJsonSchema())))
  })

  test('is read from text, and an error names each field and what is expected there', () => {
    expect(parseContract(JSON.stringify(edm))).toEqual(edm)
    const { licence: _, ...rest } = edm
    const broken = {
      ...rest,
      predicts: 'noise',
      image: { ...edm.image, height: '32' },
      sigmaMin: 100,
      colour: true,
    }
    expect(() => parseContract(broken)).toThrow(/licence is missing/)
    expect(() => parseContract(broken)).toThrow(/predicts .*"x0" or "epsilon" or "v" or "score", not "noise"/)
    expect(() => parseContract(broken)).toThrow(/image\.height is a number of pixels/)
    expect(() => parseContract(broken)).toThrow(/unknown fields: colour/)
    expect(() => parseContract({ ...edm, sigmaMin: 100 })).toThrow(/sigmaMin is not below sigmaMax/)
    expect(() => parseContract({ ...edm, output: { name: 'x0', channels: [0, 2] } })).toThrow(
      /output\.channels keeps/,
    )
    expect(() => parseContract('<!doctype html>')).toThrow(/not JSON/)
  })

  test('whatever the text, answers or refuses with a ContractError', () => {
    const attempt = (json: unknown) => {
      try {
        parseContract(json)
      } catch (error) {
        if (!(error instanceof ContractError)) throw error
      }
    }
    fc.assert(fc.property(fc.json(), attempt), { numRuns: 200 })
    fc.assert(fc.property(fc.string(), attempt), { numRuns: 100 })
    fc.assert(fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), attempt))
    attempt('['.repeat(500_000))
    attempt(`{"takes":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`)
    // one field of a good contract, and one inside a field, replaced by anything
    const keys = Object.keys(edm)
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) =>
        attempt({ ...edm, [key]: value }),
      ),
      { numRuns: 300 },
    )
    const nested = ['image', 'inputs', 'output', 'takes'] as const
    fc.assert(
      fc.property(fc.constantFrom(...nested), fc.string(), fc.jsonValue(), (key, field, value) =>
        attempt({ ...edm, [key]: { ...edm[key], [field]: value } }),
      ),
      { numRuns: 300 },
    )
  })
})

describe('timesteps', () => {
  test('DDPM runs from sigma 0.01 to 157, and between timesteps the logarithm is interpolated', () => {
    const sigmas = timestepSigmas({ schedule: 'linear', steps: 1000, betaStart: 1e-4, betaEnd: 0.02 })
    expect(sigmas[0]).toBeCloseTo(Math.sqrt(1e-4 / (1 - 1e-4)), 12)
    expect(sigmas.at(-1)).toBeCloseTo(157.4, 1)
    for (const t of [0, 1, 500, 999]) expect(timestepOf(sigmas, sigmas[t]!)).toBeCloseTo(t, 9)
    expect(timestepOf(sigmas, Math.sqrt(sigmas[40]! * sigmas[41]!))).toBeCloseTo(40.5, 9)
    expect(timestepOf(sigmas, 1e-9)).toBe(0)
    expect(timestepOf(sigmas, 1e9)).toBe(999)
  })

  test('a schedule whose noise does not rise is refused', () => {
    const flat = { schedule: 'linear', steps: 1000, betaStart: 1e-17, betaEnd: 1e-17 } as const
    expect(() => timestepSigmas(flat)).toThrow(ContractError)
  })
})

const port = (name: string, shape: (number | string)[], type: GraphPort['type'] = 'float32'): GraphPort => ({
  name,
  type,
  shape,
})
const convolution = (from: string, to: string, strides: number[]): GraphNode => ({
  op: 'Conv',
  domain: '',
  name: to,
  inputs: [from, 'w'],
  outputs: [to],
  attributes: { strides: { kind: 'ints', value: strides } },
})
const graphOf = (inputs: GraphPort[], outputs: GraphPort[], nodes: GraphNode[] = []): Graph => ({
  name: 'test',
  opset: 17,
  inputs,
  outputs,
  initializers: new Map(),
  nodes,
})

describe('a bare ONNX file', () => {
  test('with x, sigma and x0 leaves only the range open', () => {
    const image = ['batch', 3, 'height', 'width']
    const graph = graphOf(
      [port('x', image), port('sigma', ['batch'])],
      [port('x0', image)],
      [convolution('x', 'a', [2, 2]), convolution('a', 'b', [1, 1]), convolution('b', 'c', [2, 2])],
    )
    const partial = inferContract(graph, { name: 'My photos (2).onnx' })
    expect(partial.questions.map(({ field }) => field)).toEqual(['range'])
    const contract = completeContract(partial, { range: [0, 1] })
    expect(contract).toMatchObject({
      name: 'My-photos-2-',
      image: { channels: 3, height: { multipleOf: 4, minimum: 32, maximum: 256 } },
      takes: { kind: 'sigma' },
      predicts: 'x0',
      process: 've',
      sigmaMax: 80,
    })
    expect(() => completeContract(partial, {})).toThrow(/black and white/)
  })

  test("diffusers' UNet2DModel: an integer timestep asks for its schedule, whose ends are then the noise levels", () => {
    const graph = graphOf(
      [port('sample', [1, 3, 32, 32]), port('timestep', [1], 'int64'), port('class_labels', [1], 'int64')],
      [port('out_sample', [1, 3, 32, 32])],
    )
    const partial = inferContract(graph)
    expect(partial.questions.map(({ field }) => field)).toEqual([
      'takes.alphas',
      'predicts',
      'range',
      'inputs.constants.class_labels',
    ])
    const answers = Object.fromEntries(partial.questions.map(({ field, suggestion }) => [field, suggestion]))
    const contract = completeContract(partial, answers)
    expect(contract).toMatchObject({ process: 'vp', predicts: 'epsilon', batch: 1 })
    expect(contract.inputs.constants).toEqual({ class_labels: 0 })
    expect(contract.sigmaMax).toBeCloseTo(157.4, 1)
  })

  test('with twice the channels has a learned variance, which is left out', () => {
    const graph = graphOf([port('x', ['', 1, 8, 8]), port('t', [''])], [port('out', ['', 2, 8, 8])])
    const partial = inferContract(graph)
    expect(partial.known).toMatchObject({ output: { name: 'out', channels: [0, 1] }, predicts: 'epsilon' })
    expect(partial.questions.map(({ field }) => field)).toEqual(['takes', 'process', 'range'])
    // What is suggested fits together.
    const answers = Object.fromEntries(partial.questions.map(({ field, suggestion }) => [field, suggestion]))
    expect(completeContract(partial, answers)).toMatchObject({ takes: { kind: 'timestep' }, process: 'vp' })
  })

  test('with several inputs that may be the noise level asks which one, and what it is given', () => {
    const image = ['batch', 1, 16, 16]
    const graph = graphOf([port('x', image), port('a', ['batch']), port('b', ['batch'])], [port('x0', image)])
    const { questions } = inferContract(graph)
    expect(questions.map(({ field }) => field)).toEqual(['inputs.noise', 'takes', 'process', 'range'])
    expect(questions[1]!.suggestion).toEqual({ kind: 'sigma' })
  })

  test('that is no denoiser of images is refused', () => {
    const text = graphOf([port('ids', ['', ''], 'int64')], [port('logits', ['', 100])])
    expect(() => inferContract(text)).toThrow(/takes no image/)
    const classifier = graphOf([port('x', [1, 3, 8, 8]), port('t', [1])], [port('logits', [1, 10])])
    expect(() => inferContract(classifier)).toThrow(/gives no image/)
  })
})
