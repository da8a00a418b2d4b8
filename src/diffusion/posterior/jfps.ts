/**
 * Jacobian-free posterior sampling: MMPS with the Gaussian fit's covariance in place of every V, also in the last factor,
 *
 *     d(x_t) + V Aᵀ (Sigma_y + A V Aᵀ)⁻¹ (y - A d(x_t)),   V = (I/sigma_t² + Sigma_x⁻¹)⁻¹
 *
 * No VJP. Exact where the prior is N(·, Sigma_x).
 *
 * Source: François Rozet's library azula (since 0.11), `azula.guidance.jfps`.
 */
import { heuristicCovariances } from '../../linalg/covariances'
import type { Denoiser, PosteriorOptions } from '../types'
import { KalmanDenoiser } from './kalman'
import type { LinearObservations } from './observations'

export class JfpsDenoiser extends KalmanDenoiser {
  /** Errors: RangeError where Sigma_x (`covX`) is missing or sizes disagree. */
  constructor(denoiser: Denoiser, observations: LinearObservations, options: PosteriorOptions) {
    super(denoiser, observations, options, heuristicCovariances.gaussian(denoiser.features, options.covX))
  }
}
