import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { createCpuVectors } from '../../src/linalg/cpuVectors'
import { ContractError, type DenoiserContract, parseContract } from '../../src/onnx/contract'
import { withFloatInput } from '../../src/onnx/floatInput'
import type { Graph } from '../../src/onnx/graph'
import { readModel } from '../../src/onnx/model'
import { createOnnxDenoiser } from '../../src/onnx/session/denoiser'
import { evaluateModel } from '../../src/onnx/session/evaluate'
import { NonFiniteOutputError } from '../../src/onnx/session/errors'
import { nativeRuntime, nodeWasmRuntime } from '../../src/onnx/session/nodeRuntimes'
import type { OrtRuntime } from '../../src/onnx/session/runtime'
import { specialize } from '../../src/onnx/simplify'
import { timestepSigmas } from '../../src/onnx/timesteps'
import { wrapModel } from '../../src/onnx/wrap'
import { type GaussianOptions, gaussianModel } from './gaussianModel'
import { draw } from './graphs'

const alphas = { schedule: 'linear', steps: 1000, betaStart: 1e-4, betaEnd: 0.02 } as const
const sigmas = timestepSigmas(alphas)
const takes = {
  sigma: { kind: 'sigma' },
  'log-sigma': { kind: 'log-sigma', scale: 0.25 },
  timestep: { kind: 'timestep', alphas },
} as const
const height = 3
const width = 5

function contractOf(changes: Partial<DenoiserContract>): DenoiserContract {
  return parseContract({
    version: 1,
    name: 'gaussian',
    title: 'Gaussian',
    description: '',
    image: { channels: 1, height, width },
    batch: 'dynamic',
    range: [-1, 1],
    inputs: { x: 'image', noise: 'noise' },
    output: { name: 'prediction' },
    predicts: 'x0',
    takes: takes.sigma,
    process: 've',
    sigmaMin: 0.01,
    sigmaMax: 80,
    licence: 'MIT',
    ...changes,
  })
}

let runtime: OrtRuntime
beforeAll(async () => {
  runtime = await nativeRuntime()
})

const rows = (batch: number, size = height * width) =>
  Float32Array.from({ length: batch * size }, (_, i) => 2 * Math.sin(1.7 * i + 0.3))

/** Largest errors of d, Jᵀ v and J u against the exact ones, relative to what d may be. */
async function errors(options: GaussianOptions, batch: number, sigma: number, on = runtime) {
  const space = createCpuVectors()
  const { contract } = options
  const { channels } = contract.image
  const denoiser = createOnnxDenoiser({
    graph: gaussianModel(options),
    contract,
    shape: { channels, height, width },
    batch,
    space,
    runtime: on,
    derivatives: ['vjp', 'jvp'],
  })
  const size = channels * height * width
  const xT = space.vector('x', batch, size)
  const [plain, vjp, jvp] = ['plain', 'vjp', 'jvp'].map((label) => space.vector(label, batch, size)) as [
    typeof xT,
    typeof xT,
    typeof xT,
  ]
  const x = rows(batch, size)
  space.write(xT, x)
  await denoiser.denoise(xT, sigma, plain)
  const linear = await denoiser.linearize(xT, sigma)
  await linear.vjp(xT, vjp)
  await linear.jvp(xT, jvp)
  const [low, high] = contract.range
  const scale = (high - low) / 2
  const mean = (options.mean - (high + low) / 2) / scale
  const variance = (options.deviation / scale) ** 2
  const gain = variance / (variance + sigma * sigma)
  const [d, xHat, j, jt] = await space.readTogether([plain, linear.xHat, jvp, vjp])
  const worst = (found: Float32Array, exact: (x: number) => number) =>
    found.reduce((most, value, i) => Math.max(most, Math.abs(value - exact(x[i]!))), 0)
  const result = {
    denoised: worst(d!, (x) => mean + gain * (x - mean)),
    xHat: worst(xHat!, (x) => mean + gain * (x - mean)),
    jvp: worst(j!, (x) => gain * x),
    vjp: worst(jt!, (x) => gain * x),
  }
  const { facts, passes } = denoiser
  await denoiser.release()
  return { ...result, facts, passes }
}

describe('an ONNX model as a denoiser', () => {
  const cases = (['x0', 'epsilon', 'v', 'score'] as const).flatMap((predicts) =>
    (['sigma', 'log-sigma', 'timestep'] as const).flatMap((kind) =>
      (['ve', 'vp'] as const).flatMap((process) =>
        (
          [
            [-1, 1],
            [0, 255],
          ] as const
        ).map((range) => ({ predicts, kind, process, range })),
      ),
    ),
  )
  test.each(cases)(
    'that predicts $predicts, takes $kind, $process, over $range, is E[x | x_t] with its derivatives',
    async ({ predicts, kind, process, range }) => {
      const scale = (range[1] - range[0]) / 2
      const centre = (range[1] + range[0]) / 2
      const contract = contractOf({ predicts, takes: takes[kind], process, range: [...range] })
      const options = {
        contract,
        mean: centre + 0.2 * scale,
        deviation: 0.6 * scale,
        batch: 2,
        height,
        width,
      }
      // levels that a timestep hits exactly, in the model's own units
      for (const t of [150, 600]) {
        const found = await errors(options, 2, sigmas[t]! / scale)
        // epsilon, v and score lose digits where they are subtracted from x: |x| ≤ 2, a float32 has 6e-8
        expect(Math.max(found.denoised, found.xHat)).toBeLessThan(2e-5)
        expect(Math.max(found.vjp, found.jvp)).toBeLessThan(2e-5)
      }
    },
  )

  test('keeps the prediction of three channels and leaves the learned variance out', async () => {
    const contract = contractOf({
      predicts: 'epsilon',
      process: 'vp',
      image: { channels: 3, height, width },
      output: { name: 'prediction', channels: [0, 3] },
    })
    const found = await errors({ contract, mean: 0, deviation: 0.5, batch: 1, height, width }, 1, 0.7)
    expect(Math.max(found.denoised, found.vjp, found.jvp)).toBeLessThan(1e-5)
  })

  test('computes a float16 model in float32', async () => {
    const options = { contract: contractOf({}), mean: 0.25, deviation: 0.5, batch: 1, height, width }
    const found = await errors({ ...options, type: 'float16' }, 1, 0.5)
    expect(Math.max(found.denoised, found.vjp, found.jvp)).toBeLessThan(1e-3)
  })

  test('whose batch is fixed runs in chunks, the last one partly filled', async () => {
    const contract = contractOf({ batch: 2, predicts: 'epsilon' })
    const found = await errors({ contract, mean: 0, deviation: 0.5, batch: 2, height, width }, 5, 0.7)
    expect(Math.max(found.denoised, found.vjp, found.jvp)).toBeLessThan(1e-5)
    expect(found.facts.chunks).toBe(3)
    expect(found.passes).toEqual({ forward: 2, vjp: 1, jvp: 1 })
  })

  test('takes an integer timestep as a float where it is only cast, and as an index where it is one', async () => {
    const graph = readModel(await readFile('test/fixtures/onnx/unet-diffusers.onnx'))
    const contract = contractOf({
      image: { channels: 1, height: 16, width: 16 },
      inputs: { x: 'sample', noise: 'timestep' },
      output: { name: graph.outputs[0]!.name },
      predicts: 'epsilon',
      process: 'vp',
      takes: takes.timestep,
    })
    const wrapped = wrapModel(graph, contract, { channels: 1, height: 16, width: 16 }, 1)
    const typed = specialize(wrapped.graph, wrapped.inputTypes)
    const type = (of: Graph, name: string) => of.inputs.find((port) => port.name === name)?.type
    expect(type(typed.graph, 'timestep')).toBe('int64')
    const changed = specialize(withFloatInput(typed.graph, 'timestep'), {}).graph
    expect(type(changed, 'timestep')).toBe('float32')
    const run = async (of: Graph, noise: 'int64' | 'float32') => {
      const feeds = {
        [wrapped.x]: { type: 'float32', shape: [1, 1, 16, 16], data: Float64Array.from(rows(1, 256)) },
        ...Object.fromEntries(
          Object.entries(wrapped.feeds(0.7)).map(([name, { shape, values }]) => [
            name,
            {
              type: name === 'timestep' ? noise : 'float32',
              shape,
              data: Float64Array.from(values),
            } as const,
          ]),
        ),
      } as const
      return (await evaluateModel(runtime, { forward: of, residuals: [] }, wrapped.output, feeds, {})).output
    }
    expect(await run(changed, 'float32')).toEqual(await run(typed.graph, 'int64'))

    const indexed = gaussianModel({
      contract: contractOf({ takes: takes.timestep }),
      mean: 0,
      deviation: 1,
      batch: 1,
      height,
      width,
    })
    expect(withFloatInput(indexed, 'noise')).toBe(indexed)
  })

  test('on the WASM provider gives the same', async () => {
    const wasm = await nodeWasmRuntime()
    const options = { contract: contractOf({ predicts: 'v', process: 'vp' }), mean: 0.1, deviation: 0.5 }
    const found = await errors({ ...options, batch: 2, height, width }, 2, 0.7, wasm)
    expect(Math.max(found.denoised, found.vjp, found.jvp)).toBeLessThan(1e-5)
  })

  test('loads one model for a method without derivatives', async () => {
    const space = createCpuVectors()
    const contract = contractOf({})
    const graph = gaussianModel({ contract, mean: 0, deviation: 1, batch: 1, height, width })
    const shape = { channels: 1, height, width } as const
    const made = { graph, contract, shape, batch: 1, space, runtime }
    const denoiser = createOnnxDenoiser({ ...made, derivatives: [] })
    const [xT, out] = [space.vector('x', 1, 15), space.vector('out', 1, 15)]
    await denoiser.denoise(xT, 1, out)
    expect(denoiser.facts.sessions.map(({ what }) => what)).toEqual(['the model'])
    await expect(denoiser.linearize(xT, 1)).rejects.toThrow(/without derivatives/)
    await denoiser.release()
    // a linearization ends with the next one
    const other = createOnnxDenoiser({ ...made, derivatives: ['vjp'] })
    const linear = await other.linearize(xT, 1)
    await other.linearize(xT, 1)
    await expect(linear.vjp(xT, out)).rejects.toThrow(/has ended/)
    await expect((await other.linearize(xT, 1)).jvp(xT, out)).rejects.toThrow(/without the JVP/)
    await other.release()
  })

  test.each([
    ['x0', [1, 6, height, width]],
    ['x0', [1, 1, height, width]],
    ['epsilon', [1, 6, height, width]],
    // would be broadcast to all channels
    ['epsilon', [1, 1, height, width]],
  ] as const)('that predicts %s of shape %j is no denoiser of three channels', (predicts, shape) => {
    const graph = draw(17, { image: [1, 3, height, width], noise: [1] }, (build) => ({
      prediction: build.expand(build.reduceMean('image', [1], true), shape),
    }))
    const attempt = () =>
      createOnnxDenoiser({
        graph,
        contract: contractOf({ predicts, image: { channels: 3, height, width } }),
        shape: { channels: 3, height, width },
        batch: 1,
        space: createCpuVectors(),
        runtime,
        derivatives: ['vjp'],
      })
    expect(attempt).toThrow(
      `output is [${shape.join(', ')}] where an image like its input is needed, [1, 3, 3, 5]`,
    )
  })

  test('names numbers that are not finite', async () => {
    const space = createCpuVectors()
    const contract = contractOf({ predicts: 'epsilon', process: 'vp' })
    const graph = gaussianModel({ contract, mean: NaN, deviation: 1, batch: 1, height, width })
    const shape = { channels: 1, height, width } as const
    const denoiser = createOnnxDenoiser({ graph, contract, shape, batch: 1, space, runtime, derivatives: [] })
    const [xT, out] = [space.vector('x', 1, 15), space.vector('out', 1, 15)]
    await expect(denoiser.denoise(xT, 1, out)).rejects.toBeInstanceOf(NonFiniteOutputError)
    await denoiser.release()
  })

  test('says where contract, model and image do not go together', () => {
    const contract = contractOf({})
    const graph = gaussianModel({ contract, mean: 0, deviation: 1, batch: 1, height, width })
    const attempt = (changes: Partial<DenoiserContract>, shape = { channels: 1, height, width }) =>
      createOnnxDenoiser({
        graph,
        contract: contractOf(changes),
        shape,
        batch: 1,
        space: createCpuVectors(),
        runtime,
        derivatives: [],
      })
    expect(() => attempt({ inputs: { x: 'x', noise: 'noise' } })).toThrow(
      /inputs\.x is "x", but .* "image", "noise"/,
    )
    expect(() => attempt({ inputs: { x: 'image', noise: 'image' } })).toThrow(/choose another input/)
    expect(() => attempt({ output: { name: 'eps' } })).toThrow(/no output of that name/)
    expect(() => attempt({}, { channels: 1, height: 4, width })).toThrow(
      /image\.height is 3 pixels, the image has 4/,
    )
    expect(() => attempt({ image: { channels: 3, height, width } }, { channels: 3, height, width })).toThrow(
      /takes \[1, 1, 3, 5\] and would be given \[1, 3, 3, 5\]/,
    )
    expect(() => attempt({ inputs: { x: 'image', noise: 'noise', constants: { y: 1 } } })).toThrow(
      ContractError,
    )
  })
})
