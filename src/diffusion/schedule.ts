/**
 * Variance-exploding noise schedule, log-linear in t:
 *
 *     sigma_t = exp((1 - t) log sigmaMin + t log sigmaMax),   x_t = x + sigma_t z
 *
 * Source: Song et al., "Score-based generative modeling through stochastic differential equations", ICLR 2021.
 */
import type { Schedule } from './types'

/** Errors: RangeError unless 0 < sigmaMin < sigmaMax. */
export function logLinearSchedule(sigmaMin: number, sigmaMax: number): Schedule {
  if (!(sigmaMin > 0 && sigmaMax > sigmaMin && Number.isFinite(sigmaMax))) {
    throw new RangeError(`A schedule needs 0 < sigmaMin < sigmaMax, got ${sigmaMin} and ${sigmaMax}.`)
  }
  const low = Math.log(sigmaMin)
  const high = Math.log(sigmaMax)
  return { sigmaMin, sigmaMax, sigma: (t) => Math.exp((1 - t) * low + t * high) }
}

/** Noise levels from sigmaMax down to sigmaMin at t = linspace(1, 0, steps + 1), [steps + 1]. */
export function noiseLevels(schedule: Schedule, steps: number): Float64Array {
  const levels = Float64Array.from({ length: steps + 1 }, (_, i) => schedule.sigma(1 - i / steps))
  // exp(log x) is x only to rounding; the ends are what was asked for.
  levels[0] = schedule.sigmaMax
  levels[steps] = schedule.sigmaMin
  return levels
}
