/**
 * Heuristic covariances V of x given x_t, compared with Tweedie's in the paper's section 4.2:
 *
 *     zero 0 · identity sigma_t² I · pigdm sigma_t²/(1 + sigma_t²) I · gaussian (I/sigma_t² + Sigma_x⁻¹)⁻¹
 *
 * the observed block A V Aᵀ, and a Gaussian's log density. Sources: Chung et al. 2023 (DPS, zero), Song et al. 2023 (ΠGDM).
 */
import { fromEigen, scaledIdentity, symmetricEigen } from '../math/matrix'

/** sigma_t → V [features, features]. */
export type CovarianceAt = (sigma: number) => Float64Array

/** What a heuristic needs to know: the number of features, and `gaussian` Sigma_x [features, features]. */
type Heuristic = (features: number, covX?: Float64Array) => CovarianceAt

export const heuristicCovariances: Record<'zero' | 'identity' | 'pigdm' | 'gaussian', Heuristic> = {
  zero: (features) => () => new Float64Array(features * features),
  identity: (features) => (sigma) => scaledIdentity(features, sigma * sigma),
  pigdm: (features) => (sigma) => scaledIdentity(features, (sigma * sigma) / (1 + sigma * sigma)),
  gaussian: (features, covX) => {
    if (covX?.length !== features * features) {
      throw new RangeError(`The covariance "gaussian" needs Sigma_x, [${features}, ${features}].`)
    }
    // On Sigma_x's eigenvectors no inverse is needed, so a singular fit is no special case.
    const eigen = symmetricEigen(covX, features)
    return (sigma) =>
      fromEigen(eigen, (value) => {
        const variance = Math.max(value, 0)
        return variance === 0 ? 0 : (variance * sigma * sigma) / (variance + sigma * sigma)
      })
  },
}

/**
 * log N(residual | 0, covariance) with the symmetric part of the covariance, [size] and [size, size]; -Infinity where that
 * is not positive definite.
 */
export function logNormal(residual: Float64Array, covariance: Float64Array): number {
  const size = residual.length
  const symmetric = covariance.map(
    (value, k) => (value + covariance[(k % size) * size + Math.floor(k / size)]!) / 2,
  )
  const { values, vectors } = symmetricEigen(symmetric, size)
  let sum = 0
  for (let k = 0; k < size; k++) {
    if (!(values[k]! > 0)) return -Infinity
    let projection = 0
    for (let i = 0; i < size; i++) projection += vectors[i * size + k]! * residual[i]!
    sum += projection ** 2 / values[k]! + Math.log(2 * Math.PI * values[k]!)
  }
  return -sum / 2
}

/** A V Aᵀ for the matrix A at `offset` of `a`, [rows, features] → [rows, rows]. */
export function observedCovariance(
  a: Float64Array,
  offset: number,
  rows: number,
  features: number,
  v: Float64Array,
): Float64Array {
  const out = new Float64Array(rows * rows)
  for (let j = 0; j < rows; j++) {
    for (let p = 0; p < features; p++) {
      let sum = 0
      for (let q = 0; q < features; q++) sum += v[p * features + q]! * a[offset + j * features + q]!
      for (let i = 0; i < rows; i++) out[i * rows + j]! += a[offset + i * features + p]! * sum
    }
  }
  return out
}
