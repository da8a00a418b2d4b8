/**
 * How far a run is, as a person counts it: in the steps of the settings. A plan has one estimate more, which gives x_0, and
 * the predictor-corrector asks twice a step.
 */
import { estimatesPerStep } from '../../experiments/images/compare'
import type { ImagesSettings } from '../../experiments/images/settings'

type Counted = Pick<ImagesSettings, 'sampler' | 'steps'>

/** "step 3 of 25", or "last estimate", after the estimate number `estimate` of the plan, from 1. */
export function stepInWords(estimate: number, settings: Counted): string {
  const step = Math.ceil(estimate / estimatesPerStep(settings))
  return step > settings.steps ? 'last estimate' : `step ${step} of ${settings.steps}`
}
