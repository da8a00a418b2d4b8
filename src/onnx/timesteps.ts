/**
 * Noise levels of discrete diffusion models.
 *
 *     ᾱ_t = Π_{s ≤ t} (1 - β_s),    sigma_t = √((1 - ᾱ_t)/ᾱ_t),    t = 0 .. T-1
 *
 * linear: β from betaStart to betaEnd (Ho et al. 2020); scaled-linear: √β from √betaStart to √betaEnd (latent diffusion);
 * cosine: ᾱ(u) = cos²(π/2 (u + 0.008)/1.008), β_t = min(1 - ᾱ((t+1)/T)/ᾱ(t/T), 0.999) (Nichol & Dhariwal 2021).
 */
import { type AlphaSchedule, ContractError } from './contract'

/** sigma_t, rising, [T]. Errors: ContractError where the schedule gives levels that do not rise. */
export function timestepSigmas(schedule: AlphaSchedule): Float64Array {
  const sigmas = Float64Array.from(alphasCumprod(schedule), (alpha) => Math.sqrt((1 - alpha) / alpha))
  if (!sigmas.every((sigma, t) => Number.isFinite(sigma) && sigma > (t === 0 ? 0 : sigmas[t - 1]!))) {
    throw new ContractError(
      'The contract (denoiser.json) cannot be used: the noise levels of takes.alphas do not rise from timestep to timestep. Check its numbers.',
    )
  }
  return sigmas
}

function alphasCumprod(schedule: AlphaSchedule): number[] {
  if (schedule.schedule === 'list') return [...schedule.alphasCumprod]
  let product = 1
  return betas(schedule).map((beta) => (product *= 1 - beta))
}

function betas(schedule: Exclude<AlphaSchedule, { readonly schedule: 'list' }>): number[] {
  const { steps } = schedule
  const indices = Array.from({ length: steps }, (_, t) => t)
  if (schedule.schedule === 'cosine') {
    const alpha = (u: number) => Math.cos(((u + 0.008) / 1.008) * (Math.PI / 2)) ** 2
    return indices.map((t) => Math.min(1 - alpha((t + 1) / steps) / alpha(t / steps), 0.999))
  }
  const { betaStart, betaEnd } = schedule
  const between = (from: number, to: number) => indices.map((t) => from + ((to - from) * t) / (steps - 1))
  if (schedule.schedule === 'linear') return between(betaStart, betaEnd)
  return between(Math.sqrt(betaStart), Math.sqrt(betaEnd)).map((root) => root * root)
}

/** t in [0, T-1] at which ln(sigma_t), linear between timesteps, is ln(sigma); the nearest end outside. */
export function timestepOf(sigmas: Float64Array, sigma: number): number {
  let low = 0
  let high = sigmas.length - 1
  if (!(sigma > sigmas[low]!)) return low
  if (sigma >= sigmas[high]!) return high
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (sigmas[middle]! <= sigma) low = middle
    else high = middle
  }
  const before = Math.log(sigmas[low]!)
  return low + (Math.log(sigma) - before) / (Math.log(sigmas[high]!) - before)
}
