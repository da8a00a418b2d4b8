/**
 * The exact posterior of a mixture under one linear observation y = A x + N(0, σ_y² I): again a mixture.
 *
 *     S = s² A Aᵀ + σ_y² I,   G = s² Aᵀ S⁻¹
 *     weights ∝ N(y | A mu_k, S),   means mu_k + G (y - A mu_k),   covariance s² (I - G A) for all components
 *
 * The covariance is computed as s² (I - G A)(I - G A)ᵀ + σ_y² G Gᵀ, which is the same matrix, and stays positive definite in
 * rounding where σ_y is far below s.
 * Source: Bishop, "Pattern recognition and machine learning", 2.3.3, for every component.
 */
import { cholesky, invert, multiply, scaledIdentity, transpose } from '../../math/matrix'
import { DOMAIN, unit, type RandomStream } from '../../math/philox'
import type { Mixture } from '../types'
import { factorInPlace, forward, logNormalizer, squaredNorm } from './normal'

/** p(x | y) = Σ_k weights_k N(means_k, covariance). */
export interface MixturePosterior {
  readonly features: number
  /** [K, features]. */
  readonly means: Float64Array
  /** [K], sums to 1. */
  readonly weights: Float64Array
  /** Shared by all components, [features, features]. */
  readonly covariance: Float64Array
}

/**
 * p(x | y). A [m, features], y [m].
 * Errors: RangeError where sizes disagree, or thickness and sigmaY leave S without an inverse.
 */
export function mixturePosterior(
  mixture: Mixture,
  A: Float64Array,
  y: Float64Array,
  sigmaY: number,
): MixturePosterior {
  const { features: n, means, thickness } = mixture
  const m = y.length
  if (A.length !== m * n) throw new RangeError(`A holds ${A.length} numbers, not ${m} rows of ${n}.`)
  const variance = thickness * thickness
  const rows = transpose(A, m, n)
  const system = multiply(A, rows, m, n, m).map((value) => variance * value)
  for (let i = 0; i < m; i++) system[i * m + i]! += sigmaY * sigmaY
  const gain = multiply(rows, invert(system, m), n, m, m).map((value) => variance * value)
  const factor = cholesky(system, m)

  const count = means.length / n
  const posteriorMeans = means.slice()
  const weights = new Float64Array(count)
  const residual = new Float64Array(m)
  let largest = -Infinity
  for (let k = 0; k < count; k++) {
    for (let r = 0; r < m; r++) {
      let sum = y[r]!
      for (let i = 0; i < n; i++) sum -= A[r * n + i]! * means[k * n + i]!
      residual[r] = sum
    }
    for (let i = 0; i < n; i++) {
      for (let r = 0; r < m; r++) posteriorMeans[k * n + i]! += gain[i * m + r]! * residual[r]!
    }
    forward(factor, m, residual)
    weights[k] = -squaredNorm(residual, m) / 2
    largest = Math.max(largest, weights[k]!)
  }
  let total = 0
  for (let k = 0; k < count; k++) {
    weights[k] = Math.exp(weights[k]! - largest)
    total += weights[k]!
  }
  for (let k = 0; k < count; k++) weights[k]! /= total

  const seen = multiply(gain, A, n, m, n)
  const kept = scaledIdentity(n, 1).map((value, i) => value - seen[i]!)
  const unseen = multiply(kept, transpose(kept, n, n), n, n, n)
  const noise = multiply(gain, transpose(gain, n, m), n, m, n)
  const covariance = unseen.map((value, i) => variance * value + sigmaY * sigmaY * noise[i]!)
  return { features: n, means: posteriorMeans, weights, covariance }
}

/**
 * Independent draws of p(x | y), [count, features]. Draw i reads the stream at (i, 0) for its component and at (i, 1)
 * for its normals, in `domain`.
 */
export function drawMixturePosterior(
  { features: n, means, weights, covariance }: MixturePosterior,
  count: number,
  stream: RandomStream,
  domain: number = DOMAIN.metric,
): Float64Array {
  const cumulative = new Float64Array(weights.length)
  let sum = 0
  for (let k = 0; k < weights.length; k++) cumulative[k] = sum += weights[k]!
  const factor = cholesky(covariance, n)
  const draws = new Float64Array(count * n)
  const normals = new Float64Array(n)
  for (let d = 0; d < count; d++) {
    const mean = n * firstAbove(cumulative, sum * unit(stream.block(d, 0, 0, domain)[0]!))
    stream.fillNormals(normals, 0, n, d, 1, domain)
    for (let i = 0; i < n; i++) {
      let value = means[mean + i]!
      for (let j = 0; j <= i; j++) value += factor[i * n + j]! * normals[j]!
      draws[d * n + i] = value
    }
  }
  return draws
}

/** Index of the first entry of an ascending array that is above `value`; the last where none is. */
function firstAbove(ascending: Float64Array, value: number): number {
  let low = 0
  let high = ascending.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle]! > value) high = middle
    else low = middle + 1
  }
  return low
}

/** log p(x | y) of points x [count, features] → [count]. -Infinity where the density is below the smallest float64. */
export function posteriorLogDensity(
  { features: n, means, weights, covariance }: MixturePosterior,
  x: ArrayLike<number>,
): Float64Array {
  const factor = covariance.slice()
  if (!factorInPlace(factor, n)) throw new RangeError('The posterior has no positive definite covariance.')
  // In units of the components' spread every component is round.
  const active: number[] = []
  for (let k = 0; k < weights.length; k++) if (weights[k]! > 0) active.push(k)
  const centers = new Float64Array(active.length * n)
  const logWeights = Float64Array.from(active, (k) => Math.log(weights[k]!))
  active.forEach((k, a) => {
    centers.set(means.subarray(k * n, (k + 1) * n), a * n)
    forward(factor, n, centers, a * n)
  })
  const normalizer = logNormalizer(factor, n)
  const count = x.length / n
  const density = new Float64Array(count)
  const point = new Float64Array(n)
  const exponents = new Float64Array(active.length)
  for (let d = 0; d < count; d++) {
    for (let i = 0; i < n; i++) point[i] = x[d * n + i]!
    forward(factor, n, point)
    let largest = -Infinity
    for (let a = 0; a < exponents.length; a++) {
      let distance = 0
      for (let i = 0; i < n; i++) distance += (point[i]! - centers[a * n + i]!) ** 2
      const exponent = logWeights[a]! - distance / 2
      exponents[a] = exponent
      if (exponent > largest) largest = exponent
    }
    let sum = 0
    for (let a = 0; a < exponents.length; a++) sum += Math.exp(exponents[a]! - largest)
    density[d] = largest + Math.log(sum) + normalizer
  }
  return density
}
