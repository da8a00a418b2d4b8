/** The sampler of a run as a plan of affine steps. */
import { samplerPlan as planOf } from '../../diffusion/samplers'
import { logLinearSchedule } from '../../diffusion/schedule'
import type { Plan } from '../../diffusion/types'
import type { ManifoldSettings } from './settings'

export function samplerPlan(settings: ManifoldSettings): Plan {
  const { sampler, sigmaMin, sigmaMax, samplerSteps: steps, eta, corrections, delta } = settings
  return planOf(sampler, logLinearSchedule(sigmaMin, sigmaMax), { steps, eta, corrections, delta })
}
