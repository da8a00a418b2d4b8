/** The posterior methods that the image lab has, in the order of a comparison. Names and equations are the posterior lab's. */
import type { ImageMethodName } from '../../diffusion/image/types'
import { methodDefinitions, type MethodDefinition } from '../mixture/methodDefinitions'
import type { ImagesSettings } from './settings'

export interface ImageMethod extends Pick<
  MethodDefinition,
  'label' | 'name' | 'explanation' | 'tex' | 'reference'
> {
  /** Settings that matter beside `method`. */
  readonly uses: readonly (keyof ImagesSettings)[]
}

function method(name: ImageMethodName, uses: ImageMethod['uses'], other: Partial<ImageMethod> = {}) {
  const { label, name: longName, explanation, tex, reference } = methodDefinitions[name]
  return { label, name: longName, explanation, tex, reference, uses, ...other }
}

export const imageMethods: Readonly<Record<ImageMethodName, ImageMethod>> = {
  mmps: method('mmps', ['solver', 'iterations']),
  tmpd: method('tmpd', []),
  pigdm: method('pigdm', []),
  diffpir: method('diffpir', ['proximity']),
  dps: method('dps', ['guidance']),
  jfps: method('jfps', [], {
    explanation:
      'One covariance for every image and every place replaces the Jacobian: no derivative of the denoiser is needed, and none of its detail used.',
  }),
}

export const imageMethodNames = Object.keys(imageMethods) as ImageMethodName[]
