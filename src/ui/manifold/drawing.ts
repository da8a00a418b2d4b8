/** When samples can be drawn on demand. */
import type { Lab } from '../../store/labTypes'

/** Why nothing can be drawn now; undefined where it can. */
export function whyNotDrawn(lab: Lab): string | undefined {
  if (lab.status === 'starting') return 'The device is being started.'
  if (lab.progress?.stage === 'draw') return undefined
  if (lab.status === 'running') return 'Pause the run, or let it finish, to draw from its prior.'
  if (lab.status === 'paused') return 'The run is paused inside a step: let it finish, or reset it.'
  if (!lab.hasWeights) return 'The prior has to be trained first: run, or do an E step and an M step.'
  return undefined
}
