import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TrajectoryRequest } from '../../src/diffusion/backend'
import { createCpuBackend } from '../../src/diffusion/cpuBackend'
import { mixtureCovariance } from '../../src/diffusion/mixture'
import { samplerPlan } from '../../src/diffusion/samplers'
import { logLinearSchedule } from '../../src/diffusion/schedule'
import type { Mixture, PosteriorOptions } from '../../src/diffusion/types'
import { type WebGpuBackend, createWebGpuBackend } from '../../src/gpu/backend'
import { priorShape } from '../../src/gpu/kernels/denoiserModule'
import { packPlan, posteriorKernelOptions } from '../../src/gpu/kernels/posteriorPlan'
import { SampleKernel, type SampleSlice } from '../../src/gpu/kernels/sample'
import { relativeError } from '../golden/load'
import { gpu, openTestDevice } from './adapter'

/**
 * float32 rounds to 6e-8, and x passes through eleven steps. A step multiplies differences by up to sigma_t²/sigma_y² (V = 0) or
 * ζ/‖y - A d‖ (DPS) in directions where J is large; so sigma_y is wide here and ζ small. The float64 twin itself,
 * started 1e-6 away, moves as far as the kernel does. Measured: 3e-7 for most methods, 1e-6 for V = 0, 2e-6 for DPS.
 */
const TOLERANCE = 1e-5

const { scope } = await openTestDevice()
const cpu = createCpuBackend()
const schedule = logLinearSchedule(1e-2, 5)
const plan = samplerPlan('pc', schedule, { steps: 5, eta: 0.5, corrections: 1, delta: 0.1 })
const wave = (length: number, phase: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898 + phase))

/** 41 components on a curve in R^features. */
function makeMixture(features: number): Mixture {
  const means = Float64Array.from({ length: 41 * features }, (_, i) =>
    Math.fround(2 * Math.sin((1 + (i % features)) * Math.floor(i / features) * 0.15 + (i % features))),
  )
  return { features, means, thickness: 0.125 }
}

/** `own`: each sample has its observation; else they share one. */
function makeRequest(
  features: number,
  observed: number,
  posterior: Partial<PosteriorOptions> = {},
  own = false,
): TrajectoryRequest {
  const mixture = makeMixture(features)
  const count = 67
  const observations = own ? count : 1
  return {
    prior: { kind: 'mixture', mixture },
    plan,
    count,
    mean: Float64Array.from(wave(features, 9)),
    startSigma: schedule.sigmaMax,
    seed: 2 ** 32 - 5,
    stream: 7,
    frames: [0, 3, plan.length - 1],
    ...(observed > 0 && {
      observations: {
        count: observations,
        features,
        observed,
        A: wave(observations * observed * features, 1),
        y: wave(observations * observed, 2),
        sigmaY: 0.5,
      },
      posterior: {
        covariance: 'tweedie',
        solver: 'exact',
        solverIterations: 2,
        safeguard: 'none',
        covX: mixtureCovariance(mixture),
        ...posterior,
      },
    }),
  }
}

let backend: WebGpuBackend
beforeAll(async () => {
  backend = await createWebGpuBackend(gpu)
})
afterAll(() => backend.destroy())

describe('samples of a mixture and their frames equal the float64 twin', () => {
  it.each<[string, TrajectoryRequest]>([
    ['the prior, n = 2', makeRequest(2, 0)],
    ['the prior, n = 5', makeRequest(5, 0)],
    ['MMPS, n = 2, m = 1', makeRequest(2, 1)],
    ['MMPS, n = 3, m = 2, own observations', makeRequest(3, 2, {}, true)],
    ['MMPS, n = 5, m = 2, GMRES, safeguard', makeRequest(5, 2, { solver: 'gmres', safeguard: 'psd' })],
    ['zero', makeRequest(3, 1, { covariance: 'zero' })],
    ['identity', makeRequest(3, 1, { covariance: 'identity' })],
    ['ΠGDM', makeRequest(3, 1, { covariance: 'pigdm' })],
    ['Gaussian', makeRequest(3, 1, { covariance: 'gaussian' })],
    ['TMPD, own observations', makeRequest(3, 2, { covariance: 'tmpd' }, true)],
    ['DPS, n = 2', makeRequest(2, 1, { method: 'dps', guidance: 0.125 })],
    ['DPS, n = 3, m = 2, own observations', makeRequest(3, 2, { method: 'dps', guidance: 0.125 }, true)],
    ['DiffPIR', makeRequest(3, 2, { method: 'diffpir', proximity: 3 })],
    ['JFPS', makeRequest(2, 1, { method: 'jfps', solver: 'cg' })],
  ])('%s', async (_, request) => {
    const [actual, expected] = [await backend.trajectory(request), await cpu.trajectory(request)]
    expect(relativeError(actual.samples, expected.samples)).toBeLessThan(TOLERANCE)
    expect(relativeError(actual.frames, expected.frames)).toBeLessThan(TOLERANCE)
  })
})

describe('the same bits', () => {
  const request = makeRequest(3, 2, { covariance: 'tmpd' }, true)
  const { prior, count, observations, posterior, frames } = request
  const features = 3

  it('come from the same seed, with frames or without; others from another', async () => {
    const first = await backend.trajectory(request)
    expect(await backend.trajectory(request)).toEqual(first)
    expect(await backend.sample(request)).toEqual(first.samples)
    expect(await backend.sample({ ...request, seed: 3 })).not.toEqual(first.samples)
  })

  it('come from any slices', async () => {
    const kernel = await SampleKernel.create(
      scope.device,
      priorShape(prior),
      posteriorKernelOptions(2, posterior!),
    )
    /** x and the frames after slices, each in its own submit. */
    async function draw(slices: readonly SampleSlice[]): Promise<Float32Array> {
      const state = scope.storage('state', (1 + frames.length) * count * features * 4)
      const buffers = {
        plan: scope.upload('plan', packPlan(plan, posterior, frames)),
        state,
        observations: { A: scope.upload('A', observations!.A), y: scope.upload('y', observations!.y) },
      }
      const bound = kernel.bind(scope, prior, buffers, { ...request, sigmaY: observations!.sigmaY })
      for (const slice of slices) {
        const encoder = scope.device.createCommandEncoder()
        const pass = encoder.beginComputePass()
        bound.encode(pass, slice)
        pass.end()
        scope.submit(encoder)
      }
      return new Float32Array(await scope.read(state, (1 + frames.length) * count * features * 4))
    }
    const whole: SampleSlice = { begin: 0, end: count, first: 0, last: plan.length, start: true }
    const bySteps = plan.map((__, step): SampleSlice => {
      return { begin: 0, end: count, first: step, last: step + 1, start: step === 0 }
    })
    const bySamples = [0, 5, 66].map((begin, i, begins): SampleSlice => {
      return { begin, end: begins[i + 1] ?? count, first: 0, last: plan.length, start: true }
    })
    const expected = await draw([whole])
    expect(await draw(bySteps)).toEqual(expected)
    expect(await draw(bySamples)).toEqual(expected)
    const { samples, frames: kept } = await backend.trajectory(request)
    expect(Float32Array.of(...samples, ...kept)).toEqual(expected)
  })
})

describe('a request', () => {
  it('compiles nothing for other numbers', () => {
    const options = (posterior: Partial<PosteriorOptions>) =>
      posteriorKernelOptions(1, makeRequest(2, 1, posterior).posterior!)
    expect(options({ covariance: 'zero' })).toEqual(options({ covariance: 'pigdm' }))
    expect(options({ method: 'dps', guidance: 2 })).toEqual(
      options({ method: 'dps', covariance: 'gaussian' }),
    )
    expect(options({ method: 'diffpir', proximity: 2 })).toEqual(options({ method: 'diffpir' }))
    expect(options({ method: 'jfps' })).not.toEqual(options({ covariance: 'gaussian' }))
    const shape = priorShape(makeRequest(2, 0).prior)
    expect(
      priorShape({ kind: 'mixture', mixture: { features: 2, means: new Float64Array(4), thickness: 1 } }),
    ).toEqual(shape)
  })

  it.each<[string, TrajectoryRequest]>([
    ['Frames are steps of the plan, ascending, from 0 to 10.', { ...makeRequest(2, 0), frames: [3, 3] }],
    ['Frames are steps of the plan, ascending, from 0 to 10.', { ...makeRequest(2, 0), frames: [11] }],
    ['DiffPIR needs λ above 0, got 0.', makeRequest(2, 1, { method: 'diffpir', proximity: 0 })],
    ['The covariance "gaussian" needs Sigma_x', makeRequest(2, 1, { method: 'jfps', covX: undefined })],
  ])('%s', async (message, request) => {
    await expect(backend.trajectory(request)).rejects.toThrow(message)
  })
})
