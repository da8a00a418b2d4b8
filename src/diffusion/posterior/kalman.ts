/**
 * The update of a Gaussian's mean by a linear observation, with the denoiser's estimate as that mean:
 *
 *     d + V Aᵀ (Sigma_y + A V Aᵀ)⁻¹ (y - A d) = argmin_x (y - A x)ᵀ Sigma_y⁻¹ (y - A x) + (x - d)ᵀ V⁻¹ (x - d)
 *
 * V depends on sigma_t alone, so no derivative of the denoiser is needed. DiffPIR and JFPS differ in their V.
 * Source: Kalman, "A new approach to linear filtering and prediction problems", 1960 (the measurement update).
 */
import { observedCovariance, type CovarianceAt } from '../../linalg/covariances'
import { smallSolvers } from '../../linalg/solve'
import type { AffineStep, Denoiser, MeanEstimator, PosteriorOptions } from '../types'
import { ObservationBatch, type LinearObservations } from './observations'

export class KalmanDenoiser implements MeanEstimator {
  readonly features: number
  private readonly observations: ObservationBatch

  /** Reads the solver alone of the options. Errors: RangeError where sizes disagree. */
  constructor(
    private readonly denoiser: Denoiser,
    observations: LinearObservations,
    private readonly options: Pick<PosteriorOptions, 'solver' | 'solverIterations'>,
    private readonly covarianceAt: CovarianceAt,
  ) {
    this.features = denoiser.features
    this.observations = new ObservationBatch(observations, denoiser.features)
  }

  /** Error: RangeError where the batch is not one sample an observation. */
  denoise(xT: Float64Array, sigma: Float64Array, step?: AffineStep): Float64Array {
    const { features: n, observations } = this
    const { observed: m, A, sigmaY } = observations
    observations.check(xT, sigma)
    const xHat = this.denoiser.denoise(xT, sigma, step)
    const posterior = xHat.slice()
    const pulled = new Float64Array(xHat.length)
    const residual = new Float64Array(m)
    let covariance: Float64Array = new Float64Array(0)
    for (let b = 0; b < sigma.length; b++) {
      if (b === 0 || sigma[b] !== sigma[b - 1]) covariance = this.covarianceAt(sigma[b]!)
      observations.residual(b, xHat, residual)
      const matrix = observedCovariance(A, observations.offset(b), m, n, covariance)
      for (let i = 0; i < m; i++) matrix[i * m + i]! += sigmaY * sigmaY
      const v = smallSolvers[this.options.solver](matrix, residual, this.options.solverIterations)
      observations.addTransposed(b, v, pulled)
      for (let p = 0; p < n; p++) {
        for (let q = 0; q < n; q++) posterior[b * n + p]! += covariance[p * n + q]! * pulled[b * n + q]!
      }
    }
    return posterior
  }
}
