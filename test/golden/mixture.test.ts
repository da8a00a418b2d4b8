import { afterAll, describe, expect, test } from 'vitest'
import {
  MixtureDenoiser,
  mixtureCovariance,
  mixtureLogLikelihoods,
  mixtureMoments,
  mmpsScore,
} from '../../src/diffusion/mixture'
import type { CovarianceName, Mixture } from '../../src/diffusion/types'
import { coordinateRange, curvePoints, scaleToBox } from '../../src/math/curve'
import { expectClose, golden } from './load'

const TOLERANCE = 1e-9

describe('mixture', () => {
  const file = golden('mixture')
  const data = (key: string) => file.get(key).data
  const close = (actual: ArrayLike<number>, key: string) => expectClose(actual, data(key), TOLERANCE)
  const [components, features] = file.get('mu').shape as [number, number]
  const mixture: Mixture = { features, means: data('mu'), thickness: data('thickness')[0]! }
  const [xT, sigma] = [data('xt'), data('sigma')]
  const count = sigma.length
  const request = {
    mixture,
    xT,
    sigma,
    A: data('A'),
    y: data('y'),
    // `noise` is the standard deviation sigma_y.
    sigmaY: data('noise')[0]!,
    covX: data('cov_x'),
  }

  test('means lie on the curve of abc and z, scaled to the extent of the means themselves', () => {
    const abc = file.get('abc')
    const [parts, dimensions, latents, harmonics] = abc.shape as [number, number, number, number]
    expect([parts, dimensions, latents]).toEqual([3, features, 1])
    expect(data('z').length).toBe(components)
    const size = dimensions * harmonics
    const part = (i: number) => abc.data.slice(i * size, (i + 1) * size)
    const curve = { features: dimensions, harmonics, a: part(0), b: part(1), c: part(2) }
    const raw = curvePoints(curve, data('z'), 3)
    close(scaleToBox(raw, coordinateRange(raw, features), 2), 'mu')
  })

  test('covariance of the Gaussian fit', () => close(mixtureCovariance(mixture), 'cov_x'))

  test('y is an observation of component 0', () => {
    const [observed, columns] = file.get('A').shape as [number, number]
    expect([columns, request.y.length]).toEqual([features, observed])
    for (let r = 0; r < observed; r++) {
      let [predicted, squared] = [0, 0]
      for (let i = 0; i < features; i++) {
        const entry = request.A[r * features + i]!
        predicted += entry * mixture.means[i]!
        squared += entry ** 2
      }
      const deviation = Math.hypot(request.sigmaY, mixture.thickness * Math.sqrt(squared))
      expect(Math.abs(request.y[r]! - predicted)).toBeLessThan(6 * deviation)
    }
  })

  test('x_t is x with noise of its sigma', () => {
    const x = data('x')
    expect(x.length).toBe(count * features)
    // ‖x_t - x‖²/sigma² is χ² with `features` degrees of freedom per point: their mean is within five standard errors.
    let sum = 0
    let distance = 0
    for (let i = 0; i < x.length; i++) {
      sum += ((xT[i]! - x[i]!) / sigma[Math.floor(i / features)]!) ** 2
    }
    // x itself is a draw of a component: its distance to the nearest mean is a few thicknesses.
    for (let b = 0; b < count; b++) {
      let nearest = Infinity
      for (let k = 0; k < components; k++) {
        let squared = 0
        for (let i = 0; i < features; i++) {
          squared += (x[b * features + i]! - mixture.means[k * features + i]!) ** 2
        }
        nearest = Math.min(nearest, Math.sqrt(squared))
      }
      distance = Math.max(distance, nearest)
    }
    expect(Math.abs(sum / x.length - 1)).toBeLessThan(5 * Math.sqrt(2 / x.length))
    expect(distance).toBeLessThan(6 * mixture.thickness * Math.sqrt(features))
  })

  test('log density, score, mean and covariance', () => {
    const moments = mixtureMoments(mixture, xT, sigma)
    close(moments.logPrior, 'log_prior')
    close(moments.score, 'score')
    close(moments.mean, 'mean')
    close(moments.covariance, 'cov')
    // The norm over all points is that of the largest sigma, so each point's score and covariance are compared, too. A file
    // may compute both from differences of coordinates, whose rounding (1e-16 times some 10) is divided by sigma².
    for (let b = 0; b < count; b++) {
      const tolerance = Math.max(TOLERANCE, 1e-15 / sigma[b]! ** 2)
      const row = (values: Float64Array, width: number) => values.subarray(b * width, (b + 1) * width)
      expectClose(row(moments.score, features), row(data('score'), features), tolerance)
      expectClose(row(moments.covariance, features ** 2), row(data('cov'), features ** 2), tolerance)
    }
  })

  test('the denoiser and its Jacobian', () => {
    const denoiser = new MixtureDenoiser(mixture)
    close(denoiser.denoise(xT, sigma), 'mean')
    const { xHat, vjp, jvp } = denoiser.linearize(xT, sigma)
    close(xHat, 'mean')
    const byRows = new Float64Array(count * features ** 2)
    const byColumns = new Float64Array(count * features ** 2)
    for (let i = 0; i < features; i++) {
      const unit = Float64Array.from({ length: count * features }, (_, at) => (at % features === i ? 1 : 0))
      const [row, column] = [vjp(unit), jvp(unit)]
      for (let b = 0; b < count; b++) {
        const variance = sigma[b]! ** 2
        for (let j = 0; j < features; j++) {
          byRows[(b * features + i) * features + j] = variance * row[b * features + j]!
          byColumns[(b * features + j) * features + i] = variance * column[b * features + j]!
        }
      }
    }
    close(byRows, 'cov')
    close(byColumns, 'cov')
  })

  test.each([
    ['zero', 'loglik_zero'],
    ['identity', 'loglik_cov_t'],
    ['gaussian', 'loglik_cov_x'],
    ['tweedie', 'loglik_tweedie'],
  ] as [CovarianceName, string][])('log-likelihood with covariance %s', (name, key) => {
    close(mixtureLogLikelihoods(request)[name], key)
  })

  test('likelihood term of the MMPS score', () => close(mmpsScore(request), 'mmps_score'))

  afterAll(() => expect(file.unused()).toEqual([]))
})
