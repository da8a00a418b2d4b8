/**
 * DDPM, ancestral sampling from sigma_t to sigma_s < sigma_t:
 *
 *     x_s = x_t - τ (x_t - d) + sigma_s √τ ε,   τ = 1 - sigma_s²/sigma_t²
 *
 * Source: Ho, Jain, Abbeel, "Denoising diffusion probabilistic models", 2020, in variance-exploding form.
 */
import type { AffineStep } from '../types'

export function ddpmStep(sigmaT: number, sigmaS: number): AffineStep {
  const tau = 1 - (sigmaS / sigmaT) ** 2
  return { sigma: sigmaT, a: 1 - tau, b: tau, c: sigmaS * Math.sqrt(tau) }
}
