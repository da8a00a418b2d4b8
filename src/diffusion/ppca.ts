/**
 * Probabilistic PCA: the maximum-likelihood Gaussian of rank r plus isotropic noise.
 *
 *     Sigma = U (Λ - noise I) Uᵀ + noise I,   noise = mean of the discarded eigenvalues (1e-6 at full rank)
 *
 * U, Λ: the r leading eigenpairs of the 1/N covariance. Source: Tipping & Bishop 1999, equations 7 and 8.
 */
import { fromEigen, symmetricEigen } from '../math/matrix'
import { covariance as sampleCovariance, mean as sampleMean } from '../math/statistics'
import type { Gaussian } from './gaussianDenoiser'

/** samples [count, features], 1 ≤ rank ≤ features. Error: RangeError for another rank. */
export function fitPpca(samples: Float64Array | Float32Array, features: number, rank: number): Gaussian {
  if (!(rank >= 1 && rank <= features)) throw new RangeError(`Rank ${rank} is outside 1 to ${features}.`)
  const eigen = symmetricEigen(sampleCovariance(samples, features), features)
  // Eigenvalues ascend: the discarded ones come first.
  const discarded = eigen.values.subarray(0, features - rank)
  const noise = discarded.length > 0 ? discarded.reduce((a, b) => a + b, 0) / discarded.length : 1e-6
  const threshold = features - rank
  const values = eigen.values.map((value, k) => (k < threshold ? noise : value))
  return {
    mean: sampleMean(samples, features),
    covariance: fromEigen({ values, vectors: eigen.vectors }, (value) => value),
  }
}
