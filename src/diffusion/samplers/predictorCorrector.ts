/**
 * Predictor-corrector: a deterministic DDIM step to sigma_s, then Langevin corrections there,
 *
 *     x ← x - δ (x - d(x, s)) + sigma_s √(2δ) ε
 *
 * On N(mu, Sigma) a correction's stationary covariance exceeds Sigma + sigma_s² I by the factor 1/(1 - δκ/2),
 * κ = sigma_s²/(variance + sigma_s²): at most 1 + O(δ), and none at small noise.
 * Source: Song et al., "Score-based generative modeling through stochastic differential equations", 2021, Alg. 4.
 */
import type { AffineStep } from '../types'
import { ddimStep } from './ddim'

export function predictorCorrectorSteps(
  sigmaT: number,
  sigmaS: number,
  corrections: number,
  delta: number,
): AffineStep[] {
  const correction = { sigma: sigmaS, a: 1 - delta, b: delta, c: sigmaS * Math.sqrt(2 * delta) }
  return [ddimStep(sigmaT, sigmaS, 0), ...Array.from({ length: corrections }, () => correction)]
}
