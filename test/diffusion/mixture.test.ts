/**
 * The mixture prior against its definition: derivatives by finite differences, Tweedie's identities, and a single
 * component against the Gaussian prior's closed forms.
 */
import { describe, expect, test } from 'vitest'
import {
  GaussianDenoiser,
  gaussianPosterior,
  gaussianPosteriorMean,
} from '../../src/diffusion/gaussianDenoiser'
import {
  drawMixture,
  MixtureDenoiser,
  mixtureCovariance,
  mixtureLogLikelihoods,
  mixtureMean,
  mixtureMoments,
  mixturePosterior,
  mmpsScore,
} from '../../src/diffusion/mixture'
import { MmpsDenoiser } from '../../src/diffusion/posterior/mmps'
import { runPlan, samplerPlan } from '../../src/diffusion/samplers'
import { logLinearSchedule } from '../../src/diffusion/schedule'
import type { Mixture } from '../../src/diffusion/types'
import { multiply, scaledIdentity } from '../../src/math/matrix'
import { mean } from '../../src/math/statistics'
import { difference, largest, normals, random, randomMixture, randomRows } from './randomMixtures'

const levels = Float64Array.of(0.01, 0.05, 0.2, 0.5, 1, 3, 10)

describe.each([
  [2, 0.3],
  [3, 0.05],
  [5, 0.5],
])('the denoiser in R^%i with thickness %d', (n, thickness) => {
  const mixture = randomMixture(n, 20, thickness)
  const denoiser = new MixtureDenoiser(mixture)
  // Points of p(x_t), so that several components compete at the larger levels.
  const clean = drawMixture(mixture, levels.length, random)
  const noise = normals(levels.length * n, 2)
  const xT = clean.map((value, i) => value + levels[Math.floor(i / n)]! * noise[i]!)
  const { xHat, vjp, jvp } = denoiser.linearize(xT, levels)
  const moments = mixtureMoments(mixture, xT, levels)
  const rows = (values: Float64Array, b: number) => values.subarray(b * n, (b + 1) * n)

  test('⟨u, Jᵀ v⟩ = ⟨J u, v⟩', () => {
    const [u, v] = [normals(xT.length, 3), normals(xT.length, 4)]
    const [back, ahead] = [vjp(v), jvp(u)]
    for (let b = 0; b < levels.length; b++) {
      const left = multiply(rows(u, b), rows(back, b), 1, n, 1)[0]!
      const right = multiply(rows(ahead, b), rows(v, b), 1, n, 1)[0]!
      expect(Math.abs(left - right)).toBeLessThan(1e-13 * Math.max(1, Math.abs(left)))
    }
  })

  test('the JVP is the slope of d, the score that of log p(x_t), by central differences', () => {
    const u = normals(xT.length, 5)
    const slope = jvp(u)
    for (let b = 0; b < levels.length; b++) {
      const level = Float64Array.of(levels[b]!)
      // Curvature lives on the scale of the noisy components: steps of a few thousandths of it leave errors of its square.
      const h = 2e-4 * Math.hypot(levels[b]!, thickness)
      const at = (sign: number) => rows(xT, b).map((value, i) => value + sign * h * rows(u, b)[i]!)
      const [plus, minus] = [at(1), at(-1)]
      const ahead = denoiser.denoise(plus, level)
      const behind = denoiser.denoise(minus, level)
      const numeric = ahead.map((value, i) => (value - behind[i]!) / (2 * h))
      expect(difference(numeric, rows(slope, b)) / largest(rows(slope, b))).toBeLessThan(2e-6)
      const rise =
        (mixtureMoments(mixture, plus, level).logPrior[0]! -
          mixtureMoments(mixture, minus, level).logPrior[0]!) /
        (2 * h)
      const directional = multiply(rows(moments.score, b), rows(u, b), 1, n, 1)[0]!
      const scale = Math.hypot(...rows(moments.score, b)) * Math.hypot(...rows(u, b))
      expect(Math.abs(rise - directional) / scale).toBeLessThan(2e-6)
    }
  })

  test('Tweedie: d = x_t + sigma_t² score and V = sigma_t² J', () => {
    expect(difference(moments.mean, xHat)).toBe(0)
    expect(difference(denoiser.denoise(xT, levels), xHat)).toBe(0)
    for (let b = 0; b < levels.length; b++) {
      const variance = levels[b]! ** 2
      const tweedie = rows(xT, b).map((value, i) => value + variance * rows(moments.score, b)[i]!)
      expect(difference(tweedie, rows(xHat, b))).toBeLessThan(1e-14 * (1 + largest(rows(xT, b))))
    }
    for (let i = 0; i < n; i++) {
      const column = jvp(Float64Array.from({ length: xT.length }, (_, at) => (at % n === i ? 1 : 0)))
      for (let b = 0; b < levels.length; b++) {
        for (let j = 0; j < n; j++) {
          const expected = moments.covariance[(b * n + j) * n + i]!
          expect(Math.abs(levels[b]! ** 2 * column[b * n + j]! - expected)).toBeLessThan(
            1e-15 * (1 + expected),
          )
        }
      }
    }
  })

  test('mean and covariance are those of the components, weighed one by one', () => {
    for (let b = 0; b < levels.length; b++) {
      const [s2, t2] = [thickness ** 2, levels[b]! ** 2]
      const x = rows(xT, b)
      const centers = Array.from({ length: 20 }, (_, k) => mixture.means.subarray(k * n, (k + 1) * n))
      const distances = centers.map((mu) => mu.reduce((sum, value, i) => sum + (value - x[i]!) ** 2, 0))
      const nearest = Math.min(...distances)
      const weights = distances.map((distance) => Math.exp((nearest - distance) / (2 * (s2 + t2))))
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      const inside = centers.map((mu) => mu.map((value, i) => (t2 * value + s2 * x[i]!) / (s2 + t2)))
      const expected = new Float64Array(n)
      inside.forEach((m, k) => m.forEach((value, i) => (expected[i]! += (weights[k]! / total) * value)))
      expect(difference(expected, rows(xHat, b))).toBeLessThan(1e-13)
      const spread = scaledIdentity(n, (s2 * t2) / (s2 + t2))
      inside.forEach((m, k) => {
        for (let i = 0; i < n * n; i++) {
          const [p, q] = [Math.floor(i / n), i % n]
          spread[i]! += (weights[k]! / total) * (m[p]! - expected[p]!) * (m[q]! - expected[q]!)
        }
      })
      const actual = moments.covariance.subarray(b * n * n, (b + 1) * n * n)
      expect(difference(spread, actual) / largest(spread)).toBeLessThan(1e-11)
    }
  })
})

describe('a single component is a Gaussian', () => {
  const n = 3
  const m = 2
  const mixture = randomMixture(n, 1, 0.4)
  const gaussian = { mean: mixture.means, covariance: scaledIdentity(n, 0.16) }
  const xT = normals(levels.length * n, 6)
  const A = randomRows(m, n, 7)
  const y = normals(m, 8)

  test('denoiser, JVP and moments', () => {
    const actual = new MixtureDenoiser(mixture).linearize(xT, levels)
    const expected = new GaussianDenoiser(gaussian).linearize(xT, levels)
    const u = normals(xT.length, 9)
    expect(difference(actual.xHat, expected.xHat)).toBeLessThan(1e-12)
    expect(difference(actual.jvp(u), expected.jvp(u))).toBeLessThan(1e-12)
    expect(difference(mixtureMean(mixture), gaussian.mean)).toBe(0)
    expect(difference(mixtureCovariance(mixture), gaussian.covariance)).toBeLessThan(1e-16)
  })

  test('posterior, also where sigma_y is far below the thickness', () => {
    for (const sigmaY of [0.3, 1e-3]) {
      const actual = mixturePosterior(mixture, A, y, sigmaY)
      const expected = gaussianPosterior(gaussian, A, y, sigmaY)
      expect(difference(actual.means, expected.mean)).toBeLessThan(1e-12)
      expect(difference(actual.covariance, expected.covariance)).toBeLessThan(1e-12)
      expect([...actual.weights]).toEqual([1])
    }
  })

  test('MMPS with Tweedie’s covariance is exact: denoiser, likelihood and score', () => {
    const sigmaY = 0.2
    const observations = { count: 1, features: n, observed: m, A, y, sigmaY }
    const request = { mixture, A, y, sigmaY, covX: mixtureCovariance(mixture) }
    for (let b = 0; b < levels.length; b++) {
      const [x, sigma] = [xT.slice(b * n, (b + 1) * n), levels.slice(b, b + 1)]
      const posterior = new MmpsDenoiser(new MixtureDenoiser(mixture), observations, {
        covariance: 'tweedie',
        solver: 'exact',
        solverIterations: 0,
        safeguard: 'none',
      }).denoise(x, sigma)
      const expected = gaussianPosteriorMean(gaussian, A, y, sigmaY, x, sigma[0]!)
      expect(difference(posterior, expected)).toBeLessThan(1e-12)
      const { exact, tweedie, gaussian: fitted } = mixtureLogLikelihoods({ ...request, xT: x, sigma })
      for (const other of [tweedie, fitted]) expect(difference(exact, other)).toBeLessThan(1e-10)
      // d(x_t | y) = d + sigma_t² ∇ log p(y | x_t)
      const xHat = new MixtureDenoiser(mixture).denoise(x, sigma)
      const step = mmpsScore({ ...request, xT: x, sigma }).map((value) => value * sigma[0]! ** 2)
      expect(
        difference(
          xHat.map((value, i) => value + step[i]!),
          posterior,
        ),
      ).toBeLessThan(1e-12)
    }
  })
})

test('MMPS samples of a mixture follow both modes and the observation', () => {
  const mixture: Mixture = { features: 2, means: Float64Array.of(-1, 0.5, 1, 0.5, 1, -1), thickness: 0.1 }
  const [A, y, sigmaY, count] = [Float64Array.of(0, 1), Float64Array.of(0.5), 0.1, 2000]
  const posterior = new MmpsDenoiser(
    new MixtureDenoiser(mixture),
    {
      count,
      features: 2,
      observed: 1,
      A: Float64Array.from({ length: 2 * count }, (_, i) => A[i % 2]!),
      y: new Float64Array(count).fill(y[0]!),
      sigmaY,
    },
    { covariance: 'tweedie', solver: 'exact', solverIterations: 0, safeguard: 'none' },
  )
  const plan = samplerPlan('ddpm', logLinearSchedule(0.01, 10), {
    steps: 64,
    eta: 1,
    corrections: 0,
    delta: 0,
  })
  const start = normals(2 * count, 70).map((value) => 10 * value)
  const samples = runPlan(posterior, plan, start, (step, out) => out.set(normals(out.length, 100 + step)))
  const exact = mixturePosterior(mixture, A, y, sigmaY)
  expect(exact.weights[2]).toBeLessThan(1e-9)
  let right = 0
  for (let d = 0; d < count; d++) if (samples[2 * d]! > 0) right++
  // Half of the samples in each mode (4 standard errors of a fair coin, and as much for the method's own bias).
  expect(Math.abs(right / count - 0.5)).toBeLessThan(8 * Math.sqrt(0.25 / count))
  expect(Math.abs(mean(samples, 2)[1]! - 0.5)).toBeLessThan(0.02)
})

test('a mixture must have components and thickness', () => {
  expect(() => new MixtureDenoiser({ features: 2, means: new Float64Array(3), thickness: 1 })).toThrow(
    RangeError,
  )
  expect(() => new MixtureDenoiser({ features: 2, means: new Float64Array(0), thickness: 1 })).toThrow(
    RangeError,
  )
  expect(() => new MixtureDenoiser({ features: 2, means: new Float64Array(2), thickness: 0 })).toThrow(
    RangeError,
  )
})
