/**
 * Everything about a Gaussian prior N(mu, Sigma), in closed form:
 *
 *     d(x_t, t) = mu + Sigma (Sigma + sigma_t² I)⁻¹ (x_t - mu),   J = Sigma (Sigma + sigma_t² I)⁻¹ (symmetric)
 *     p(x | y)      = N(mu + K (y - A mu), Sigma - K A Sigma),   K = Sigma Aᵀ (A Sigma Aᵀ + sigma_y² I)⁻¹
 *     E[x | x_t, y] = Q⁻¹ (Sigma⁻¹ mu + x_t/sigma_t² + Aᵀ y/sigma_y²),   Q = Sigma⁻¹ + I/sigma_t² + Aᵀ A/sigma_y²
 *
 * Source: Bishop, "Pattern recognition and machine learning", 2.3.3.
 */
import { fromEigen, invert, multiply, solveDense, symmetricEigen, transpose } from '../math/matrix'
import { observedCovariance } from '../linalg/covariances'
import type { Denoiser, Linearization } from './types'

export interface Gaussian {
  /** [features]. */
  readonly mean: Float64Array
  /** [features, features], symmetric positive semi-definite. */
  readonly covariance: Float64Array
}

export class GaussianDenoiser implements Denoiser {
  readonly features: number
  private readonly eigen
  private jacobianSigma = NaN
  private jacobianMatrix: Float64Array = new Float64Array(0)

  constructor(readonly prior: Gaussian) {
    this.features = prior.mean.length
    this.eigen = symmetricEigen(prior.covariance, this.features)
  }

  denoise(xT: Float64Array, sigma: Float64Array): Float64Array {
    const { features } = this
    const { mean } = this.prior
    const centered = xT.map((value, i) => value - mean[i % features]!)
    const xHat = this.apply(centered, sigma)
    for (let i = 0; i < xHat.length; i++) xHat[i]! += mean[i % features]!
    return xHat
  }

  linearize(xT: Float64Array, sigma: Float64Array): Linearization {
    const derivative = (v: Float64Array) => this.apply(v, sigma)
    return { xHat: this.denoise(xT, sigma), vjp: derivative, jvp: derivative }
  }

  /** J at noise level sigma, [features, features]; kept until sigma changes. */
  jacobian(sigma: number): Float64Array {
    if (sigma !== this.jacobianSigma) {
      this.jacobianMatrix = fromEigen(this.eigen, (value) => {
        const variance = Math.max(value, 0)
        return variance / (variance + sigma * sigma)
      })
      this.jacobianSigma = sigma
    }
    return this.jacobianMatrix
  }

  private apply(v: Float64Array, sigma: Float64Array): Float64Array {
    const { features } = this
    const out = new Float64Array(v.length)
    for (let b = 0; b < sigma.length; b++) {
      const jacobian = this.jacobian(sigma[b]!)
      for (let i = 0; i < features; i++) {
        let sum = 0
        for (let j = 0; j < features; j++) sum += jacobian[i * features + j]! * v[b * features + j]!
        out[b * features + i] = sum
      }
    }
    return out
  }
}

/** p(x | y) under a Gaussian prior. A [observed, features], y [observed]. */
export function gaussianPosterior(
  { mean, covariance }: Gaussian,
  A: Float64Array,
  y: Float64Array,
  sigmaY: number,
): Gaussian {
  const n = mean.length
  const m = y.length
  const system = observedCovariance(A, 0, m, n, covariance)
  for (let i = 0; i < m; i++) system[i * m + i]! += sigmaY * sigmaY
  const crossed = multiply(covariance, transpose(A, m, n), n, n, m)
  const gain = multiply(crossed, invert(system, m), n, m, m)
  const predicted = multiply(A, mean, m, n, 1)
  const correction = multiply(
    gain,
    y.map((value, i) => value - predicted[i]!),
    n,
    m,
    1,
  )
  const reduction = multiply(gain, transpose(crossed, n, m), n, m, n)
  return {
    mean: mean.map((value, i) => value + correction[i]!),
    covariance: covariance.map((value, i) => value - reduction[i]!),
  }
}

/**
 * E[x | x_t, y] of one sample from the precisions, independent of how MMPS computes it. The prior's covariance
 * must be invertible. A [observed, features], y [observed], xT [features].
 */
export function gaussianPosteriorMean(
  { mean, covariance }: Gaussian,
  A: Float64Array,
  y: Float64Array,
  sigmaY: number,
  xT: Float64Array,
  sigma: number,
): Float64Array {
  const n = mean.length
  const m = y.length
  const precision = invert(covariance, n)
  const right = multiply(precision, mean, n, n, 1)
  for (let i = 0; i < n; i++) {
    precision[i * n + i]! += 1 / (sigma * sigma)
    right[i]! += xT[i]! / (sigma * sigma)
    for (let k = 0; k < m; k++) {
      const weight = A[k * n + i]! / (sigmaY * sigmaY)
      right[i]! += weight * y[k]!
      for (let j = 0; j < n; j++) precision[i * n + j]! += weight * A[k * n + j]!
    }
  }
  return solveDense(precision, right, n)
}
