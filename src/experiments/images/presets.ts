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
  | 'fewPixels'
  | 'dpsTenSteps'
  | 'deblurPhoto'
  | 'enlargePhoto'
  | 'sixthOfKSpace'
  | 'colourOldPhoto'
  | 'pigdmOrange'

const photo: ImagesSettings = { ...defaultImagesSettings, model: 'photo-64', side: 64 }

export const imagesPresets: Readonly<Record<ImagesPresetName, ImagesPreset>> = {
  fillTheHole: {
    label: 'Fill the hole',
    caption:
      'A square of the picture is gone. Each sample fills it in another way that fits what is left; where the samples differ, the deviation is bright.',
    settings: defaultImagesSettings,
    compared: ['mmps', 'tmpd', 'pigdm', 'diffpir', 'dps'],
  },
  fewPixels: {
    label: 'One pixel in twenty: DiffPIR and DPS fail',
    caption:
      'DiffPIR and DPS put the known pixels in place and leave all others as if nothing were known. MMPS reads off the denoiser which pixels go together. Press Run, then compare them below.',
    settings: {
      ...defaultImagesSettings,
      image: 'fashion-trousers',
      task: 'random',
      kept: 0.05,
      method: 'diffpir',
    },
    compared: ['mmps', 'tmpd', 'pigdm', 'diffpir', 'dps'],
  },
  dpsTenSteps: {
    label: 'DPS at ten steps fails',
    caption:
      'Ten steps are few. DPS moves by a fixed length a step, ζ = 1 as usual, and does not get far enough; compare it with MMPS below. At a hundred steps it comes nearer, and MMPS at ten still leads.',
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
    settings: { ...photo, image: 'scarlet-macaw', task: 'motion', iterations: 3, samples: 2 },
    compared: ['mmps', 'tmpd', 'pigdm', 'diffpir', 'dps'],
  },
  enlargePhoto: {
    label: 'Enlarge a photo four times',
    caption:
      'Of 64 × 64 pixels only 16 × 16 are left. Each sample adds other detail: shrunk again, all of them are the small picture, up to its noise.',
    settings: { ...photo, image: 'windmill', task: 'superres', factor: 4, samples: 4 },
    compared: ['mmps', 'tmpd', 'pigdm', 'diffpir', 'dps'],
  },
  sixthOfKSpace: {
    label: 'MRI from a sixth of k-space',
    caption:
      'A scanner measures the spectrum column by column. With one column in six, the plain inverse is smeared; the posterior fills in the missing columns. Compared below, ΠGDM adds shadows that are not there.',
    settings: {
      ...photo,
      image: 'windmill',
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
      'Only the brightness is known. This model knows textures, not objects: each sample guesses other colours, and the deviation shows where they differ most.',
    settings: { ...photo, image: 'picos-de-europa', task: 'gray', sigmaY: 0.02, samples: 4 },
    compared: ['mmps', 'tmpd', 'pigdm', 'diffpir', 'dps'],
  },
  pigdmOrange: {
    label: 'ΠGDM paints the sky orange',
    caption:
      'Only the brightness is known. ΠGDM takes red, green and blue for independent of each other and overshoots; MMPS asks the denoiser, which knows that they go together. Press Run, then compare both below.',
    settings: {
      ...photo,
      image: 'windmill',
      task: 'gray',
      sigmaY: 0.02,
      method: 'pigdm',
      samples: 2,
    },
    compared: ['mmps', 'pigdm'],
  },
}

export const imagesPresetNames = Object.keys(imagesPresets) as ImagesPresetName[]
export const defaultImagesPreset: ImagesPresetName = 'fillTheHole'
