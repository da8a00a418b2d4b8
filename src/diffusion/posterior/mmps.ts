/**
 * Moment matching posterior sampling: a denoiser and observations make a posterior denoiser.
 *
 *     solve (Sigma_y + A V Aᵀ) v = y - A d(x_t, t);   d(x_t, t | y) = d(x_t, t) + sigma_t² Jᵀ Aᵀ v
 *
 * With Tweedie's V = sigma_t² Jᵀ, the VJPs g_j = Jᵀ A_jᵀ of A's m rows give the whole system,
 * M_ij = sigma_y² δ_ij + sigma_t² A_i·g_j, and Jᵀ Aᵀ v = Σ_j v_j g_j: m VJPs, whatever the solver. Other V need
 * one VJP, after the solve. Each sample is its own system.
 *
 * Source: Rozet et al., "Learning diffusion priors from observations by expectation maximization", NeurIPS 2024,
 * section 4 and Algorithm 2.
 */
import { heuristicCovariances, observedCovariance, type CovarianceAt } from '../../linalg/covariances'
import { smallSolvers } from '../../linalg/solve'
import { clampSpectrum } from '../../linalg/spectrum'
import type { Denoiser, MeanEstimator, Observations, PosteriorOptions } from '../types'

/** Smallest eigenvalue of a projected V, as a share of sigma²/(1 + sigma²): a direction is never quite certain. */
export const LEAST_SHARE = 0.01

/** Whether V = sigma_t² Jᵀ is made a covariance. The heuristics' V are covariances as they are. */
export function isProjected({
  covariance,
  safeguard,
}: Pick<PosteriorOptions, 'covariance' | 'safeguard'>): boolean {
  return safeguard === 'psd' && covariance === 'tweedie'
}

/** Observations in either precision. */
export interface LinearObservations extends Omit<Observations, 'A' | 'y'> {
  readonly A: Float32Array | Float64Array
  readonly y: Float32Array | Float64Array
}

/** Observations begin ≤ i < end, sharing memory with the whole. */
export function sliceObservations<T extends LinearObservations>(
  observations: T,
  begin: number,
  end: number,
): T {
  const { features, observed, A, y } = observations
  return {
    ...observations,
    count: end - begin,
    A: A.subarray(begin * observed * features, end * observed * features),
    y: y.subarray(begin * observed, end * observed),
  }
}

/** What one evaluation solved, for tests and displays. */
export interface PosteriorEvaluation {
  /** d(x_t, t), [batch, features]. */
  readonly xHat: Float64Array
  /** Sigma_y + A V Aᵀ after the safeguard, [batch, observed, observed]. */
  readonly system: Float64Array
  /** d(x_t, t | y), [batch, features]. */
  readonly posterior: Float64Array
}

export class MmpsDenoiser implements MeanEstimator {
  readonly features: number
  private readonly A: Float64Array
  private readonly y: Float64Array
  private readonly covarianceAt: CovarianceAt | undefined

  /**
   * Sample i of a batch belongs to observation i. `solverIterations` is taken as it is: k > m is not cut here.
   * Errors: RangeError where sizes disagree or `gaussian` lacks Sigma_x.
   */
  constructor(
    private readonly denoiser: Denoiser,
    private readonly observations: LinearObservations,
    private readonly options: PosteriorOptions,
  ) {
    const { count, features, observed } = observations
    this.features = denoiser.features
    if (features !== denoiser.features) {
      throw new RangeError(`Observations of ${features} features need a denoiser of as many.`)
    }
    if (observations.A.length !== count * observed * features || observations.y.length !== count * observed) {
      throw new RangeError(`A and y do not hold ${count} observations of ${observed} rows.`)
    }
    this.A = Float64Array.from(observations.A)
    this.y = Float64Array.from(observations.y)
    if (options.covariance !== 'tweedie') {
      this.covarianceAt = heuristicCovariances[options.covariance](features, options.covX)
    }
  }

  denoise(xT: Float64Array, sigma: Float64Array): Float64Array {
    return this.evaluate(xT, sigma).posterior
  }

  /** xT [count, features], sigma [count]. Error: RangeError where the batch is not one sample an observation. */
  evaluate(xT: Float64Array, sigma: Float64Array): PosteriorEvaluation {
    const { features: n, A, y } = this
    const { count, observed: m, sigmaY } = this.observations
    if (sigma.length !== count || xT.length !== count * n) {
      throw new RangeError(`The batch has ${sigma.length} samples for ${count} observations.`)
    }
    const { xHat, vjp } = this.denoiser.linearize(xT, sigma)
    if (isProjected(this.options)) return this.evaluateProjected(xHat, vjp, sigma)
    const rowVjps = this.covarianceAt ? undefined : this.rowVjps(vjp)
    const system = new Float64Array(count * m * m)
    const posterior = xHat.slice()
    const backward = new Float64Array(count * n)
    const residual = new Float64Array(m)
    let heuristic: Float64Array = new Float64Array(0)
    for (let b = 0; b < count; b++) {
      const offset = b * m * n
      for (let i = 0; i < m; i++) {
        let sum = y[b * m + i]!
        for (let d = 0; d < n; d++) sum -= A[offset + i * n + d]! * xHat[b * n + d]!
        residual[i] = sum
      }
      const variance = sigma[b]! ** 2
      if (this.covarianceAt && (b === 0 || sigma[b] !== sigma[b - 1])) {
        heuristic = this.covarianceAt(sigma[b]!)
      }
      const matrix = rowVjps
        ? tweedieSystem(A, offset, rowVjps, b * n, m, n, variance)
        : observedCovariance(A, offset, m, n, heuristic)
      for (let i = 0; i < m; i++) matrix[i * m + i]! += sigmaY * sigmaY
      system.set(matrix, b * m * m)
      const v = smallSolvers[this.options.solver](matrix, residual, this.options.solverIterations)
      if (rowVjps) {
        for (let j = 0; j < m; j++) {
          const factor = variance * v[j]!
          for (let d = 0; d < n; d++) posterior[b * n + d]! += factor * rowVjps[j]![b * n + d]!
        }
      } else {
        for (let j = 0; j < m; j++) {
          for (let d = 0; d < n; d++) backward[b * n + d]! += v[j]! * A[offset + j * n + d]!
        }
      }
    }
    if (!rowVjps) {
      const pulled = vjp(backward)
      for (let i = 0; i < posterior.length; i++) {
        posterior[i]! += sigma[Math.floor(i / n)]! ** 2 * pulled[i]!
      }
    }
    return { xHat, system, posterior }
  }

  /**
   * The whole V = sigma_t² Jᵀ made a covariance, J's symmetric part with eigenvalues held in
   * [LEAST_SHARE/(1 + sigma_t²), 1], in the system and in the last factor: the step moves A xHat towards y by at most
   * ‖y - A xHat‖, whatever the network's Jacobian. Needs n VJPs.
   */
  private evaluateProjected(
    xHat: Float64Array,
    vjp: (v: Float64Array) => Float64Array,
    sigma: Float64Array,
  ): PosteriorEvaluation {
    const { features: n, A, y } = this
    const { count, observed: m, sigmaY } = this.observations
    const rows = Array.from({ length: n }, (_, j) =>
      vjp(Float64Array.from({ length: count * n }, (_, i) => (i % n === j ? 1 : 0))),
    )
    const system = new Float64Array(count * m * m)
    const posterior = xHat.slice()
    const residual = new Float64Array(m)
    const jacobian = new Float64Array(n * n)
    for (let b = 0; b < count; b++) {
      const variance = sigma[b]! ** 2
      for (let p = 0; p < n; p++) {
        for (let q = 0; q < n; q++) jacobian[p * n + q] = rows[p]![b * n + q]!
      }
      const v = clampSpectrum(jacobian, n, LEAST_SHARE / (1 + variance), 1).map((value) => variance * value)
      const offset = b * m * n
      for (let i = 0; i < m; i++) {
        let sum = y[b * m + i]!
        for (let d = 0; d < n; d++) sum -= A[offset + i * n + d]! * xHat[b * n + d]!
        residual[i] = sum
      }
      const matrix = observedCovariance(A, offset, m, n, v)
      for (let i = 0; i < m; i++) matrix[i * m + i]! += sigmaY * sigmaY
      system.set(matrix, b * m * m)
      const w = smallSolvers[this.options.solver](matrix, residual, this.options.solverIterations)
      for (let p = 0; p < n; p++) {
        for (let q = 0; q < n; q++) {
          let sum = 0
          for (let j = 0; j < m; j++) sum += A[offset + j * n + q]! * w[j]!
          posterior[b * n + p]! += v[p * n + q]! * sum
        }
      }
    }
    return { xHat, system, posterior }
  }

  /** g_j = Jᵀ A_jᵀ of every sample, m arrays [count, features]. */
  private rowVjps(vjp: (v: Float64Array) => Float64Array): Float64Array[] {
    const { features: n, A } = this
    const { count, observed: m } = this.observations
    return Array.from({ length: m }, (_, j) => {
      const rows = new Float64Array(count * n)
      for (let b = 0; b < count; b++) {
        for (let d = 0; d < n; d++) rows[b * n + d] = A[(b * m + j) * n + d]!
      }
      return vjp(rows)
    })
  }
}

/** A V Aᵀ with V = sigma_t² Jᵀ from the row VJPs, [m, m]. */
function tweedieSystem(
  A: Float64Array,
  offset: number,
  rowVjps: readonly Float64Array[],
  sample: number,
  m: number,
  n: number,
  variance: number,
): Float64Array {
  const out = new Float64Array(m * m)
  for (let j = 0; j < m; j++) {
    const g = rowVjps[j]!
    for (let i = 0; i < m; i++) {
      let sum = 0
      for (let d = 0; d < n; d++) sum += A[offset + i * n + d]! * g[sample + d]!
      out[i * m + j] = variance * sum
    }
  }
  return out
}
