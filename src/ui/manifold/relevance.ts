/** Settings that the present choice of others leaves without effect or fixes, and why. */
import type { ManifoldSettings, SettingKey } from '../../experiments/manifold/settings'
import type { DataSource } from '../../store/labTypes'

export function whyFixed(key: SettingKey, source: DataSource): string | undefined {
  if (source.kind !== 'file') return undefined
  if (key === 'features' || key === 'observed' || key === 'observations') return `Fixed by ${source.name}.`
  if (key === 'smoothness' || key === 'harmonics') return 'A data file has no curve.'
  return undefined
}

export function whyUnused(key: SettingKey, settings: ManifoldSettings): string | undefined {
  if (key === 'solverIterations' && settings.solver === 'exact') return 'The exact solver does not iterate.'
  if ((key === 'corrections' || key === 'delta') && settings.sampler !== 'pc') {
    return 'Only the predictor-corrector sampler corrects.'
  }
  if (key === 'delta' && settings.corrections === 0) return 'There are no corrections.'
  if (key === 'eta' && settings.sampler !== 'ddim') return 'Only DDIM has this noise.'
  return undefined
}
