/** Settings of the image lab that the present choice of others leaves without effect, and why. */
import { imageMethods } from './methodDefinitions'
import type { ImagesKey, ImagesSettings, TaskName } from './settings'

/** Settings that belong to one task each. */
const OF_TASK: Readonly<Partial<Record<ImagesKey, TaskName>>> = {
  boxX: 'box',
  boxY: 'box',
  boxSide: 'box',
  kept: 'random',
  kernelSide: 'motion',
  intensity: 'motion',
  blur: 'gaussian',
  factor: 'superres',
  acceleration: 'mri',
  centre: 'mri',
}

/** Why a setting has no effect; undefined where it has one. */
export function whyImageUnused(key: ImagesKey, settings: ImagesSettings): string | undefined {
  const task = OF_TASK[key]
  if (task !== undefined && task !== settings.task) return 'Another task has this setting.'
  switch (key) {
    case 'solver':
    case 'iterations':
    case 'guidance':
    case 'proximity': {
      const { label, uses } = imageMethods[settings.method]
      if (!uses.includes(key)) return `${label} does not use it.`
      return key === 'solver' && settings.iterations === 0 ? 'Nothing is solved with k = 0.' : undefined
    }
    case 'eta':
      return settings.sampler === 'ddim' ? undefined : 'Only DDIM has this noise.'
    default:
      return undefined
  }
}
