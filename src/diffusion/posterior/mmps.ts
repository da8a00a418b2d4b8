/**
 * Moment matching posterior sampling: a denoiser and observations make a posterior denoiser.
 *
 *     solve (Sigma_y + A V Aᵀ) v = y - A d(x_t, t);   d(x_t, t | y) = d(x_t, t) + sigma_t² Jᵀ Aᵀ v
 *
 * With Tweedie's V = sigma_t² Jᵀ, the VJPs g_j = Jᵀ A_jᵀ of A's m rows give the whole system,
 * M_ij = sigma_y² δ_ij + sigma_t² A_i·g_j, and Jᵀ Aᵀ v = Σ_j v_j g_j: m VJPs, whatever the solver. Other V need
 * one VJP, after the solve, and V = diag(sigma_t² Jᵀ 1) (`tmpd`) one more, before it. Each sample is its own system.
 *
 * Sources: Rozet et al., "Learning diffusion priors from observations by expectation maximization", NeurIPS 2024,
 * section 4 and Algorithm 2; for V = sigma_t²/(1 + sigma_t²) I Song et al., "Pseudoinverse-guided diffusion models for
 * inverse problems", ICLR 2023; for `tmpd` Boys et al., "Tweedie moment projected diffusions for inverse problems", 2023.
 */
import { heuristicCovariances, observedCovariance, type CovarianceAt } from '../../linalg/covariances'
import { smallSolvers } from '../../linalg/solve'
import { clampSpectrum } from '../../linalg/spectrum'
import type { Denoiser, Linearization, MeanEstimator, PosteriorOptions } from '../types'
import { ObservationBatch, type LinearObservations } from './observations'

/** Smallest eigenvalue of a projected V, as a share of sigma²/(1 + sigma²): a direction is never quite certain. */
export const LEAST_SHARE = 0.01

/** Whether V = sigma_t² Jᵀ is made a covariance. The heuristics' V are taken as they are. */
export function isProjected({
  covariance,
  safeguard,
}: Pick<PosteriorOptions, 'covariance' | 'safeguard'>): boolean {
  return safeguard === 'psd' && covariance === 'tweedie'
}

/** What one evaluation solved. */
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
  private readonly observations: ObservationBatch
  /** V where it does not depend on J. */
  private readonly covarianceAt: CovarianceAt | undefined

  /**
   * Sample i of a batch belongs to observation i, or all to the only one. `solverIterations` is taken as it is: k > m is
   * not cut here. Errors: RangeError where sizes disagree or `gaussian` lacks Sigma_x.
   */
  constructor(
    private readonly denoiser: Denoiser,
    observations: LinearObservations,
    private readonly options: PosteriorOptions,
  ) {
    const { covariance, covX } = options
    this.features = denoiser.features
    this.observations = new ObservationBatch(observations, denoiser.features)
    if (covariance !== 'tweedie' && covariance !== 'tmpd') {
      this.covarianceAt = heuristicCovariances[covariance](denoiser.features, covX)
    }
  }

  denoise(xT: Float64Array, sigma: Float64Array): Float64Array {
    return this.evaluate(xT, sigma).posterior
  }

  /** xT [batch, features], sigma [batch]. Error: RangeError where the batch is not one sample an observation. */
  evaluate(xT: Float64Array, sigma: Float64Array): PosteriorEvaluation {
    this.observations.check(xT, sigma)
    const linearization = this.denoiser.linearize(xT, sigma)
    if (isProjected(this.options)) return this.evaluateProjected(linearization, sigma)
    if (this.options.covariance === 'tweedie') return this.evaluateTweedie(linearization, sigma)
    return this.evaluateGiven(linearization, sigma)
  }

  /** V = sigma_t² Jᵀ from the VJPs of A's rows. */
  private evaluateTweedie({ xHat, vjp }: Linearization, sigma: Float64Array): PosteriorEvaluation {
    const { features: n, observations } = this
    const { observed: m, A } = observations
    const count = sigma.length
    const rowVjps = this.rowVjps(vjp, count)
    const system = new Float64Array(count * m * m)
    const posterior = xHat.slice()
    const residual = new Float64Array(m)
    for (let b = 0; b < count; b++) {
      observations.residual(b, xHat, residual)
      const variance = sigma[b]! ** 2
      const matrix = tweedieSystem(A, observations.offset(b), rowVjps, b * n, m, n, variance)
      const v = this.solve(matrix, residual)
      system.set(matrix, b * m * m)
      for (let j = 0; j < m; j++) {
        const factor = variance * v[j]!
        for (let d = 0; d < n; d++) posterior[b * n + d]! += factor * rowVjps[j]![b * n + d]!
      }
    }
    return { xHat, system, posterior }
  }

  /** V a function of sigma_t, or diag(sigma_t² Jᵀ 1), in the system; the last factor stays sigma_t² Jᵀ. */
  private evaluateGiven({ xHat, vjp }: Linearization, sigma: Float64Array): PosteriorEvaluation {
    const { features: n, observations } = this
    const { observed: m, A } = observations
    const count = sigma.length
    const system = new Float64Array(count * m * m)
    const posterior = xHat.slice()
    const backward = new Float64Array(count * n)
    const residual = new Float64Array(m)
    const sums = this.covarianceAt ? undefined : vjp(new Float64Array(count * n).fill(1))
    let covariance: Float64Array = new Float64Array(n * n)
    for (let b = 0; b < count; b++) {
      observations.residual(b, xHat, residual)
      if (sums) for (let d = 0; d < n; d++) covariance[d * n + d] = sigma[b]! ** 2 * sums[b * n + d]!
      else if (b === 0 || sigma[b] !== sigma[b - 1]) {
        covariance = this.covarianceAt!(sigma[b]!)
      }
      const matrix = observedCovariance(A, observations.offset(b), m, n, covariance)
      observations.addTransposed(b, this.solve(matrix, residual), backward)
      system.set(matrix, b * m * m)
    }
    const pulled = vjp(backward)
    for (let i = 0; i < posterior.length; i++) {
      posterior[i]! += sigma[Math.floor(i / n)]! ** 2 * pulled[i]!
    }
    return { xHat, system, posterior }
  }

  /**
   * The whole V = sigma_t² Jᵀ made a covariance, J's symmetric part with eigenvalues held in
   * [LEAST_SHARE/(1 + sigma_t²), 1], in the system and in the last factor: the step moves A xHat towards y by at most
   * ‖y - A xHat‖, whatever the network's Jacobian. Needs n VJPs.
   */
  private evaluateProjected({ xHat, vjp }: Linearization, sigma: Float64Array): PosteriorEvaluation {
    const { features: n, observations } = this
    const { observed: m, A } = observations
    const count = sigma.length
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
      observations.residual(b, xHat, residual)
      const offset = observations.offset(b)
      const matrix = observedCovariance(A, offset, m, n, v)
      const w = this.solve(matrix, residual)
      system.set(matrix, b * m * m)
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

  /** Adds Sigma_y to A V Aᵀ in place, and solves for the residual. */
  private solve(matrix: Float64Array, residual: Float64Array): Float64Array {
    const { observed: m, sigmaY } = this.observations
    for (let i = 0; i < m; i++) matrix[i * m + i]! += sigmaY * sigmaY
    return smallSolvers[this.options.solver](matrix, residual, this.options.solverIterations)
  }

  /** g_j = Jᵀ A_jᵀ of every sample, m arrays [count, features]. */
  private rowVjps(vjp: Linearization['vjp'], count: number): Float64Array[] {
    const { features: n, observations } = this
    const { A } = observations
    return Array.from({ length: observations.observed }, (_, j) => {
      const rows = new Float64Array(count * n)
      for (let b = 0; b < count; b++) {
        for (let d = 0; d < n; d++) rows[b * n + d] = A[observations.offset(b) + j * n + d]!
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
