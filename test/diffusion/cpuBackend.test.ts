import { describe, expect, test } from 'vitest'
import {
  NonFiniteLossError,
  type JobProgress,
  type SampleRequest,
  type TrainRequest,
} from '../../src/diffusion/backend'
import { createCpuBackend } from '../../src/diffusion/cpuBackend'
import { trainingBatch } from '../../src/diffusion/cpuTraining'
import { initializeWeights } from '../../src/diffusion/mlp'
import {
  mixtureCovariance,
  mixtureLogLikelihoods,
  mixtureMoments,
  mmpsScore,
} from '../../src/diffusion/mixture'
import { MlpDenoiser } from '../../src/diffusion/mlpDenoiser'
import { samplerPlan } from '../../src/diffusion/samplers'
import { logLinearSchedule } from '../../src/diffusion/schedule'
import { transportCost } from '../../src/math/sinkhorn'
import { covariance, mean } from '../../src/math/statistics'

const backend = createCpuBackend()
const network = { features: 2, embedding: 8, hidden: 16, hiddenLayers: 3 }
const schedule = logLinearSchedule(1e-2, 10)

const training: TrainRequest = {
  network,
  weights: initializeWeights(network, 1),
  samples: Float32Array.from({ length: 512 }, (_, i) => (i % 2 ? -1 : 1) + 0.3 * Math.sin(i * i)),
  steps: 400,
  batch: 128,
  learningRate: { start: 1e-2, end: 1e-4 },
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  clipNorm: 1,
  sigmaMin: 1e-2,
  sigmaMax: 10,
  time: { alpha: 3, beta: 3 },
  averaging: 0.95,
  seed: 1,
  stream: 2,
}

function sampling(weights: Float32Array, changes: Partial<SampleRequest> = {}): SampleRequest {
  return {
    prior: { kind: 'mlp', network, weights },
    plan: samplerPlan('pc', schedule, { steps: 12, eta: 0, corrections: 1, delta: 0.1 }),
    count: 70,
    mean: Float64Array.of(1, -1),
    startSigma: 10,
    seed: 5,
    stream: 1,
    ...changes,
  }
}

/** Observations of x_0 alone, y = 1.2 for everyone. */
function observations(count: number) {
  const A = Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 ? 0 : 1))
  return { count, features: 2, observed: 1, A, y: new Float32Array(count).fill(1.2), sigmaY: 0.05 }
}

describe('training on the CPU', () => {
  test('a trained denoiser draws samples like the training set, unconditionally and given an observation', async () => {
    const { weights, losses } = await backend.train(training)
    const early = losses.slice(0, 10).reduce((a, b) => a + b) / 10
    const late = losses.slice(-10).reduce((a, b) => a + b) / 10
    expect(late).toBeLessThan(0.7 * early)
    const count = 400
    const prior = await backend.sample(sampling(weights, { count }))
    const target = mean(training.samples, 2)
    mean(prior, 2).forEach((value, j) => expect(Math.abs(value - target[j]!)).toBeLessThan(0.12))
    const spread = covariance(prior, 2)
    const expected = covariance(training.samples, 2)
    for (const k of [0, 3]) expect(Math.abs(spread[k]! / expected[k]! - 1)).toBeLessThan(0.6)
    const posterior = await backend.sample(
      sampling(weights, {
        count,
        observations: observations(count),
        posterior: {
          covariance: 'gaussian',
          solver: 'exact',
          solverIterations: 1,
          safeguard: 'none',
          covX: covariance(training.samples, 2),
        },
      }),
    )
    const [x0, x1] = mean(posterior, 2)
    expect(Math.abs(x0! - 1.2)).toBeLessThan(0.06)
    expect(Math.abs(x1! - target[1]!)).toBeLessThan(0.25)
  })

  test('without averaging the last weights return, and progress reaches the end', async () => {
    const seen: JobProgress[] = []
    const request = { ...training, steps: 5, averaging: 0 }
    const last = await backend.train(request, { onProgress: (progress) => seen.push(progress) })
    const averaged = await backend.train({ ...request, averaging: 0.9 })
    expect(averaged.losses).toEqual(last.losses)
    expect(averaged.weights).not.toEqual(last.weights)
    expect(seen.at(-1)).toMatchObject({ done: 5, total: 5 })
    expect(seen.at(-1)!.flops).toBeGreaterThan(0)
    expect(seen.at(-1)!.loss).toBeGreaterThan(0)
  })

  test('the first loss is that of the batch drawn for step 0', async () => {
    const { losses } = await backend.train({ ...training, steps: 1 })
    const { x, z, sigma } = trainingBatch(training, 0, 0, training.batch)
    const denoiser = new MlpDenoiser(network, Float64Array.from(training.weights))
    const gradient = new Float64Array(training.weights.length)
    expect(losses[0]).toBe(Math.fround(denoiser.addLossGradient(gradient, x, z, sigma, 1 / training.batch)))
  })

  test('a loss that is not a number stops with its step', async () => {
    const samples = training.samples.slice().fill(NaN)
    const failing = backend.train({ ...training, samples })
    await expect(failing).rejects.toThrow(NonFiniteLossError)
    await expect(failing).rejects.toMatchObject({ step: 0 })
  })
})

describe('jobs on the CPU', () => {
  const weights = initializeWeights(network, 2)

  test('the same seed gives the same samples, another stream others, and none depends on the count', async () => {
    const first = await backend.sample(sampling(weights))
    expect(await backend.sample(sampling(weights))).toEqual(first)
    const few = await backend.sample(sampling(weights, { count: 9 }))
    few.forEach((value, i) => expect(Math.abs(value - first[i]!)).toBeLessThan(1e-6))
    expect(await backend.sample(sampling(weights, { stream: 2 }))).not.toEqual(first)
  })

  test('an aborted job rejects with the signal’s reason, also while paused', async () => {
    const reason = new Error('stop')
    const before = AbortSignal.abort(reason)
    await expect(backend.sample(sampling(weights), { signal: before })).rejects.toBe(reason)
    const controller = new AbortController()
    const paused = backend.train(training, {
      signal: controller.signal,
      ready: () => new Promise(() => undefined),
    })
    setTimeout(() => controller.abort(reason), 5)
    await expect(paused).rejects.toBe(reason)
  })

  test('a long job lets timers run, previews and reports', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 10)
    const seen: number[] = []
    let previews = 0
    const plan = samplerPlan('ddpm', schedule, { steps: 64, eta: 0, corrections: 0, delta: 0 })
    await backend.sample(sampling(weights, { plan, count: 1500, histogram: { bins: 8, range: 30 } }), {
      onProgress: ({ done }) => seen.push(done),
      onPreview: ({ count, marginal }) => {
        previews++
        expect(count).toBe(1500)
        expect(marginal.reduce((a, b) => a + b)).toBeGreaterThan(2000)
      },
      previewMilliseconds: 0,
    })
    clearInterval(timer)
    expect(seen.at(-1)).toBe(1500 * plan.length)
    expect([...seen].sort((a, b) => a - b)).toEqual(seen)
    expect(seen.length).toBeGreaterThan(2)
    expect(ticks).toBeGreaterThan(1)
    expect(previews).toBeGreaterThan(1)
  })

  test('transport is that of the twin', async () => {
    const [u, v] = [training.samples.slice(0, 80), training.samples.slice(100, 240)]
    const options = { regularization: 0.1, iterations: 50, tolerance: 1e-6 }
    expect(await backend.transport(u, v, 2, options)).toBeCloseTo(transportCost(u, v, 2, options), 12)
    const scaled = { ...options, regularization: 0.01, iterations: 300, scaling: { from: 16, factor: 2 } }
    expect(await backend.transport(u, v, 2, scaled)).toBeCloseTo(transportCost(u, v, 2, scaled), 12)
    await expect(backend.transport(u, v, 2, { ...options, regularization: 0 })).rejects.toThrow(/above zero/)
  })

  test('a trajectory passes through the asked steps, and ends in the samples', async () => {
    const request = sampling(weights, { count: 9 })
    const { samples, frames } = await backend.trajectory({ ...request, frames: [0, 7, 24] })
    expect(samples).toEqual(await backend.sample(request))
    expect(frames.length).toBe(3 * 18)
    const x1 = await backend.trajectory({ ...request, plan: [], frames: [] })
    expect(frames.subarray(0, 18)).toEqual(x1.samples)
    const before = await backend.sample({ ...request, plan: request.plan.slice(0, 7) })
    expect(frames.subarray(18, 36)).toEqual(before)
    await expect(backend.trajectory({ ...request, frames: [25] })).rejects.toThrow(/25 steps/)
  })

  test('one observation for all samples is the same as one for each', async () => {
    const posterior = {
      method: 'dps',
      guidance: 0.3,
      covariance: 'tweedie',
      solver: 'exact',
      solverIterations: 1,
      safeguard: 'none',
    } as const
    const each = await backend.sample(sampling(weights, { observations: observations(70), posterior }))
    expect(await backend.sample(sampling(weights, { observations: observations(1), posterior }))).toEqual(
      each,
    )
  })

  test('moments and log-likelihoods of many points are those of the twins', async () => {
    const mixture = {
      features: 2,
      thickness: 0.1,
      means: Float64Array.from({ length: 400 }, (_, i) => Math.sin(i)),
    }
    const count = 3000
    const xT = Float32Array.from({ length: 2 * count }, (_, i) => 2 * Math.sin(i * i))
    const sigma = Float32Array.from({ length: count }, (_, i) => 0.1 + (i % 7))
    const covX = mixtureCovariance(mixture)
    const observation = observations(1)
    let reports = 0
    const control = { onProgress: () => reports++ }
    const actual = await backend.moments({ mixture, xT, sigma, observation, covX }, control)
    const likelihoods = await backend.logLikelihoods({ mixture, xT, sigma, observation, covX })
    const [x, levels] = [Float64Array.from(xT), Float64Array.from(sigma)]
    const [A, y] = [Float64Array.from(observation.A), Float64Array.from(observation.y)]
    const request = { mixture, xT: x, sigma: levels, A, y, sigmaY: observation.sigmaY, covX }
    const { mean: means, score, covariance: spreads } = mixtureMoments(mixture, x, levels)
    expect(actual.mean).toEqual(Float32Array.from(means))
    expect(actual.score).toEqual(Float32Array.from(score))
    expect(actual.covariance).toEqual(Float32Array.from(spreads))
    expect(actual.mmpsScore).toEqual(Float32Array.from(mmpsScore(request)))
    for (const [name, values] of Object.entries(mixtureLogLikelihoods(request))) {
      expect(likelihoods[name as keyof typeof likelihoods]).toEqual(Float32Array.from(values))
    }
    expect(reports).toBeGreaterThan(0)
    const two = observations(2)
    await expect(backend.moments({ mixture, xT, sigma, observation: two, covX })).rejects.toThrow(/one obser/)
  })

  test('requests that do not fit together are refused', async () => {
    await expect(backend.sample(sampling(weights, { mean: new Float64Array(3) }))).rejects.toThrow(
      /3 features/,
    )
    await expect(backend.sample(sampling(weights, { observations: observations(3) }))).rejects.toThrow(
      /3 observations for 70/,
    )
    await expect(backend.sample(sampling(weights, { observations: observations(70) }))).rejects.toThrow(
      /posterior options/,
    )
    await expect(backend.train({ ...training, samples: new Float32Array(0) })).rejects.toThrow(/at least one/)
  })

  test('no samples and no steps are no work', async () => {
    expect(await backend.sample(sampling(weights, { count: 0 }))).toEqual(new Float32Array(0))
    const { weights: kept, losses } = await backend.train({ ...training, steps: 0 })
    expect(losses.length).toBe(0)
    expect(kept).toEqual(training.weights)
  })
})
