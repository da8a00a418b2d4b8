/** Settings of the posterior lab that the present choice of others leaves without effect, and why. */
import { methodDefinitions } from './methodDefinitions'
import type { MethodKey, MethodSettings, MixtureKey, MixtureSettings } from './settings'

/** Why a setting of the scene or the sampler has no effect; undefined where it has one. */
export function whyMixtureUnused(key: MixtureKey, settings: MixtureSettings): string | undefined {
  const { shape, features, observed, sampler, corrections } = settings
  const learned = shape === 'learned'
  switch (key) {
    case 'smoothness':
      return shape === 'random' ? undefined : 'Only the random curve has harmonics.'
    case 'features':
    case 'components':
    case 'thickness':
      return learned ? 'The learned prior brings its own.' : undefined
    case 'index':
      return learned ? undefined : 'Only a learned prior comes with pairs.'
    case 'elevation':
      return features === 2 && !learned ? 'The plane has no third direction.' : undefined
    case 'observed':
      return features === 2 && !learned
        ? 'Two measured directions would leave nothing open in the plane.'
        : undefined
    case 'y2':
      return observed === 1 ? 'Only one direction is measured.' : undefined
    case 'eta':
      return sampler === 'ddim' ? undefined : 'Only DDIM has this noise.'
    case 'corrections':
    case 'delta':
      if (sampler !== 'pc') return 'Only the predictor-corrector sampler corrects.'
      return key === 'delta' && corrections === 0 ? 'There are no corrections.' : undefined
    default:
      return undefined
  }
}

/** Why a setting of a method has no effect; `observed` is the number m of measured directions. */
export function whyMethodUnused(
  key: MethodKey,
  { method, solver }: MethodSettings,
  observed: number,
): string | undefined {
  if (key === 'method') return undefined
  const { label, uses } = methodDefinitions[method]
  if (!uses.includes(key)) return `${label} does not use it.`
  if (key !== 'solver' && key !== 'solverIterations') return undefined
  if (observed === 1) return 'One direction is measured: with one unknown, every solver gives the same.'
  return key === 'solverIterations' && solver === 'exact' ? 'The exact solver does not iterate.' : undefined
}
