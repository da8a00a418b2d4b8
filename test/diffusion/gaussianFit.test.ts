import { describe, expect, test } from 'vitest'
import { gaussianPosterior, type Gaussian } from '../../src/diffusion/gaussianDenoiser'
import { fitGaussian, gaussianEmStep, sampleGaussianPosterior } from '../../src/diffusion/gaussianFit'
import { sliceObservations } from '../../src/diffusion/posterior/observations'
import { fitPpca } from '../../src/diffusion/ppca'
import type { Observations } from '../../src/diffusion/types'
import { cholesky } from '../../src/math/matrix'
import { RandomStream } from '../../src/math/philox'
import { covariance, mean } from '../../src/math/statistics'

const truth: Gaussian = {
  mean: Float64Array.of(1, -0.5, 0.3),
  covariance: Float64Array.of(1, 0.5, 0, 0.5, 0.8, -0.2, 0, -0.2, 0.4),
}

/** Draws from the truth, seen through random unit rows. */
function observe(count: number, observed: number): Observations {
  const random = new RandomStream(21, observed)
  const factor = cholesky(truth.covariance, 3)
  const A = new Float32Array(count * observed * 3)
  const y = new Float32Array(count * observed)
  const sigmaY = 0.05
  const [x, row] = [new Float64Array(3), new Float64Array(4)]
  for (let i = 0; i < count; i++) {
    random.fillNormals(row, 0, 3, i, 0, 5)
    for (let j = 0; j < 3; j++) {
      x[j] = truth.mean[j]!
      for (let k = 0; k <= j; k++) x[j]! += factor[3 * j + k]! * row[k]!
    }
    for (let a = 0; a < observed; a++) {
      random.fillNormals(row, 0, 4, i, a, 6)
      const norm = Math.hypot(row[0]!, row[1]!, row[2]!)
      let sum = sigmaY * row[3]!
      for (let j = 0; j < 3; j++) {
        const value = Math.fround(row[j]! / norm)
        A[(i * observed + a) * 3 + j] = value
        sum += value * x[j]!
      }
      y[i * observed + a] = sum
    }
  }
  return { count, features: 3, observed, A, y, sigmaY }
}

describe('EM for the Gaussian start', () => {
  test.each([1, 2, 3])('with %i rows the likelihood never falls and the truth is found', (observed) => {
    const count = 4000
    const fit = fitGaussian(observe(count, observed), 60)
    for (let k = 1; k < fit.logLikelihood.length; k++) {
      expect(fit.logLikelihood[k]!).toBeGreaterThanOrEqual(fit.logLikelihood[k - 1]! - 1e-12)
    }
    // Standard errors are those of n full observations, times √(3/observed) or so for what is not seen.
    const tolerance = 6 * Math.sqrt(3 / observed / count)
    fit.mean.forEach((value, i) => expect(Math.abs(value - truth.mean[i]!)).toBeLessThan(tolerance))
    fit.covariance.forEach((value, i) =>
      expect(Math.abs(value - truth.covariance[i]!)).toBeLessThan(2 * tolerance),
    )
  })

  test('one iteration equals the average of the conjugate posteriors', () => {
    const observations = observe(50, 2)
    const prior: Gaussian = {
      mean: Float64Array.of(0.1, 0.2, 0.3),
      covariance: Float64Array.of(2, 0.3, 0, 0.3, 1, 0, 0, 0, 0.5),
    }
    const posteriors = Array.from({ length: 50 }, (_, i) => {
      const { A, y, sigmaY } = sliceObservations(observations, i, i + 1)
      return gaussianPosterior(prior, Float64Array.from(A), Float64Array.from(y), sigmaY)
    })
    const step = gaussianEmStep(prior, observations)
    const center = [0, 1, 2].map((j) => posteriors.reduce((sum, p) => sum + p.mean[j]! / 50, 0))
    center.forEach((value, j) => expect(step.mean[j]).toBeCloseTo(value, 12))
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        const expected = posteriors.reduce(
          (sum, p) =>
            sum + (p.covariance[3 * i + j]! + (p.mean[i]! - center[i]!) * (p.mean[j]! - center[j]!)) / 50,
          0,
        )
        expect(step.covariance[3 * i + j]).toBeCloseTo(expected, 12)
      }
    }
  })

  test('exact posterior draws have the exact mean and covariance', () => {
    const count = 6000
    const one = observe(1, 2)
    const repeat = (values: Float32Array) =>
      Float32Array.from({ length: count * values.length }, (_, i) => values[i % values.length]!)
    const observations = { ...one, count, A: repeat(one.A), y: repeat(one.y) }
    const exact = gaussianPosterior(truth, Float64Array.from(one.A), Float64Array.from(one.y), one.sigmaY)
    const samples = sampleGaussianPosterior(truth, observations, 3, 1)
    const [m, c] = [mean(samples, 3), covariance(samples, 3)]
    for (let i = 0; i < 3; i++) {
      const variance = (k: number) => exact.covariance[4 * k]!
      expect(Math.abs(m[i]! - exact.mean[i]!)).toBeLessThan(3 * Math.sqrt(variance(i) / count))
      for (let j = 0; j < 3; j++) {
        const at = 3 * i + j
        const error = Math.sqrt((variance(i) * variance(j) + exact.covariance[at]! ** 2) / count)
        expect(Math.abs(c[at]! - exact.covariance[at]!)).toBeLessThan(3 * error)
      }
    }
  })

  test('draw i depends on the seed, the stream and i alone', () => {
    const observations = observe(8, 2)
    const all = sampleGaussianPosterior(truth, observations, 3, 1)
    const few = sampleGaussianPosterior(truth, sliceObservations(observations, 0, 3), 3, 1)
    expect(few).toEqual(all.slice(0, 9))
    expect(sampleGaussianPosterior(truth, observations, 3, 2)).not.toEqual(all)
  })
})

describe('probabilistic PCA', () => {
  const samples = Float64Array.of(2, 0, -2, 0, 0, 1, 0, -1)

  test('keeps the leading variance and averages the rest', () => {
    ;[2, 0, 0, 0.5].forEach((value, i) => expect(fitPpca(samples, 2, 2).covariance[i]).toBeCloseTo(value, 12))
    const points = Float64Array.of(3, 0, 0, -3, 0, 0, 0, 2, 0, 0, -2, 0, 0, 0, 1, 0, 0, -1)
    const fit = fitPpca(points, 3, 1)
    const expected = [3, 0, 0, 0, 5 / 6, 0, 0, 0, 5 / 6]
    expected.forEach((value, i) => expect(fit.covariance[i]).toBeCloseTo(value, 12))
  })

  test('an impossible rank is refused', () => {
    expect(() => fitPpca(samples, 2, 0)).toThrow(/outside 1 to 2/)
    expect(() => fitPpca(samples, 2, 3)).toThrow(/outside 1 to 2/)
  })
})
