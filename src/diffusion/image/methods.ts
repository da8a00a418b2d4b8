/**
 * The posterior methods of images by name: each makes of a denoiser and a measurement an estimate of E[x | x_t, y] that any
 * sampler can use in the denoiser's place. A new method is one file and one line here.
 */
import { DiffpirEstimator } from './methods/diffpir'
import { DpsEstimator } from './methods/dps'
import { JfpsEstimator } from './methods/jfps'
import { MmpsEstimator } from './methods/mmps'
import { PigdmEstimator } from './methods/pigdm'
import { TmpdEstimator } from './methods/tmpd'
import type { EstimatorRequest, ImageEstimator, ImageMethodName } from './types'

const methods: Record<ImageMethodName, new (request: EstimatorRequest) => ImageEstimator> = {
  mmps: MmpsEstimator,
  pigdm: PigdmEstimator,
  tmpd: TmpdEstimator,
  dps: DpsEstimator,
  diffpir: DiffpirEstimator,
  jfps: JfpsEstimator,
}

/** Errors: RangeError where sizes disagree, an option is out of its range, or JFPS lacks its fit. */
export function createImageEstimator(request: EstimatorRequest): ImageEstimator {
  return new methods[request.options.method](request)
}
