/**
 * Linear observations y = A x + n as the posterior methods read them, in float64. One observation may be shared by every
 * sample of a batch, or each sample has its own.
 */
import type { Observations } from '../types'

/** Observations in either precision. */
export interface LinearObservations extends Omit<Observations, 'A' | 'y'> {
  readonly A: Float32Array | Float64Array
  readonly y: Float32Array | Float64Array
}

/** Observations of samples begin ≤ i < end, sharing memory with the whole; a shared one stays as it is. */
export function sliceObservations<T extends LinearObservations>(
  observations: T,
  begin: number,
  end: number,
): T {
  const { count, features, observed, A, y } = observations
  if (count === 1) return observations
  return {
    ...observations,
    count: end - begin,
    A: A.subarray(begin * observed * features, end * observed * features),
    y: y.subarray(begin * observed, end * observed),
  }
}

export class ObservationBatch {
  readonly features: number
  /** m, rows of each A. */
  readonly observed: number
  readonly sigmaY: number
  /** [count, observed, features]. */
  readonly A: Float64Array
  /** [count, observed]. */
  readonly y: Float64Array
  private readonly count: number

  /** Errors: RangeError where `features` (the denoiser's) or the lengths of A and y disagree. */
  constructor(observations: LinearObservations, features: number) {
    const { count, observed, sigmaY } = observations
    if (observations.features !== features) {
      throw new RangeError(`Observations of ${observations.features} features need a denoiser of as many.`)
    }
    if (observations.A.length !== count * observed * features || observations.y.length !== count * observed) {
      throw new RangeError(`A and y do not hold ${count} observations of ${observed} rows.`)
    }
    this.count = count
    this.features = features
    this.observed = observed
    this.sigmaY = sigmaY
    this.A = Float64Array.from(observations.A)
    this.y = Float64Array.from(observations.y)
  }

  /** Error: RangeError unless sigma [batch] and xT [batch, features] are one sample an observation, or one is shared. */
  check(xT: Float64Array, sigma: Float64Array): void {
    const expected = this.count === 1 ? sigma.length : this.count
    if (sigma.length !== expected || xT.length !== expected * this.features) {
      throw new RangeError(`The batch has ${sigma.length} samples for ${this.count} observations.`)
    }
  }

  /** Where sample b's A begins in `A`. */
  offset(b: number): number {
    return this.count === 1 ? 0 : b * this.observed * this.features
  }

  /** Writes r = y - A x of sample b to `out` [observed]; x [batch, features]. */
  residual(b: number, x: Float64Array, out: Float64Array): void {
    const { features: n, observed: m, A, y } = this
    const offset = this.offset(b)
    const first = this.count === 1 ? 0 : b * m
    for (let i = 0; i < m; i++) {
      let sum = y[first + i]!
      for (let d = 0; d < n; d++) sum -= A[offset + i * n + d]! * x[b * n + d]!
      out[i] = sum
    }
  }

  /** Adds Aᵀ v of sample b to row b of `out` [batch, features]; v [observed]. */
  addTransposed(b: number, v: Float64Array, out: Float64Array): void {
    const { features: n, observed: m, A } = this
    const offset = this.offset(b)
    for (let j = 0; j < m; j++) {
      for (let d = 0; d < n; d++) out[b * n + d]! += v[j]! * A[offset + j * n + d]!
    }
  }
}
