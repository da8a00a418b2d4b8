/**
 * Floating-point operations of sampling and training, counted from the algorithm (a multiply-add is two).
 * Of a network only matrix products are counted: the rest is below a few percent at any width worth running.
 */
import { layers } from './mlp'
import { isProjected } from './posterior/mmps'
import { featuresOf, type NetworkShape, type PosteriorOptions, type Prior } from './types'

/** One forward pass of one sample; a VJP or JVP costs the same again. */
export function forwardFlops(shape: NetworkShape): number {
  return layers(shape).reduce((sum, { inputs, outputs }) => sum + 2 * inputs * outputs, 0)
}

/** One evaluation inside a sampler, where the noise embedding's share is computed once for all samples. */
export function samplerEvaluationFlops(
  shape: NetworkShape,
  observed: number,
  posterior: PosteriorOptions | undefined,
): number {
  const forward = forwardFlops(shape) - 2 * shape.embedding * shape.hidden
  return forward * (1 + (posterior ? vjpsPerEvaluation(shape, observed, posterior) : 0))
}

/** As `samplerEvaluationFlops`, for any prior: a mixture's J comes with its mean, so its VJPs are nearly free. */
export function priorEvaluationFlops(
  prior: Prior,
  observed: number,
  posterior: PosteriorOptions | undefined,
): number {
  if (prior.kind === 'mlp') return samplerEvaluationFlops(prior.network, observed, posterior)
  const { means } = prior.mixture
  const features = featuresOf(prior)
  return mixtureMomentFlops(means.length / features, features)
}

/** E[x | x_t] and V[x | x_t] of a mixture: per component a distance, an exponential (8) and two weighted sums. */
export function mixtureMomentFlops(components: number, features: number): number {
  return components * (3 * features + 8 + 2 * features + 2 * features * features)
}

/**
 * VJPs that one posterior evaluation costs, beside one forward pass. MMPS with a given covariance needs one (`tmpd` one
 * more), Tweedie's system one per row of A, and its projection all of J; DPS one; DiffPIR and JFPS none; TDS as MMPS.
 */
export function vjpsPerEvaluation(
  { features }: { readonly features: number },
  observed: number,
  posterior: PosteriorOptions,
): number {
  const { method = 'mmps', covariance } = posterior
  if (method === 'dps') return 1
  if (method === 'diffpir' || method === 'jfps') return 0
  if (isProjected(posterior)) return features
  if (covariance === 'tweedie') return observed
  return covariance === 'tmpd' ? 2 : 1
}

/** One training step: forward, backward to the activations, gradient of the weights. */
export function trainingStepFlops(shape: NetworkShape, batch: number): number {
  return 3 * batch * forwardFlops(shape)
}
