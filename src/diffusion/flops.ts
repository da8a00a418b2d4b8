/**
 * Floating-point operations of sampling and training, counted from the algorithm (a multiply-add is two).
 * Only matrix products are counted: the rest is below a few percent at any width worth running.
 */
import { layers } from './mlp'
import { isProjected } from './posterior/mmps'
import type { NetworkShape, PosteriorOptions } from './types'

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

/**
 * VJPs that one posterior evaluation costs: a given covariance needs one, Tweedie's system one per row of A, and its
 * projection all of J.
 */
export function vjpsPerEvaluation(
  shape: NetworkShape,
  observed: number,
  posterior: PosteriorOptions,
): number {
  if (isProjected(posterior)) return shape.features
  return posterior.covariance === 'tweedie' ? observed : 1
}

/** One training step: forward, backward to the activations, gradient of the weights. */
export function trainingStepFlops(shape: NetworkShape, batch: number): number {
  return 3 * batch * forwardFlops(shape)
}
