/**
 * The posterior methods where their answers are known: on a Gaussian prior, against dense solutions and finite
 * differences.
 */
import { describe, expect, test } from 'vitest'
import { GaussianDenoiser, gaussianPosteriorMean } from '../../src/diffusion/gaussianDenoiser'
import { MixtureDenoiser } from '../../src/diffusion/mixture'
import { createPosterior } from '../../src/diffusion/posterior'
import { MmpsDenoiser } from '../../src/diffusion/posterior/mmps'
import type { LinearObservations } from '../../src/diffusion/posterior/observations'
import { applyStep } from '../../src/diffusion/samplers'
import { ddpmStep } from '../../src/diffusion/samplers/ddpm'
import type { AffineStep, CovarianceName, PosteriorMethod, PosteriorOptions } from '../../src/diffusion/types'
import { logNormal } from '../../src/linalg/covariances'
import { invert, multiply, scaledIdentity, solveDense } from '../../src/math/matrix'
import { normals, randomObservations, randomPrior } from './randomProblems'

const n = 4
const m = 2
const levels = Float64Array.of(1e-3, 0.03, 0.3, 1, 4, 20)
const prior = randomPrior(n, 60)
const denoiser = new GaussianDenoiser(prior)
const observations = randomObservations(n, m, levels.length, 62)
const xT = normals(levels.length * n, 64)

const options = (method: PosteriorMethod, changes: Partial<PosteriorOptions> = {}): PosteriorOptions => ({
  method,
  covariance: 'tweedie',
  solver: 'exact',
  solverIterations: m,
  safeguard: 'none',
  covX: prior.covariance,
  ...changes,
})

function expectNear(actual: Float64Array, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length)
  const scale = Math.hypot(...actual)
  actual.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(tolerance * scale))
}

/** A and y of observation b. */
function observation({ A, y }: LinearObservations, b: number) {
  return {
    A: Float64Array.from(A.subarray(b * m * n, (b + 1) * m * n)),
    y: Float64Array.from(y.subarray(b * m, (b + 1) * m)),
  }
}

test.each(['mmps', 'jfps'] as const)('%s gives the exact posterior mean at any sigma', (method) => {
  const actual = createPosterior(denoiser, observations, options(method)).denoise(xT, levels)
  levels.forEach((sigma, b) => {
    const { A, y } = observation(observations, b)
    const row = xT.slice(b * n, (b + 1) * n)
    const expected = gaussianPosteriorMean(prior, A, y, observations.sigmaY, row, sigma)
    expectNear(actual.slice(b * n, (b + 1) * n), expected, 1e-10)
  })
})

test('DiffPIR minimises ‖y - A x‖²/sigma_y² + λ ‖x - d‖²/sigma_t²', () => {
  const proximity = 3
  const actual = createPosterior(denoiser, observations, options('diffpir', { proximity })).denoise(
    xT,
    levels,
  )
  const xHat = denoiser.denoise(xT, levels)
  levels.forEach((sigma, b) => {
    const { A, y } = observation(observations, b)
    const matrix = scaledIdentity(n, proximity / sigma ** 2)
    const right = xHat.slice(b * n, (b + 1) * n).map((value) => (value * proximity) / sigma ** 2)
    for (let k = 0; k < m; k++) {
      for (let i = 0; i < n; i++) {
        right[i]! += (A[k * n + i]! * y[k]!) / observations.sigmaY ** 2
        for (let j = 0; j < n; j++) {
          matrix[i * n + j]! += (A[k * n + i]! * A[k * n + j]!) / observations.sigmaY ** 2
        }
      }
    }
    expectNear(actual.slice(b * n, (b + 1) * n), solveDense(matrix, right, n), 1e-10)
  })
  const wrong = options('diffpir', { proximity: 0 })
  expect(() => createPosterior(denoiser, observations, wrong)).toThrow(/above 0/)
})

describe('DPS', () => {
  const mixture = { features: n, thickness: 0.4, means: normals(6 * n, 70) }
  const curved = new MixtureDenoiser(mixture)
  const one = randomObservations(n, m, 1, 72)
  const guidance = 0.7
  const dps = createPosterior(curved, one, options('dps', { guidance }))
  const { A, y } = observation(one, 0)

  /** ‖y - A d(x)‖. */
  function residual(x: Float64Array, sigma: number): number {
    const predicted = multiply(A, curved.denoise(x, Float64Array.of(sigma)), m, n, 1)
    return Math.hypot(...y.map((value, i) => value - predicted[i]!))
  }

  test.each([
    ['DDPM', ddpmStep(0.6, 0.4)],
    ['a Langevin correction', { sigma: 0.6, a: 0.9, b: 0.1, c: 0.3 }],
    ['a noise-free step', { sigma: 0.6, a: 0.7, b: 0.3, c: 0 }],
  ] as [string, AffineStep][])('moves the result of %s by -ζ ∇‖y - A d(x_t)‖', (_, step) => {
    const x = normals(n, 74)
    const noise = normals(n, 75)
    const [plain, guided] = [x.slice(), x.slice()]
    applyStep(curved, step, plain, noise)
    applyStep(dps, step, guided, noise)
    const h = 1e-5
    for (let i = 0; i < n; i++) {
      const [above, below] = [x.slice(), x.slice()]
      above[i]! += h
      below[i]! -= h
      const gradient = (residual(above, step.sigma) - residual(below, step.sigma)) / (2 * h)
      expect(Math.abs(guided[i]! - plain[i]! + guidance * gradient)).toBeLessThan(1e-8)
    }
  })

  test('denoises only in the last step, and where y is met', () => {
    const x = normals(n, 74)
    const sigma = Float64Array.of(0.6)
    const last = { sigma: 0.6, a: 0, b: 1, c: 0 }
    expect(dps.denoise(x, sigma, last)).toEqual(curved.denoise(x, sigma))
    const xHat = curved.denoise(x, sigma)
    const seen = { ...one, observed: 1, A: Float64Array.of(1, 0, 0, 0), y: xHat.slice(0, 1) }
    expect(createPosterior(curved, seen, options('dps')).denoise(x, sigma, ddpmStep(0.6, 0.4))).toEqual(xHat)
    expect(() => dps.denoise(x, sigma)).toThrow(/the step/)
  })
})

test('tmpd takes the row sums of Tweedie’s covariance as a diagonal', () => {
  const { system, posterior, xHat } = new MmpsDenoiser(
    denoiser,
    observations,
    options('mmps', { covariance: 'tmpd' }),
  ).evaluate(xT, levels)
  levels.forEach((sigma, b) => {
    const { A, y } = observation(observations, b)
    const jacobian = denoiser.jacobian(sigma)
    const diagonal = new Float64Array(n)
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) diagonal[i]! += sigma ** 2 * jacobian[i * n + j]!
    const matrix = scaledIdentity(m, observations.sigmaY ** 2)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < m; j++) {
        for (let d = 0; d < n; d++) matrix[i * m + j]! += A[i * n + d]! * diagonal[d]! * A[j * n + d]!
      }
    }
    expectNear(system.slice(b * m * m, (b + 1) * m * m), matrix, 1e-12)
    const own = xHat.slice(b * n, (b + 1) * n)
    const predicted = multiply(A, own, m, n, 1)
    const v = multiply(
      invert(matrix, m),
      y.map((value, i) => value - predicted[i]!),
      m,
      m,
      1,
    )
    const expected = own.map((value, i) => {
      let sum = 0
      for (let j = 0; j < n; j++) {
        for (let k = 0; k < m; k++) sum += jacobian[i * n + j]! * A[k * n + j]! * v[k]!
      }
      return value + sigma ** 2 * sum
    })
    expectNear(posterior.slice(b * n, (b + 1) * n), expected, 1e-11)
  })
})

test('an observation shared by a batch is the same as one repeated', () => {
  const shared = randomObservations(n, m, 1, 80)
  const repeat = (values: LinearObservations['A']) =>
    Float64Array.from({ length: levels.length * values.length }, (_, i) => values[i % values.length]!)
  const repeated = { ...shared, count: levels.length, A: repeat(shared.A), y: repeat(shared.y) }
  const step = ddpmStep(1, 0.5)
  const covariances: CovarianceName[] = ['tweedie', 'zero', 'identity', 'pigdm', 'gaussian', 'tmpd']
  const cases = [
    ...covariances.map((covariance) => options('mmps', { covariance })),
    options('mmps', { safeguard: 'psd' }),
    ...(['dps', 'diffpir', 'jfps', 'tds'] as const).map((method) => options(method)),
  ]
  for (const each of cases) {
    const few = createPosterior(denoiser, shared, each)
    const all = few.denoise(xT, levels, step)
    expect(all).toEqual(createPosterior(denoiser, repeated, each).denoise(xT, levels, step))
    expect(few.denoise(xT.slice(0, n), levels.slice(0, 1), step)).toEqual(all.slice(0, n))
  }
})

test('the log density of a Gaussian, and none where its covariance is not positive definite', () => {
  const covariance = Float64Array.of(2, 0.5, 0.5, 1)
  const residual = Float64Array.of(0.3, -1)
  const solved = solveDense(covariance, residual, 2)
  const square = residual[0]! * solved[0]! + residual[1]! * solved[1]!
  const expected = -square / 2 - Math.log(2 * Math.PI * Math.sqrt(1.75))
  expect(logNormal(residual, covariance)).toBeCloseTo(expected, 12)
  expect(logNormal(residual, Float64Array.of(1, 2, 2, 1))).toBe(-Infinity)
})
