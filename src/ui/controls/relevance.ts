/** Settings that the present choice of others leaves without effect, and why. */
import type { ManifoldSettings, SettingKey } from '../../experiments/manifold/settings'

export function whyUnused(key: SettingKey, settings: ManifoldSettings): string | undefined {
  if (key === 'solverIterations' && settings.solver === 'exact') return 'The exact solver does not iterate.'
  if ((key === 'corrections' || key === 'delta') && settings.sampler !== 'pc') {
    return 'Only the predictor-corrector sampler corrects.'
  }
  if (key === 'delta' && settings.corrections === 0) return 'There are no corrections.'
  if (key === 'eta' && settings.sampler !== 'ddim') return 'Only DDIM has this noise.'
  return undefined
}
