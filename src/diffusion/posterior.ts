/**
 * The posterior methods by name: each makes of a denoiser d(x_t) and observations an estimate of E[x | x_t, y] that any
 * sampler can use in d's place. A new method is one line here.
 */
import { DiffpirDenoiser } from './posterior/diffpir'
import { DpsDenoiser } from './posterior/dps'
import { JfpsDenoiser } from './posterior/jfps'
import { MmpsDenoiser } from './posterior/mmps'
import type { LinearObservations } from './posterior/observations'
import type { Denoiser, MeanEstimator, PosteriorMethod, PosteriorOptions } from './types'

type Maker = new (
  denoiser: Denoiser,
  observations: LinearObservations,
  options: PosteriorOptions,
) => MeanEstimator

const methods: Record<PosteriorMethod, Maker> = {
  mmps: MmpsDenoiser,
  dps: DpsDenoiser,
  diffpir: DiffpirDenoiser,
  jfps: JfpsDenoiser,
  // The particles' proposals; their weights and resampling are posterior/tds.ts.
  tds: MmpsDenoiser,
}

/**
 * The posterior denoiser of `options.method` (default `mmps`). Observations are one a sample, or one for all samples of a
 * batch of any size. Errors: RangeError where sizes disagree or an option that the method needs is missing.
 */
export function createPosterior(
  denoiser: Denoiser,
  observations: LinearObservations,
  options: PosteriorOptions,
): MeanEstimator {
  return new methods[options.method ?? 'mmps'](denoiser, observations, options)
}
