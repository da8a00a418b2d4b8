/**
 * The closed-form posterior of a mixture against Bayes' rule: self-normalised importance sampling from the prior, and
 * p(y | x_t) p(x_t) on a grid.
 */
import { describe, expect, test } from 'vitest'
import {
  drawMixture,
  drawMixturePosterior,
  mixtureCovariance,
  mixtureLogLikelihoods,
  mixtureMoments,
  mixturePosterior,
  posteriorLogDensity,
} from '../../src/diffusion/mixture'
import type { Mixture } from '../../src/diffusion/types'
import { multiply } from '../../src/math/matrix'
import { RandomStream } from '../../src/math/philox'
import { covariance, mean } from '../../src/math/statistics'
import { difference, randomMixture, randomRows } from './randomMixtures'

describe('the posterior against importance sampling from the prior', () => {
  const COUNT = 400_000
  test.each([
    [2, 1],
    [2, 2],
    [3, 1],
    [3, 2],
  ])('n = %i, m = %i', (n, m) => {
    const mixture = randomMixture(n, 12, 0.3, 20 + n)
    const A = randomRows(m, n, 30 + m)
    const sigmaY = 0.4
    const y = multiply(A, mixture.means, m, n, 1).map((value) => value + 0.2)
    const posterior = mixturePosterior(mixture, A, y, sigmaY)
    const x = drawMixture(mixture, COUNT, new RandomStream(7, m))
    const weights = new Float64Array(COUNT)
    let total = 0
    let squares = 0
    for (let d = 0; d < COUNT; d++) {
      let distance = 0
      for (let r = 0; r < m; r++) {
        let residual = y[r]!
        for (let i = 0; i < n; i++) residual -= A[r * n + i]! * x[d * n + i]!
        distance += residual * residual
      }
      weights[d] = Math.exp(-distance / (2 * sigmaY * sigmaY))
      total += weights[d]!
      squares += weights[d]! ** 2
    }
    const effective = total ** 2 / squares
    expect(effective).toBeGreaterThan(10_000)

    /** Importance estimate of E[f], within four of its standard errors of the exact value. */
    const compare = (f: (point: number) => number, exact: number) => {
      let estimate = 0
      for (let d = 0; d < COUNT; d++) estimate += (weights[d]! / total) * f(d)
      let variance = 0
      for (let d = 0; d < COUNT; d++) variance += ((weights[d]! / total) * (f(d) - estimate)) ** 2
      expect(Math.abs(estimate - exact) / Math.sqrt(variance)).toBeLessThan(4)
    }

    // Mean and covariance of the closed form, from its components.
    const { means, weights: shares, covariance: within } = posterior
    const center = new Float64Array(n)
    shares.forEach((share, k) => {
      for (let i = 0; i < n; i++) center[i]! += share * means[k * n + i]!
    })
    for (let i = 0; i < n; i++) {
      compare((d) => x[d * n + i]!, center[i]!)
      for (let j = 0; j <= i; j++) {
        let exact = within[i * n + j]!
        shares.forEach((share, k) => {
          exact += share * (means[k * n + i]! - center[i]!) * (means[k * n + j]! - center[j]!)
        })
        compare((d) => (x[d * n + i]! - center[i]!) * (x[d * n + j]! - center[j]!), exact)
      }
    }

    // A histogram along a direction.
    const direction = randomRows(1, n, 40)
    const project = (points: Float64Array, d: number) => {
      let sum = 0
      for (let i = 0; i < n; i++) sum += direction[i]! * points[d * n + i]!
      return sum
    }
    const spread = Math.sqrt(multiply(multiply(direction, within, 1, n, n), direction, 1, n, 1)[0]!)
    // P(projection ≤ c) of the closed form: each component is normal along the direction.
    const cumulative = (c: number) =>
      shares.reduce((sum, share, k) => sum + share * normalCdf((c - project(means, k)) / spread), 0)
    const middle = project(center, 0)
    const edges = Array.from({ length: 9 }, (_, k) => middle + (k - 4) * 0.35)
    for (let k = 1; k < edges.length; k++) {
      const [from, to] = [edges[k - 1]!, edges[k]!]
      const inside = (points: Float64Array, d: number) => {
        const value = project(points, d)
        return value > from && value <= to ? 1 : 0
      }
      const exact = cumulative(to) - cumulative(from)
      if (exact * effective < 25) continue
      compare((d) => inside(x, d), exact)
    }
  })

  test('draws have the closed form’s moments, and densities that integrate to 1', () => {
    const n = 2
    const mixture = randomMixture(n, 6, 0.3, 50)
    const posterior = mixturePosterior(mixture, randomRows(1, n, 51), Float64Array.of(0.2), 0.3)
    const draws = drawMixturePosterior(posterior, 100_000, new RandomStream(3, 9))
    const center = new Float64Array(n)
    const second = posterior.covariance.slice()
    posterior.weights.forEach((share, k) => {
      for (let i = 0; i < n; i++) center[i]! += share * posterior.means[k * n + i]!
    })
    posterior.weights.forEach((share, k) => {
      for (let i = 0; i < n * n; i++) {
        const [p, q] = [Math.floor(i / n), i % n]
        second[i]! +=
          share * (posterior.means[k * n + p]! - center[p]!) * (posterior.means[k * n + q]! - center[q]!)
      }
    })
    const scale = second[0]! + second[3]!
    expect(difference(mean(draws, n), center)).toBeLessThan(4 * Math.sqrt(scale / 100_000))
    expect(difference(covariance(draws, n), second)).toBeLessThan(6 * scale * Math.sqrt(2 / 100_000))
    // The other stream is another sample, the same stream the same.
    expect(drawMixturePosterior(posterior, 4, new RandomStream(3, 9))).toEqual(draws.slice(0, 4 * n))
    expect(drawMixturePosterior(posterior, 4, new RandomStream(3, 10))).not.toEqual(draws.slice(0, 4 * n))
    const step = 0.02
    const grid: number[] = []
    for (let a = -5; a < 5; a += step) for (let b = -5; b < 5; b += step) grid.push(a, b)
    const integral = posteriorLogDensity(posterior, grid).reduce((sum, value) => sum + Math.exp(value), 0)
    expect(integral * step * step).toBeCloseTo(1, 9)
  })

  test('p(y | x_t) p(x_t) integrates to p(y) and is p(x_t | y) p(y)', () => {
    const n = 2
    const mixture = randomMixture(n, 6, 0.3, 60)
    const A = randomRows(1, n, 61)
    const y = Float64Array.of(0.3)
    const sigmaY = 0.2
    const request = { mixture, A, y, sigmaY, covX: mixtureCovariance(mixture) }
    const step = 0.05
    const grid: number[] = []
    for (let a = -8; a < 8; a += step) for (let b = -8; b < 8; b += step) grid.push(a, b)
    const xT = Float64Array.from(grid)
    const sigma = new Float64Array(xT.length / n).fill(0.7)
    const { exact } = mixtureLogLikelihoods({ ...request, xT, sigma })
    const { logPrior } = mixtureMoments(mixture, xT, sigma)
    const integral = exact.reduce((sum, value, d) => sum + Math.exp(value + logPrior[d]!), 0) * step * step
    const evidence = Array.from({ length: 6 }, (_, k) => {
      const predicted = multiply(A, mixture.means.slice(k * n, (k + 1) * n), 1, n, 1)[0]!
      const variance = mixture.thickness ** 2 + sigmaY ** 2
      return Math.exp(-((y[0]! - predicted) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance) / 6
    }).reduce((sum, value) => sum + value, 0)
    expect(integral / evidence).toBeCloseTo(1, 6)

    // x_t given y: the posterior's components with sigma_t² more variance, whose density is the product above.
    const posterior = mixturePosterior(mixture, A, y, sigmaY)
    const noisy = { ...posterior, covariance: posterior.covariance.slice() }
    for (let i = 0; i < n; i++) noisy.covariance[i * n + i]! += 0.7 ** 2
    const density = posteriorLogDensity(noisy, xT)
    let worst = 0
    for (let d = 0; d < density.length; d += 97) {
      worst = Math.max(worst, Math.abs(density[d]! - (exact[d]! + logPrior[d]! - Math.log(evidence))))
    }
    expect(worst).toBeLessThan(1e-9)
  })
})

test('an observation of a diagonal V that is not positive definite has no likelihood under tmpd', () => {
  // Two components across the diagonal: the row sums of V are negative at their middle.
  const mixture: Mixture = { features: 2, means: Float64Array.of(2, -1, -2, 1), thickness: 0.01 }
  const likelihoods = mixtureLogLikelihoods({
    mixture,
    xT: new Float64Array(2),
    sigma: Float64Array.of(1),
    A: Float64Array.of(0, 1),
    y: Float64Array.of(0),
    sigmaY: 0.01,
    covX: mixtureCovariance(mixture),
  })
  expect(likelihoods.tmpd[0]).toBe(-Infinity)
  expect(Number.isFinite(likelihoods.tweedie[0])).toBe(true)
})

/** Φ(z), by the series of erf near 0 and a continued fraction beyond; 1e-12 is ample here. */
function normalCdf(z: number): number {
  const x = Math.abs(z)
  let tail: number
  if (x < 3) {
    let term = x
    let sum = x
    for (let k = 1; k < 200; k++) {
      term *= (x * x) / (2 * k + 1)
      sum += term
    }
    tail = 0.5 - (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)
  } else {
    let fraction = x
    for (let k = 60; k > 0; k--) fraction = x + k / fraction
    tail = Math.exp((-x * x) / 2) / (fraction * Math.sqrt(2 * Math.PI))
  }
  return z > 0 ? 1 - tail : tail
}
