import { describe, expect, it } from 'vitest'
import type { SampleRequest } from '../../src/diffusion/backend'
import { createCpuBackend } from '../../src/diffusion/cpuBackend'
import { initializeWeights } from '../../src/diffusion/mlp'
import { samplerPlan } from '../../src/diffusion/samplers'
import { logLinearSchedule } from '../../src/diffusion/schedule'
import type { PosteriorOptions } from '../../src/diffusion/types'
import type { SampleSlice } from '../../src/gpu/kernels/sample'
import { relativeError } from '../golden/load'
import { openTestDevice } from './adapter'
import { NetworkKernels } from './networkKernels'

const { scope } = await openTestDevice()
const cpu = createCpuBackend()
const schedule = logLinearSchedule(1e-2, 5)

const wave = (length: number, phase: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898 + phase))

/** A request for `count` samples given m-row observations (m = 0: of the prior). */
function makeRequest(
  features: number,
  observed: number,
  hidden: number,
  count: number,
  posterior: Partial<PosteriorOptions> = {},
): SampleRequest {
  const network = { features, embedding: 6, hidden, hiddenLayers: 3 }
  return {
    prior: { kind: 'mlp', network, weights: initializeWeights(network, 3) },
    plan: samplerPlan('pc', schedule, { steps: 3, eta: 0.5, corrections: 1, delta: 0.1 }),
    count,
    mean: Float64Array.from(wave(features, 9)),
    startSigma: schedule.sigmaMax,
    seed: 2 ** 32 - 5,
    stream: 7,
    ...(observed > 0 && {
      observations: {
        count,
        features,
        observed,
        A: wave(count * observed * features, 1),
        y: wave(count * observed, 2),
        sigmaY: 0.3,
      },
      posterior: {
        covariance: 'tweedie',
        solver: 'exact',
        solverIterations: 2,
        safeguard: 'psd',
        ...posterior,
      },
    }),
  }
}

/** Samples of a request on the GPU, by slices. */
function draw(request: SampleRequest, slices: SampleSlice[], sharedObservation = false) {
  const { prior, plan, count, observations, posterior, ...settings } = request
  if (prior.kind !== 'mlp') throw new Error('These requests are for networks.')
  const { network: shape, weights } = prior
  return new NetworkKernels(scope, { shape, weights }).sample(
    plan,
    new Float32Array(count * shape.features),
    slices,
    { ...settings, sharedObservation, sigmaY: observations?.sigmaY },
    observations && posterior && { ...posterior, ...observations },
  )
}

const inOne = ({ count, plan }: SampleRequest): SampleSlice[] => [
  { begin: 0, end: count, first: 0, last: plan.length, start: true },
]

describe('the sampler kernel equals its float64 twin', () => {
  it.each<[string, SampleRequest]>([
    ['the prior, n = 3', makeRequest(3, 0, 20, 7)],
    ['exact, n = 3, m = 2', makeRequest(3, 2, 20, 7)],
    ['exact, n = 8, m = 8', makeRequest(8, 8, 16, 18)],
    ['CG without safeguard', makeRequest(5, 2, 16, 5, { solver: 'cg', safeguard: 'none' })],
    ['GMRES', makeRequest(5, 3, 16, 5, { solver: 'gmres', solverIterations: 3 })],
    ['BiCGSTAB', makeRequest(4, 1, 16, 5, { solver: 'bicgstab', solverIterations: 1 })],
    ['identity covariance', makeRequest(3, 2, 16, 5, { covariance: 'identity' })],
    ['TMPD', makeRequest(3, 2, 16, 5, { covariance: 'tmpd' })],
    ['DPS', makeRequest(3, 2, 16, 5, { method: 'dps' })],
    ['JFPS', makeRequest(2, 1, 16, 5, { method: 'jfps', covX: Float64Array.of(1, 0.3, 0.3, 0.5) })],
    [
      'Gaussian covariance',
      makeRequest(2, 1, 16, 5, { covariance: 'gaussian', covX: Float64Array.of(1, 0.3, 0.3, 0.5) }),
    ],
  ])('%s', async (_, request) => {
    const expected = await cpu.sample(request)
    // rounding grows from step to step, more where the posterior pulls hard
    expect(relativeError(await draw(request, inOne(request)), expected)).toBeLessThan(1e-3)
  })
})

describe('slices', () => {
  const request = makeRequest(3, 2, 20, 37)
  const { count, plan } = request

  it('do not change a bit', async () => {
    const whole = await draw(request, inOne(request))
    const bySteps = plan.map((__, step) => ({
      begin: 0,
      end: count,
      first: step,
      last: step + 1,
      start: step === 0,
    }))
    const bySamples = [0, 5, 30].map((begin, i, begins) => ({
      begin,
      end: begins[i + 1] ?? count,
      first: 0,
      last: plan.length,
      start: true,
    }))
    expect(await draw(request, bySteps)).toEqual(whole)
    expect(await draw(request, bySamples)).toEqual(whole)
  })

  it('of one observation serve all samples', async () => {
    const { observations } = request
    const { A, y } = observations!
    const repeated = {
      ...request,
      observations: { ...observations!, A: A.map((__, i) => A[i % 6]!), y: y.map((__, i) => y[i % 2]!) },
    }
    expect(await draw(request, inOne(request), true)).toEqual(await draw(repeated, inOne(request)))
  })
})
