/**
 * DDIM with noise η, from sigma_t to sigma_s < sigma_t:
 *
 *     x_s = d + sigma_s √(1-τ)/sigma_t (x_t - d) + sigma_s √τ ε,   τ = clip(η (1 - sigma_s²/sigma_t²), 0, 1)
 *
 * η = 0 is deterministic, η = 1 is DDPM. Source: Song, Meng, Ermon, "Denoising diffusion implicit models", 2021.
 */
import type { AffineStep } from '../types'

export function ddimStep(sigmaT: number, sigmaS: number, eta: number): AffineStep {
  const tau = Math.min(Math.max(eta * (1 - (sigmaS / sigmaT) ** 2), 0), 1)
  const a = (sigmaS * Math.sqrt(1 - tau)) / sigmaT
  return { sigma: sigmaT, a, b: 1 - a, c: sigmaS * Math.sqrt(tau) }
}
