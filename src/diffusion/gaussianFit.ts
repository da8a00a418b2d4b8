/**
 * The Gaussian start: N(mu, Sigma) fitted to (A_i, y_i) alone by exact expectation-maximization.
 *
 *     S_i = A_i Sigma A_iᵀ + sigma_y² I,   r_i = y_i - A_i mu,   w_i = A_iᵀ S_i⁻¹ r_i
 *     E   E[x_i] = mu + Sigma w_i,   V[x_i] = Sigma - Sigma A_iᵀ S_i⁻¹ A_i Sigma
 *     M   mu' = mu + Sigma mean(w_i)
 *         Sigma' = Sigma + Sigma mean(w_i w_iᵀ - A_iᵀ S_i⁻¹ A_i) Sigma - (mu' - mu)(mu' - mu)ᵀ
 *
 * so the sums of w_i and of w_i w_iᵀ - A_iᵀ S_i⁻¹ A_i are all an iteration keeps. A million observations take half a second
 * or so an iteration: the work comes in pieces, too (jobControl.ts).
 * Source: Dempster, Laird, Rubin 1977; the conjugate E step as in Bishop 2006, 2.3.3.
 */
import { cholesky, scaledIdentity } from '../math/matrix'
import { DOMAIN, RandomStream } from '../math/philox'
import type { Gaussian } from './gaussianDenoiser'
import { type Pieces, atOnce } from './jobControl'
import type { LinearObservations } from './posterior/observations'

export interface GaussianFit extends Gaussian {
  /** Mean log-likelihood of the observations before each iteration, in nats; it never falls. */
  readonly logLikelihood: readonly number[]
}

/** Observations of a piece of work: some milliseconds. */
const piece = 4096

/** One observation's S = A Sigma Aᵀ + sigma_y² I, factored in place, with its scratch memory. */
class ObservationSolver {
  /** A Sigma, [m, n]. */
  readonly crossed: Float64Array
  /** Lower Cholesky factor of S, [m, m]. */
  readonly factor: Float64Array

  constructor(
    private readonly observations: LinearObservations,
    private readonly covariance: Float64Array,
  ) {
    const { observed: m, features: n } = observations
    this.crossed = new Float64Array(m * n)
    this.factor = new Float64Array(m * m)
  }

  /** Factors the system of observation i; returns log det S. */
  prepare(i: number): number {
    const { crossed, factor, covariance } = this
    const { observed: m, features: n, A, sigmaY } = this.observations
    const offset = i * m * n
    let logDeterminant = 0
    for (let a = 0; a < m; a++) {
      for (let q = 0; q < n; q++) {
        let sum = 0
        for (let p = 0; p < n; p++) sum += A[offset + a * n + p]! * covariance[p * n + q]!
        crossed[a * n + q] = sum
      }
      for (let b = 0; b <= a; b++) {
        let sum = a === b ? sigmaY * sigmaY : 0
        for (let q = 0; q < n; q++) sum += crossed[a * n + q]! * A[offset + b * n + q]!
        for (let k = 0; k < b; k++) sum -= factor[a * m + k]! * factor[b * m + k]!
        if (a === b) {
          // S is at least sigma_y² I; the floor only meets rounding.
          factor[a * m + a] = Math.sqrt(Math.max(sum, Number.MIN_VALUE))
          logDeterminant += 2 * Math.log(factor[a * m + a]!)
        } else factor[a * m + b] = sum / factor[b * m + b]!
      }
    }
    return logDeterminant
  }

  /** v ← L⁻¹ v for the m values of column `column` in v [m, stride]. */
  forward(v: Float64Array, column = 0, stride = 1): void {
    const m = this.observations.observed
    for (let a = 0; a < m; a++) {
      let sum = v[a * stride + column]!
      for (let k = 0; k < a; k++) sum -= this.factor[a * m + k]! * v[k * stride + column]!
      v[a * stride + column] = sum / this.factor[a * m + a]!
    }
  }

  /** v ← L⁻ᵀ v, [m]. */
  backward(v: Float64Array): void {
    const m = this.observations.observed
    for (let a = m - 1; a >= 0; a--) {
      let sum = v[a]!
      for (let k = a + 1; k < m; k++) sum -= this.factor[k * m + a]! * v[k]!
      v[a] = sum / this.factor[a * m + a]!
    }
  }
}

/** What one EM iteration gives: the next Gaussian, and the mean log-likelihood of the observations under the given one. */
export type GaussianEmStep = Gaussian & { readonly logLikelihood: number }

/** One EM iteration. Cost: about n² m flops an observation. */
export function gaussianEmStep(prior: Gaussian, observations: LinearObservations): GaussianEmStep {
  return atOnce(gaussianEmPieces(prior, observations))
}

/** As `gaussianEmStep`, in pieces: yields the observations done. */
export function* gaussianEmPieces(
  { mean, covariance }: Gaussian,
  observations: LinearObservations,
): Pieces<GaussianEmStep> {
  const { count, features: n, observed: m, A, y } = observations
  const solver = new ObservationSolver(observations, covariance)
  const sumW = new Float64Array(n)
  const sumG = new Float64Array(n * n)
  const r = new Float64Array(m)
  const w = new Float64Array(n)
  const whitened = new Float64Array(m * n)
  let logLikelihood = 0
  for (let i = 0; i < count; i++) {
    const offset = i * m * n
    const logDeterminant = solver.prepare(i)
    for (let a = 0; a < m; a++) {
      let sum = y[i * m + a]!
      for (let p = 0; p < n; p++) {
        const value = A[offset + a * n + p]!
        whitened[a * n + p] = value
        sum -= value * mean[p]!
      }
      r[a] = sum
    }
    solver.forward(r)
    let square = 0
    for (let a = 0; a < m; a++) square += r[a]! * r[a]!
    logLikelihood -= 0.5 * (square + logDeterminant + m * Math.log(2 * Math.PI))
    for (let p = 0; p < n; p++) solver.forward(whitened, p, n)
    // With B = L⁻¹ A and q = L⁻¹ r: w = Bᵀ q and Aᵀ S⁻¹ A = Bᵀ B.
    for (let p = 0; p < n; p++) {
      let sum = 0
      for (let a = 0; a < m; a++) sum += whitened[a * n + p]! * r[a]!
      w[p] = sum
      sumW[p]! += sum
    }
    for (let p = 0; p < n; p++) {
      for (let q = 0; q <= p; q++) {
        let sum = w[p]! * w[q]!
        for (let a = 0; a < m; a++) sum -= whitened[a * n + p]! * whitened[a * n + q]!
        sumG[p * n + q]! += sum
      }
    }
    if ((i + 1) % piece === 0) yield i + 1
  }
  const shift = new Float64Array(n)
  for (let p = 0; p < n; p++) {
    for (let q = 0; q < n; q++) {
      shift[p]! += (covariance[p * n + q]! * sumW[q]!) / count
      if (q > p) sumG[p * n + q] = sumG[q * n + p]!
    }
  }
  const next = sandwich(covariance, sumG, n)
  for (let p = 0; p < n; p++) {
    for (let q = 0; q < n; q++) {
      next[p * n + q] = covariance[p * n + q]! + next[p * n + q]! / count - shift[p]! * shift[q]!
    }
  }
  return {
    mean: mean.map((value, p) => value + shift[p]!),
    covariance: symmetrize(next, n),
    logLikelihood: logLikelihood / count,
  }
}

/** Sigma G Sigma, [n, n]. */
function sandwich(sigma: Float64Array, g: Float64Array, n: number): Float64Array {
  const half = new Float64Array(n * n)
  const out = new Float64Array(n * n)
  for (let p = 0; p < n; p++) {
    for (let k = 0; k < n; k++) {
      for (let q = 0; q < n; q++) half[p * n + q]! += sigma[p * n + k]! * g[k * n + q]!
    }
  }
  for (let p = 0; p < n; p++) {
    for (let k = 0; k < n; k++) {
      for (let q = 0; q < n; q++) out[p * n + q]! += half[p * n + k]! * sigma[k * n + q]!
    }
  }
  return out
}

function symmetrize(matrix: Float64Array, n: number): Float64Array {
  return matrix.map((value, i) => (value + matrix[(i % n) * n + Math.floor(i / n)]!) / 2)
}

/** Runs `iterations` EM iterations from `start`, by default N(0, I). */
export function fitGaussian(
  observations: LinearObservations,
  iterations: number,
  start: Gaussian = standardNormal(observations.features),
): GaussianFit {
  let { mean, covariance } = start
  const logLikelihood: number[] = []
  for (let k = 0; k < iterations; k++) {
    const step = gaussianEmStep({ mean, covariance }, observations)
    mean = step.mean
    covariance = step.covariance
    logLikelihood.push(step.logLikelihood)
  }
  return { mean, covariance, logLikelihood }
}

/** N(0, I), where the fit starts. */
export function standardNormal(features: number): Gaussian {
  return { mean: new Float64Array(features), covariance: scaledIdentity(features, 1) }
}

/**
 * One exact draw x_i ~ p(x | A_i, y_i) for every observation, [count, features]: a prior draw x* with its own
 * noisy observation y* = A x* + sigma_y ε, corrected to x* + Sigma Aᵀ S⁻¹ (y - y*) (Matheron's rule). Normals:
 * counter (i, 0, block, gaussianStart), first x*'s, then ε's.
 */
export function sampleGaussianPosterior(
  prior: Gaussian,
  observations: LinearObservations,
  seed: number,
  stream: number,
): Float32Array {
  return atOnce(gaussianPosteriorPieces(prior, observations, seed, stream))
}

/** As `sampleGaussianPosterior`, in pieces: yields the observations done. */
export function* gaussianPosteriorPieces(
  { mean, covariance }: Gaussian,
  observations: LinearObservations,
  seed: number,
  stream: number,
): Pieces<Float32Array> {
  const { count, features: n, observed: m, A, y, sigmaY } = observations
  const random = new RandomStream(seed, stream)
  const factor = priorFactor(covariance, n)
  const solver = new ObservationSolver(observations, covariance)
  const normals = new Float64Array(n + m)
  const x = new Float64Array(n)
  const r = new Float64Array(m)
  const samples = new Float32Array(count * n)
  for (let i = 0; i < count; i++) {
    random.fillNormals(normals, 0, n + m, i, 0, DOMAIN.gaussianStart)
    for (let p = 0; p < n; p++) {
      let sum = mean[p]!
      for (let q = 0; q <= p; q++) sum += factor[p * n + q]! * normals[q]!
      x[p] = sum
    }
    solver.prepare(i)
    for (let a = 0; a < m; a++) {
      let sum = y[i * m + a]! - sigmaY * normals[n + a]!
      for (let p = 0; p < n; p++) sum -= A[(i * m + a) * n + p]! * x[p]!
      r[a] = sum
    }
    solver.forward(r)
    solver.backward(r)
    for (let p = 0; p < n; p++) {
      let sum = x[p]!
      for (let a = 0; a < m; a++) sum += solver.crossed[a * n + p]! * r[a]!
      samples[i * n + p] = sum
    }
    if ((i + 1) % piece === 0) yield i + 1
  }
  return samples
}

/** Lower L with L Lᵀ = covariance; a fit collapsed onto a plane gets a jitter far below anything visible. */
function priorFactor(covariance: Float64Array, n: number): Float64Array {
  let trace = 0
  for (let p = 0; p < n; p++) trace += covariance[p * n + p]!
  const jittered = covariance.slice()
  for (let p = 0; p < n; p++) jittered[p * n + p]! += 1e-12 * trace
  return cholesky(jittered, n)
}
