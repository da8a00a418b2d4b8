/**
 * Posterior sampling where the answer is known: a Gaussian prior.
 *
 * What is exact: the MMPS denoiser (to rounding), DDIM and DDPM in the limit of many steps. A plan's bias at a
 * finite number of steps is computed here without sampling, because every step is affine in x.
 */
import { describe, expect, test } from 'vitest'
import {
  GaussianDenoiser,
  gaussianPosterior,
  gaussianPosteriorMean,
  type Gaussian,
} from '../../src/diffusion/gaussianDenoiser'
import { MmpsDenoiser } from '../../src/diffusion/posterior/mmps'
import type { LinearObservations } from '../../src/diffusion/posterior/observations'
import { runPlan, samplerPlan, type SamplerName } from '../../src/diffusion/samplers'
import { logLinearSchedule } from '../../src/diffusion/schedule'
import type { MeanEstimator, Plan, PosteriorOptions, SolverName } from '../../src/diffusion/types'
import { cholesky, multiply, transpose } from '../../src/math/matrix'
import { DOMAIN, RandomStream } from '../../src/math/philox'
import { covariance, mean } from '../../src/math/statistics'
import { normals, randomObservations, randomPrior } from './randomProblems'

const random = new RandomStream(2024, 0)

const options = (solver: SolverName, solverIterations: number): PosteriorOptions => ({
  covariance: 'tweedie',
  solver,
  solverIterations,
  safeguard: 'none',
})

describe('the MMPS posterior denoiser on a Gaussian prior', () => {
  const sizes = [
    [2, 1],
    [3, 3],
    [5, 2],
    [8, 8],
  ] as const
  const solvers = ['exact', 'cg', 'gmres', 'bicgstab'] as const
  test.each(sizes.flatMap(([n, m]) => solvers.map((solver) => [n, m, solver] as const)))(
    'n = %i, m = %i, %s with k ≥ m equals the closed form',
    (n, m, solver) => {
      const levels = Float64Array.of(1e-3, 0.01, 0.1, 0.5, 1, 3, 10)
      const prior = randomPrior(n, 10 * n)
      const observations = randomObservations(n, m, levels.length, 10 * n + 2)
      const xT = normals(levels.length * n, 7)
      const denoiser = new GaussianDenoiser(prior)
      // Finite precision: CG on an ill-conditioned 8 × 8 system needs a few more than m iterations.
      const iterations = m > 3 ? 2 * m : m
      for (const safeguard of ['none', 'psd'] as const) {
        const posterior = { ...options(solver, iterations), safeguard }
        const actual = new MmpsDenoiser(denoiser, observations, posterior).denoise(xT, levels)
        for (let b = 0; b < levels.length; b++) {
          const expected = gaussianPosteriorMean(
            prior,
            observations.A.slice(b * m * n, (b + 1) * m * n) as Float64Array,
            observations.y.slice(b * m, (b + 1) * m) as Float64Array,
            observations.sigmaY,
            xT.slice(b * n, (b + 1) * n),
            levels[b]!,
          )
          const scale = Math.hypot(...expected)
          expected.forEach((value, j) => {
            expect(Math.abs(actual[b * n + j]! - value)).toBeLessThanOrEqual(1e-9 * scale)
          })
        }
      }
    },
  )

  test('the covariance "gaussian" with the prior’s own equals Tweedie’s', () => {
    const prior = randomPrior(4, 3)
    const observations = randomObservations(4, 2, 3, 5)
    const denoiser = new GaussianDenoiser(prior)
    const [xT, sigma] = [normals(12, 6), Float64Array.of(0.1, 1, 10)]
    const tweedie = new MmpsDenoiser(denoiser, observations, options('exact', 0)).denoise(xT, sigma)
    const fitted = new MmpsDenoiser(denoiser, observations, {
      ...options('exact', 0),
      covariance: 'gaussian',
      covX: prior.covariance,
    }).denoise(xT, sigma)
    tweedie.forEach((value, i) => expect(Math.abs(fitted[i]! - value)).toBeLessThan(1e-12))
  })

  test('sizes that disagree are refused', () => {
    const denoiser = new GaussianDenoiser(randomPrior(4, 3))
    const observations = randomObservations(4, 2, 3, 5)
    expect(() => new MmpsDenoiser(denoiser, { ...observations, count: 2 }, options('exact', 0))).toThrow()
    expect(() => new MmpsDenoiser(denoiser, { ...observations, features: 3 }, options('exact', 0))).toThrow()
    const gaussian = { ...options('exact', 0), covariance: 'gaussian' as const }
    expect(() => new MmpsDenoiser(denoiser, observations, gaussian)).toThrow(/needs Sigma_x/)
    const mmps = new MmpsDenoiser(denoiser, observations, options('exact', 0))
    expect(() => mmps.denoise(new Float64Array(8), new Float64Array(2))).toThrow(/2 samples for 3/)
  })
})

test('the Gaussian denoiser has the Jacobian it claims, and a flat direction is no division by zero', () => {
  const prior = { mean: Float64Array.of(1, -1), covariance: Float64Array.of(1, 1, 1, 1) }
  const denoiser = new GaussianDenoiser(prior)
  const sigma = Float64Array.of(0.7)
  const { xHat, vjp, jvp } = denoiser.linearize(Float64Array.of(0.3, 2), sigma)
  expect([...xHat].every(Number.isFinite)).toBe(true)
  for (let j = 0; j < 2; j++) {
    const u = Float64Array.of(j === 0 ? 1 : 0, j === 1 ? 1 : 0)
    const shifted = denoiser.denoise(Float64Array.of(0.3 + u[0]!, 2 + u[1]!), sigma)
    jvp(u).forEach((value, i) => expect(value).toBeCloseTo(shifted[i]! - xHat[i]!, 12))
    expect(vjp(u)).toEqual(jvp(u))
  }
})

/** Mean and covariance of a plan's output, exactly: d(x, sigma) = Dx + e is affine, read off the estimator. */
function planMoments(estimator: MeanEstimator, batch: number, plan: Plan, start: Gaussian): Gaussian {
  const n = estimator.features
  let { mean: center, covariance: spread } = start
  const evaluate = (x: Float64Array, sigma: number) => {
    const repeated = Float64Array.from({ length: batch * n }, (_, i) => x[i % n]!)
    return estimator.denoise(repeated, new Float64Array(batch).fill(sigma)).slice(0, n)
  }
  for (const { sigma, a, b, c } of plan) {
    const base = evaluate(new Float64Array(n), sigma)
    const step = new Float64Array(n * n)
    for (let j = 0; j < n; j++) {
      const unit = new Float64Array(n)
      unit[j] = 1
      const column = evaluate(unit, sigma)
      for (let i = 0; i < n; i++) step[i * n + j] = (i === j ? a : 0) + b * (column[i]! - base[i]!)
    }
    center = multiply(step, center, n, n, 1).map((value, i) => value + b * base[i]!)
    spread = multiply(multiply(step, spread, n, n, n), transpose(step, n, n), n, n, n)
    for (let i = 0; i < n; i++) spread[i * n + i]! += c * c
  }
  return { mean: center, covariance: spread }
}

/** Largest deviation of the moments, in standard errors of `count` draws from `expected`. */
function standardErrors(actual: Gaussian, expected: Gaussian, count: number): number {
  const n = expected.mean.length
  const variance = (i: number) => expected.covariance[i * n + i]!
  let largest = 0
  for (let i = 0; i < n; i++) {
    const meanError = Math.sqrt(variance(i) / count)
    largest = Math.max(largest, Math.abs(actual.mean[i]! - expected.mean[i]!) / meanError)
    for (let j = 0; j <= i; j++) {
      const at = i * n + j
      const error = Math.sqrt((variance(i) * variance(j) + expected.covariance[at]! ** 2) / count)
      largest = Math.max(largest, Math.abs(actual.covariance[at]! - expected.covariance[at]!) / error)
    }
  }
  return largest
}

describe('samples started from N(mu, Sigma + sigma_max² I)', () => {
  const n = 3
  const count = 2048
  const prior = randomPrior(n, 40)
  // One A for every sample, so that one exact posterior is the reference.
  const one = randomObservations(n, 2, 1, 42)
  const repeat = (values: LinearObservations['A']) =>
    Float64Array.from({ length: count * values.length }, (_, i) => values[i % values.length]!)
  const observations = { ...one, count, A: repeat(one.A), y: repeat(one.y) }
  const few = { ...observations, count: 1, A: Float64Array.from(one.A), y: Float64Array.from(one.y) }
  const denoiser = new GaussianDenoiser(prior)
  const exact = gaussianPosterior(prior, few.A, few.y, one.sigmaY)

  // Noise-free DDIM keeps a share 1/sigma_max of where it started, so its start must be far out; the others forget.
  const cases: [
    SamplerName,
    number,
    { steps: number; eta?: number; corrections?: number; delta?: number },
  ][] = [
    ['ddpm', 100, { steps: 512 }],
    ['ddim', 100, { steps: 512, eta: 1 }],
    ['ddim', 1000, { steps: 768, eta: 0 }],
    ['pc', 100, { steps: 320, corrections: 1, delta: 0.1 }],
  ]

  test.each(cases)('%s from sigma_max = %i, %o: prior and posterior', (name, sigmaMax, settings) => {
    const schedule = logLinearSchedule(1e-3, sigmaMax)
    const plan = samplerPlan(name, schedule, { eta: 0, corrections: 0, delta: 0, ...settings })
    const start = {
      mean: prior.mean,
      covariance: prior.covariance.map((value, i) => value + (i % (n + 1) === 0 ? sigmaMax ** 2 : 0)),
    }
    const root = cholesky(start.covariance, n)
    const xStart = new Float64Array(count * n)
    const row = new Float64Array(n)
    for (let i = 0; i < count; i++) {
      random.fillNormals(row, 0, n, i, 0, DOMAIN.samplerStart)
      xStart.set(
        multiply(root, row, n, n, 1).map((value, j) => value + prior.mean[j]!),
        i * n,
      )
    }
    const noise = (step: number, out: Float64Array) => {
      for (let i = 0; i < count; i++) random.fillNormals(out, i * n, n, i, step, DOMAIN.samplerNoise)
    }
    const mmps = options('exact', 0)
    const targets: [MeanEstimator, MeanEstimator, Gaussian][] = [
      [denoiser, denoiser, prior],
      [new MmpsDenoiser(denoiser, observations, mmps), new MmpsDenoiser(denoiser, few, mmps), exact],
    ]
    for (const [estimator, single, target] of targets) {
      // The plan itself, without sampling error, is within one standard error ...
      const moments = planMoments(single, 1, plan, start)
      expect(standardErrors(moments, target, count)).toBeLessThan(1)
      // ... and the samples are within three of the exact answer.
      const samples = runPlan(estimator, plan, xStart, noise)
      const actual = { mean: mean(samples, n), covariance: covariance(samples, n) }
      expect(standardErrors(actual, target, count)).toBeLessThan(3)
      expect(standardErrors(actual, moments, count)).toBeLessThan(3)
    }
  })

  test('the bias of a noise-free plan falls with its steps', () => {
    const schedule = logLinearSchedule(1e-3, 1000)
    const single = new MmpsDenoiser(denoiser, few, options('exact', 0))
    const start = {
      mean: prior.mean,
      covariance: prior.covariance.map((value, i) => value + (i % (n + 1) === 0 ? 1e6 : 0)),
    }
    const bias = [32, 128, 512].map((steps) => {
      const plan = samplerPlan('ddim', schedule, { steps, eta: 0, corrections: 0, delta: 0 })
      return standardErrors(planMoments(single, 1, plan, start), exact, count)
    })
    expect(bias[1]! / bias[0]!).toBeLessThan(0.4)
    expect(bias[2]! / bias[1]!).toBeLessThan(0.4)
  })
})
