/**
 * The posterior over a mixture's components at a noisy point, and what follows from it.
 *
 *     p(x_t) = 1/K Σ_k N(mu_k, (s² + σ²) I),   w_k ∝ exp(-‖x_t - mu_k‖²/(2 (s² + σ²))),   s = thickness
 *     E[x | x_t] = x_t + ρ Σ_k w_k (mu_k - x_t),   ρ = σ²/(s² + σ²)
 *     V[x | x_t] = s² ρ I + ρ² Cov_w(mu_k)
 *
 * The mean is kept as its difference from x_t, so that the score keeps its digits at small σ.
 * Source: Bishop, "Pattern recognition and machine learning", 2.3.3 and 2.3.9, for every component.
 */
import type { Mixture } from '../types'

/** Components whose weight is below e^-100 of the largest are left out: no moment in float64 would notice them. */
const LEAST_EXPONENT = -100

/** Evaluates one point at a time; every call overwrites the results of the last. */
export class MixtureComponents {
  readonly features: number
  readonly count: number
  /** s² σ²/(s² + σ²): variance of x within a component, given x_t. */
  within = 0
  /** ρ = σ²/(s² + σ²). */
  share = 0
  /** How many components have a weight worth counting. */
  active = 0
  /** Their indices, [active] of [count]. */
  readonly indices: Uint32Array
  /** Their weights, summing to 1, [active] of [count]. */
  readonly weights: Float64Array
  /** E[x | x_t] - x_t, [features]. */
  readonly offset: Float64Array
  /** V[x | x_t], [features, features]. */
  readonly covariance: Float64Array
  /** Logarithms of all weights, also of those that are left out, [count]. */
  readonly logWeights: Float64Array
  private readonly difference: Float64Array

  /** Error: RangeError where the mixture is empty, its means do not fit its features, or its thickness is not positive. */
  constructor(readonly mixture: Mixture) {
    const { features, means, thickness } = mixture
    this.features = features
    this.count = means.length / features
    if (!(this.count >= 1) || !Number.isInteger(this.count)) {
      throw new RangeError(`${means.length} numbers are no means of ${features} features.`)
    }
    if (!(thickness > 0)) throw new RangeError(`A mixture's thickness is above 0, not ${thickness}.`)
    this.indices = new Uint32Array(this.count)
    this.weights = new Float64Array(this.count)
    this.logWeights = new Float64Array(this.count)
    this.offset = new Float64Array(features)
    this.difference = new Float64Array(features)
    this.covariance = new Float64Array(features * features)
  }

  /** Weights and mean at the point xT[at ..], noise level sigma; returns log p(x_t). */
  locate(xT: Float64Array, at: number, sigma: number): number {
    const { features: n, count, logWeights, indices, weights, offset } = this
    const { means, thickness } = this.mixture
    const total = thickness * thickness + sigma * sigma
    this.share = (sigma * sigma) / total
    this.within = thickness * thickness * this.share
    let largest = -Infinity
    for (let k = 0; k < count; k++) {
      let distance = 0
      for (let i = 0; i < n; i++) distance += (means[k * n + i]! - xT[at + i]!) ** 2
      const exponent = distance / (-2 * total)
      logWeights[k] = exponent
      if (exponent > largest) largest = exponent
    }
    offset.fill(0)
    let sum = 0
    let active = 0
    for (let k = 0; k < count; k++) {
      const exponent = logWeights[k]! - largest
      if (exponent < LEAST_EXPONENT) continue
      const weight = Math.exp(exponent)
      indices[active] = k
      weights[active++] = weight
      sum += weight
      for (let i = 0; i < n; i++) offset[i]! += weight * (means[k * n + i]! - xT[at + i]!)
    }
    this.active = active
    for (let a = 0; a < active; a++) weights[a]! /= sum
    const normalizer = largest + Math.log(sum)
    for (let k = 0; k < count; k++) logWeights[k]! -= normalizer
    for (let i = 0; i < n; i++) offset[i]! *= this.share / sum
    return normalizer - Math.log(count) - (n / 2) * Math.log(2 * Math.PI * total)
  }

  /** `covariance` of the point that `locate` was called for. */
  spread(xT: Float64Array, at: number): void {
    const { features: n, active, indices, weights, offset, covariance, difference, share, within } = this
    const { means } = this.mixture
    covariance.fill(0)
    for (let a = 0; a < active; a++) {
      const mean = indices[a]! * n
      for (let i = 0; i < n; i++) difference[i] = share * (means[mean + i]! - xT[at + i]!) - offset[i]!
      for (let i = 0; i < n; i++) {
        const factor = weights[a]! * difference[i]!
        for (let j = 0; j <= i; j++) covariance[i * n + j]! += factor * difference[j]!
      }
    }
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) covariance[j * n + i] = covariance[i * n + j]!
      covariance[i * n + i]! += within
    }
  }
}
