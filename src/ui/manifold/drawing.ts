/** When samples can be drawn on demand. */
import type { Lab } from '../../store/labTypes'

/** Why nothing can be drawn from the shown iteration's posterior now; undefined where it can. */
export function whyNoPosterior(lab: Lab): string | undefined {
  if (lab.status === 'starting') return 'The device is being started.'
  if (lab.progress?.stage === 'draw') return undefined
  if (lab.status === 'running') return 'The device is busy: let the run finish, or cancel the step under way.'
  if (lab.status === 'paused') return 'The run is paused inside a step: resume it, or cancel the step.'
  if (lab.iterations.length === 0) return 'There is no prior yet: run first.'
  return undefined
}

/** As above, for samples of the prior itself. */
export function whyNoPrior(lab: Lab): string | undefined {
  const reason = whyNoPosterior(lab)
  if (reason || lab.hasWeights) return reason
  return lab.iterations.length > 1
    ? 'The Gaussian start has no network: choose a later iteration.'
    : 'The prior has to be trained first: run, or do an M step and an E step.'
}
