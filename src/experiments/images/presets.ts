/** Situations of the image lab that each show one thing, on the bundled models and images. */
import type { ImageMethodName } from '../../diffusion/image/types'
import { defaultImagesSettings, type ImagesSettings } from './settings'

export interface ImagesPreset {
  /** Says what it shows. */
  readonly label: string
  /** What to look for. */
  readonly caption: string
  readonly settings: ImagesSettings
  /** Methods that its comparison has. */
  readonly compared: readonly ImageMethodName[]
}

export type ImagesPresetName =
  | 'fillTheHole'
  | 'pigdmSmears'
  | 'dpsTenSteps'
  | 'deblurPhoto'
  | 'enlargePhoto'
  | 'sixthOfKSpace'
  | 'colourOldPhoto'

const photo: ImagesSettings = { ...defaultImagesSettings, model: 'photo-64', side: 64 }

export const imagesPresets: Readonly<Record<ImagesPresetName, ImagesPreset>> = {
  fillTheHole: {
    label: 'Fill the hole',
    caption:
      'A square of the picture is gone. Each sample fills it in another way that fits what is left; where the samples differ, the deviation is bright.',
    settings: defaultImagesSettings,
    compared: ['mmps', 'tmpd', 'pigdm', 'diffpir', 'dps'],
  },
  pigdmSmears: {
    label: 'ΠGDM smears, MMPS does not',
    caption:
      'One pixel in ten is known. ΠGDM takes every pixel for as uncertain as every other; MMPS asks the denoiser. Press Run, then compare both below.',
    settings: {
      ...defaultImagesSettings,
      image: 'fashion-sneaker',
      task: 'random',
      kept: 0.1,
      sigmaY: 0.01,
      method: 'pigdm',
    },
    compared: ['mmps', 'pigdm'],
  },
  dpsTenSteps: {
    label: 'DPS at ten steps fails',
    caption:
      'Ten steps are few. DPS moves by a fixed length a step and does not get far enough; compare it with MMPS below, then raise the steps to a hundred.',
    settings: {
      ...defaultImagesSettings,
      image: 'fashion-dress',
      task: 'superres',
      method: 'dps',
      steps: 10,
    },
    compared: ['mmps', 'dps'],
  },
  deblurPhoto: {
    label: 'Deblur a photo',
    caption:
      'The camera shook while the shutter was open. The path is known, so that it can be undone; draw another one under the blurred picture.',
    settings: { ...photo, image: 'scarlet-macaw', task: 'motion', samples: 2 },
    compared: ['mmps', 'tmpd', 'pigdm', 'diffpir', 'dps'],
  },
  enlargePhoto: {
    label: 'Enlarge a photo four times',
    caption:
      'Of 64 × 64 pixels only 16 × 16 are left. Each sample adds other detail: shrunk again, all of them are the small picture.',
    settings: { ...photo, image: 'windmill', task: 'superres', factor: 4, samples: 4 },
    compared: ['mmps', 'tmpd', 'pigdm', 'diffpir', 'dps'],
  },
  sixthOfKSpace: {
    label: 'MRI from a sixth of k-space',
    caption:
      'A scanner measures the spectrum column by column. With one column in six, the plain inverse is full of ghosts; the posterior fills in the missing columns.',
    settings: {
      ...photo,
      image: 'mysore-palace',
      task: 'mri',
      acceleration: 6,
      sigmaY: 0.01,
      iterations: 3,
      samples: 2,
    },
    compared: ['mmps', 'pigdm', 'diffpir', 'dps'],
  },
  colourOldPhoto: {
    label: 'Colour an old photo',
    caption:
      'Only the brightness is known. The samples agree where the prior is sure of a colour, and differ where it is not: see the deviation.',
    settings: { ...photo, image: 'picos-de-europa', task: 'gray', sigmaY: 0.02, samples: 4 },
    compared: ['mmps', 'tmpd', 'pigdm', 'diffpir', 'dps'],
  },
}

export const imagesPresetNames = Object.keys(imagesPresets) as ImagesPresetName[]
export const defaultImagesPreset: ImagesPresetName = 'fillTheHole'
