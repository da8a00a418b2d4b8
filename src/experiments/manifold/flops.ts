/** Cost of a run in floating-point operations, for progress, time left and the presets' estimates. */
import { samplerEvaluationFlops, trainingStepFlops } from '../../diffusion/flops'
import { samplerPlan } from './plan'
import { networkShape, posteriorOptions, type ManifoldSettings } from './settings'

/** One E step: every observation through the whole plan. */
export function eStepFlops(settings: ManifoldSettings): number {
  const evaluations = samplerPlan(settings).length
  const one = samplerEvaluationFlops(networkShape(settings), settings.observed, posteriorOptions(settings))
  return settings.observations * evaluations * one
}

/** One M step. */
export function mStepFlops(settings: ManifoldSettings): number {
  return settings.trainingSteps * trainingStepFlops(networkShape(settings), settings.batch)
}
