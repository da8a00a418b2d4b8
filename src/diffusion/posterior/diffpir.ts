/**
 * DiffPIR: the denoised point is pulled to the observation by a proximal step,
 *
 *     argmin_x ‖y - A x‖²/sigma_y² + λ ‖x - d(x_t)‖²/sigma_t²
 *       = d + V Aᵀ (Sigma_y + A V Aᵀ)⁻¹ (y - A d),   V = (sigma_t²/λ) I
 *
 * No VJP: λ says how far d(x_t) may be trusted against the observation.
 *
 * Source: Zhu et al., "Denoising diffusion models for plug-and-play image restoration", CVPR workshops 2023, eq. 13.
 */
import { scaledIdentity } from '../../math/matrix'
import type { Denoiser, PosteriorOptions } from '../types'
import { KalmanDenoiser } from './kalman'
import type { LinearObservations } from './observations'

/** λ where none is given. */
export const DEFAULT_PROXIMITY = 8

export class DiffpirDenoiser extends KalmanDenoiser {
  /** λ = `proximity` of the options, above 0. Errors: RangeError where it is not, or where sizes disagree. */
  constructor(denoiser: Denoiser, observations: LinearObservations, options: PosteriorOptions) {
    const lambda = options.proximity ?? DEFAULT_PROXIMITY
    if (!(lambda > 0)) throw new RangeError(`DiffPIR needs λ above 0, got ${lambda}.`)
    const { features } = denoiser
    super(denoiser, observations, options, (sigma) => scaledIdentity(features, (sigma * sigma) / lambda))
  }
}
