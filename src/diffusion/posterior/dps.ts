/**
 * Diffusion posterior sampling: the step's result moves by a fixed length ζ down the gradient of the residual's norm,
 *
 *     x_s ← a x_t + b d(x_t) + c ε - ζ ∇_{x_t} ‖y - A d(x_t)‖₂,   -∇_{x_t} ‖y - A d‖ = Jᵀ Aᵀ r/‖r‖,   r = y - A d
 *
 * Written as a posterior denoiser of the step x ← a x + b d + c ε this is d + (ζ/b) Jᵀ Aᵀ r/‖r‖. One VJP. The last step
 * x_0 = d(x, sigma_min) (a = 0, c = 0) is plain denoising, and where r = 0 or b = 0 nothing is added.
 *
 * Source: Chung et al., "Diffusion posterior sampling for general noisy inverse problems", ICLR 2023, Algorithm 1.
 */
import type { AffineStep, Denoiser, MeanEstimator, PosteriorOptions } from '../types'
import { ObservationBatch, type LinearObservations } from './observations'

/** ζ where none is given. */
export const DEFAULT_GUIDANCE = 1

/** Whether DPS guides a step: not where the denoiser takes no part in it, nor the last, which only denoises. */
export function isGuided({ a, b, c }: AffineStep): boolean {
  return b !== 0 && (a !== 0 || c !== 0)
}

export class DpsDenoiser implements MeanEstimator {
  readonly features: number
  private readonly observations: ObservationBatch
  private readonly guidance: number

  /** Reads ζ = `guidance` alone of the options. Errors: RangeError where sizes disagree. */
  constructor(
    private readonly denoiser: Denoiser,
    observations: LinearObservations,
    { guidance }: Pick<PosteriorOptions, 'guidance'>,
  ) {
    this.features = denoiser.features
    this.observations = new ObservationBatch(observations, denoiser.features)
    this.guidance = guidance ?? DEFAULT_GUIDANCE
  }

  /** Errors: RangeError without the step, or where the batch is not one sample an observation. */
  denoise(xT: Float64Array, sigma: Float64Array, step?: AffineStep): Float64Array {
    const { features: n, observations } = this
    observations.check(xT, sigma)
    if (!step) throw new RangeError('DPS acts on the result of a step: it needs to know the step.')
    if (!isGuided(step)) return this.denoiser.denoise(xT, sigma, step)
    const { xHat, vjp } = this.denoiser.linearize(xT, sigma)
    const direction = new Float64Array(xT.length)
    const residual = new Float64Array(observations.observed)
    for (let i = 0; i < sigma.length; i++) {
      observations.residual(i, xHat, residual)
      const norm = Math.hypot(...residual)
      if (norm === 0) continue
      for (let j = 0; j < residual.length; j++) residual[j]! /= norm
      observations.addTransposed(i, residual, direction)
    }
    const pulled = vjp(direction)
    const length = this.guidance / step.b
    const posterior = xHat.slice()
    for (let i = 0; i < n * sigma.length; i++) posterior[i]! += length * pulled[i]!
    return posterior
  }
}
