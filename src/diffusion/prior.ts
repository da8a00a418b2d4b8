/** The float64 denoiser of a prior. */
import { MixtureDenoiser } from './mixture'
import { MlpDenoiser } from './mlpDenoiser'
import type { Denoiser, Prior } from './types'

/** d(x_t, t) of a prior. Error: RangeError where the weights do not fit the network, or a mixture is none. */
export function denoiserOf(prior: Prior): Denoiser {
  return prior.kind === 'mixture'
    ? new MixtureDenoiser(prior.mixture)
    : new MlpDenoiser(prior.network, Float64Array.from(prior.weights))
}
