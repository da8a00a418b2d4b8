import { beforeAll, describe, expect, test } from 'vitest'
import type { ImageDenoiser } from '../../src/diffusion/image/types'
import { createCpuVectors } from '../../src/linalg/cpuVectors'
import type { Vector } from '../../src/linalg/vectorSpace'
import { DOMAIN, RandomStream } from '../../src/math/philox'
import type { DenoiserContract } from '../../src/onnx/contract'
import { createOnnxDenoiser } from '../../src/onnx/session/denoiser'
import { nativeRuntime } from '../../src/onnx/session/nodeRuntimes'
import type { OrtRuntime } from '../../src/onnx/session/runtime'
import { smoothImages } from '../../src/onnx/testImages'
import { verifyDenoiser } from '../../src/onnx/verify'
import { gaussianModel } from './gaussianModel'
import { tinyContract } from './tinyModel'

const height = 12
const width = 10
const shape = { channels: 1, height, width } as const
const deviation = 0.4
const truth: DenoiserContract = {
  ...tinyContract('dynamic'),
  image: shape,
  inputs: { x: 'image', noise: 'noise' },
  output: { name: 'prediction' },
  range: [-1, 1],
  takes: { kind: 'sigma' },
  process: 've',
}

/** Draws of the prior that the model knows. */
const images = (() => {
  const normals = new Float64Array(4 * height * width)
  new RandomStream(1, 0).fillNormals(normals, 0, normals.length, 0, 0, DOMAIN.metric)
  return Float32Array.from(normals, (value) => deviation * value)
})()

let runtime: OrtRuntime
beforeAll(async () => {
  runtime = await nativeRuntime()
})

/** The exact Gaussian model, read with a contract that is right but for `changes`. */
function denoiserOf(changes: Partial<DenoiserContract> = {}, mean = 0) {
  return createOnnxDenoiser({
    graph: gaussianModel({ contract: truth, mean, deviation, batch: 4, height, width }),
    contract: { ...truth, ...changes },
    shape,
    batch: 4,
    space: createCpuVectors(),
    runtime,
    derivatives: ['vjp', 'jvp'],
  })
}

async function statuses(denoiser: ImageDenoiser, reference?: ImageDenoiser) {
  const fractions: number[] = []
  const report = await verifyDenoiser(denoiser, {
    seed: 3,
    sigmaMin: 0.01,
    sigmaMax: 10,
    images,
    ...(reference && { reference }),
    onProgress: (fraction) => fractions.push(fraction),
  })
  expect(fractions.every((fraction, i) => fraction >= (fractions[i - 1] ?? 0) && fraction <= 1)).toBe(true)
  return { report, ...Object.fromEntries(report.checks.map(({ name, status }) => [name, status])) }
}

describe('verification', () => {
  test('passes an exact denoiser, and finds its Jacobian symmetric', async () => {
    const found = await statuses(denoiserOf(), denoiserOf())
    const { time: _, report, ...checks } = found as Record<string, unknown> & { report: { solver: string } }
    expect(checks).toEqual({
      finite: 'pass',
      falling: 'pass',
      useful: 'pass',
      adjoint: 'pass',
      differences: 'pass',
      symmetric: 'pass',
      providers: 'pass',
    })
    expect(report.solver).toBe('cg')
  })

  test.each([
    ['predicts', { predicts: 'x0' }],
    ['predicts', { predicts: 'v' }],
    ['process', { process: 'vp' }],
    ['takes', { takes: { kind: 'log-sigma', scale: 1 } }],
    ['range', { range: [0, 255] }],
  ] as const)('a wrong %s in the contract fails', async (_, changes) => {
    const { report } = await statuses(denoiserOf(changes as Partial<DenoiserContract>))
    expect(report.status).toBe('fail')
  })

  test('NaN, a wrong VJP and a provider with other numbers are found', async () => {
    const nan = await statuses(denoiserOf({}, NaN))
    expect(nan).toMatchObject({ finite: 'fail' })
    expect(nan.report.checks).toHaveLength(1)

    const right = denoiserOf()
    const wrong: ImageDenoiser = {
      ...right,
      space: right.space,
      shape: right.shape,
      batch: right.batch,
      passes: right.passes,
      denoise: (...given) => right.denoise(...given),
      async linearize(xT, sigma) {
        const linear = await right.linearize(xT, sigma)
        return {
          ...linear,
          async vjp(v, out) {
            await linear.vjp(v, out)
            right.space.combine(out, [{ factor: 1.02, vector: out }])
          },
        }
      },
      release: () => right.release(),
    }
    const found = await statuses(wrong, denoiserOf())
    expect(found).toMatchObject({ adjoint: 'fail', providers: 'fail', differences: 'pass' })
    expect(await statuses(denoiserOf(), denoiserOf({}, 0.5))).toMatchObject({ providers: 'fail' })
  })

  test('a Jacobian that is no covariance is found', async () => {
    const right = denoiserOf()
    const negated =
      (product: (v: Vector, out: Vector) => Promise<void>) => async (v: Vector, out: Vector) => {
        await product(v, out)
        right.space.combine(out, [{ factor: -1, vector: out }])
      }
    const negative: ImageDenoiser = {
      space: right.space,
      shape: right.shape,
      batch: right.batch,
      passes: right.passes,
      denoise: (...given) => right.denoise(...given),
      async linearize(xT, sigma) {
        const { xHat, vjp, jvp } = await right.linearize(xT, sigma)
        return { xHat, vjp: negated(vjp), jvp: negated(jvp) }
      },
      release: () => right.release(),
    }
    const { report, symmetric } = (await statuses(negative)) as Awaited<ReturnType<typeof statuses>> & {
      symmetric: string
    }
    expect(symmetric).toBe('warn')
    expect(report.solver).toBe('gmres')
  })

  test('ends when it is cancelled', async () => {
    const controller = new AbortController()
    controller.abort(new Error('no more'))
    const attempt = verifyDenoiser(denoiserOf(), {
      seed: 1,
      sigmaMin: 0.1,
      sigmaMax: 1,
      signal: controller.signal,
    })
    await expect(attempt).rejects.toThrow('no more')
  })

  test('the images it makes are smooth, differ, and stay in [-1, 1]', () => {
    const size = 3 * 32 * 32
    const made = smoothImages({ channels: 3, height: 32, width: 32 }, 2, 5)
    expect(made.every((value) => Math.abs(value) <= 1)).toBe(true)
    const mean = made.reduce((sum, value) => sum + value * value, 0) / made.length
    const rough =
      made.reduce((sum, value, i) => sum + (i % 32 ? (value - made[i - 1]!) ** 2 : 0), 0) / made.length
    expect(mean).toBeGreaterThan(0.02)
    expect(rough).toBeLessThan(0.1 * mean)
    expect(made.subarray(0, size)).not.toEqual(made.subarray(size))
  })
})
