/**
 * The settings of the image lab: one table, from which the page's controls, the URL and the command line are made.
 */
import {
  checkValues,
  isSettingProblem,
  parseValue,
  type SettingDefinition,
  type SettingProblem,
  type SettingValue,
} from '../settings'
import { krylovOptions, samplerSettings, stepOptions } from '../sharedSettings'
import { imageMethodNames, imageMethods } from './methodDefinitions'

const LARGEST_SEED = 2 ** 32 - 1

export type TaskName = 'box' | 'brush' | 'random' | 'motion' | 'gaussian' | 'superres' | 'mri' | 'gray'

export interface ImagesSettings {
  /** A bundled model, or 'own' for one that was dropped. */
  readonly model: string
  /** A bundled image, or 'own'. */
  readonly image: string
  /** Side of the image in pixels where the model allows several: multiples of 8. */
  readonly side: number
  readonly task: TaskName
  /** Hole of `box`: centre and side, in units of the side. */
  readonly boxX: number
  readonly boxY: number
  readonly boxSide: number
  /** Part of the pixels that `random` keeps. */
  readonly kept: number
  /** `motion`: kernel's side in units of the image's side, and intensity 0..1. */
  readonly kernelSide: number
  readonly intensity: number
  /** `gaussian`: standard deviation in units of the image's side. */
  readonly blur: number
  /** `superres`: 2 or 4. */
  readonly factor: number
  /** `mri`: acceleration R; part of the columns that the fully sampled centre takes. */
  readonly acceleration: number
  readonly centre: number
  readonly sigmaY: number
  /** Seed of the mask, kernel and measurement noise. */
  readonly taskSeed: number
  readonly method: 'mmps' | 'pigdm' | 'tmpd' | 'dps' | 'diffpir' | 'jfps'
  readonly solver: 'cg' | 'gmres' | 'bicgstab'
  readonly iterations: number
  readonly guidance: number
  readonly proximity: number
  readonly sampler: 'ddim' | 'ddpm' | 'pc'
  readonly eta: number
  readonly steps: number
  readonly samples: number
  /** Seed of the sampler. */
  readonly seed: number
  /** What a comparison holds equal: 'steps' or 'evaluations'. */
  readonly equal: 'steps' | 'evaluations'
}

/** The order in which one would explain them; the page groups its controls so. */
export type ImagesGroup = 'image' | 'task' | 'model' | 'method' | 'sampler' | 'compare'

/** `model` and `image` name entries of the catalogue instead of values in a range. */
export type ImagesKey = Exclude<keyof ImagesSettings, 'model' | 'image'>

export const imageSettings: Readonly<Record<ImagesKey, SettingDefinition<ImagesGroup>>> = {
  side: {
    kind: 'number',
    symbol: 's',
    label: 'Side',
    explanation:
      'Pixels along each side of the restored image; twice as many take four times as long. Some models fix it.',
    group: 'image',
    minimum: 16,
    maximum: 256,
    scale: 'linear',
    integer: true,
    multipleOf: 8,
  },
  task: {
    kind: 'choice',
    symbol: 'A',
    label: 'Task',
    explanation: 'What was done to the image: the measurement A that has to be undone.',
    group: 'task',
    options: [
      { value: 'box', label: 'Fill a hole', explanation: 'A square is missing.' },
      { value: 'brush', label: 'Remove strokes', explanation: 'What the brush covers is missing.' },
      { value: 'random', label: 'Few pixels', explanation: 'Most pixels are missing, at random.' },
      { value: 'motion', label: 'Motion blur', explanation: 'The camera moved along a path.' },
      { value: 'gaussian', label: 'Gaussian blur', explanation: 'The picture is out of focus.' },
      { value: 'superres', label: 'Enlarge', explanation: 'Only a small picture is known.' },
      { value: 'mri', label: 'MRI', explanation: 'Only some columns of the spectrum were measured.' },
      { value: 'gray', label: 'Colour', explanation: 'Only the brightness is known.' },
    ],
  },
  boxX: {
    kind: 'number',
    symbol: 'c_x',
    label: 'Hole, across',
    explanation: 'Centre of the hole, from the left edge (0) to the right edge (1).',
    group: 'task',
    minimum: 0,
    maximum: 1,
    scale: 'linear',
  },
  boxY: {
    kind: 'number',
    symbol: 'c_y',
    label: 'Hole, down',
    explanation: 'Centre of the hole, from the upper edge (0) to the lower edge (1).',
    group: 'task',
    minimum: 0,
    maximum: 1,
    scale: 'linear',
  },
  boxSide: {
    kind: 'number',
    symbol: 'b',
    label: 'Hole, side',
    explanation: 'Side of the hole as a part of the image’s; a larger hole leaves more to invent.',
    group: 'task',
    prominent: true,
    minimum: 0.05,
    maximum: 0.9,
    scale: 'linear',
  },
  kept: {
    kind: 'number',
    symbol: 'p',
    label: 'Pixels kept',
    explanation: 'Part of the pixels that are known; fewer leave more to invent.',
    group: 'task',
    prominent: true,
    minimum: 0.01,
    maximum: 0.95,
    scale: 'log',
  },
  kernelSide: {
    kind: 'number',
    symbol: 'k_s',
    label: 'Length of the blur',
    explanation: 'Side of the motion kernel as a part of the image’s; a larger one smears further.',
    group: 'task',
    prominent: true,
    minimum: 0.05,
    maximum: 0.5,
    scale: 'linear',
  },
  intensity: {
    kind: 'number',
    symbol: 'i',
    label: 'Shake',
    explanation: 'How much the random path of the camera bends: 0 is a straight line.',
    group: 'task',
    minimum: 0,
    maximum: 1,
    scale: 'linear',
  },
  blur: {
    kind: 'number',
    symbol: '\\beta',
    label: 'Width of the blur',
    explanation: 'Standard deviation of the Gaussian as a part of the image’s side; wider loses more detail.',
    group: 'task',
    prominent: true,
    minimum: 0.005,
    maximum: 0.1,
    scale: 'log',
  },
  factor: {
    kind: 'choice',
    symbol: 'f',
    label: 'Enlarge by',
    explanation: 'How many times smaller the known picture is along each side.',
    group: 'task',
    prominent: true,
    options: [
      { value: '2', label: '× 2', explanation: 'A quarter of the numbers is known.' },
      { value: '4', label: '× 4', explanation: 'A sixteenth of the numbers is known.' },
    ],
  },
  acceleration: {
    kind: 'number',
    symbol: 'R',
    label: 'Acceleration',
    explanation: 'One column of the spectrum in R is measured; a larger R shortens the scan and says less.',
    group: 'task',
    prominent: true,
    minimum: 1,
    maximum: 16,
    scale: 'log',
  },
  centre: {
    kind: 'number',
    symbol: 'c',
    label: 'Whole centre',
    explanation:
      'Part of the columns, about the centre of the spectrum, that are all measured: they hold the coarse shapes.',
    group: 'task',
    minimum: 0,
    maximum: 0.5,
    scale: 'linear',
  },
  sigmaY: {
    kind: 'number',
    symbol: '\\sigma_y',
    label: 'Measurement noise',
    explanation:
      'Standard deviation of the noise in y, where the image runs from −1 to 1; more noise gives the prior more to say.',
    group: 'task',
    prominent: true,
    minimum: 0.001,
    maximum: 1,
    scale: 'log',
  },
  taskSeed: {
    kind: 'number',
    symbol: '\\text{task seed}',
    label: 'Measurement’s seed',
    explanation: 'Fixes the random mask or kernel, and the noise in y.',
    group: 'task',
    minimum: 0,
    maximum: LARGEST_SEED,
    scale: 'linear',
    integer: true,
  },
  method: {
    kind: 'choice',
    symbol: '\\mathbb{E}[x \\mid x_t, y]',
    label: 'Method',
    explanation: 'How the observation enters each step of the sampler.',
    group: 'method',
    prominent: true,
    options: imageMethodNames.map((value) => {
      const { label, explanation } = imageMethods[value]
      return { value, label, explanation }
    }),
  },
  solver: {
    kind: 'choice',
    symbol: '\\text{solver}',
    label: 'Solver',
    explanation: 'How the system of each sample is solved; the report of the model recommends one.',
    group: 'method',
    options: [
      ...krylovOptions,
      {
        value: 'bicgstab',
        label: 'BiCGSTAB(k)',
        explanation: 'Stabilised bi-conjugate gradient: two products with J an iteration.',
      },
    ],
  },
  iterations: {
    kind: 'number',
    symbol: 'k',
    label: 'Solver iterations',
    explanation:
      'A step costs one forward and k + 1 VJPs; 0 leaves the observation out: a draw of the prior.',
    group: 'method',
    prominent: true,
    minimum: 0,
    maximum: 10,
    scale: 'linear',
    integer: true,
  },
  guidance: {
    kind: 'number',
    symbol: '\\zeta',
    label: 'Guidance',
    explanation:
      'Length of a guidance step of DPS; longer holds y more firmly, until it breaks the picture apart.',
    group: 'method',
    prominent: true,
    minimum: 0.01,
    maximum: 10,
    scale: 'log',
  },
  proximity: {
    kind: 'number',
    symbol: '\\lambda',
    label: 'Proximity',
    explanation: 'Weight of the denoised image against the observation in DiffPIR; larger trusts y less.',
    group: 'method',
    prominent: true,
    minimum: 0.01,
    maximum: 1000,
    scale: 'log',
  },
  steps: {
    kind: 'number',
    symbol: 'T',
    label: 'Sampling steps',
    explanation: 'Noise levels on the way from noise to image; twice as many take twice as long.',
    group: 'sampler',
    prominent: true,
    minimum: 5,
    maximum: 1000,
    scale: 'log',
    integer: true,
  },
  samples: {
    kind: 'number',
    symbol: 'N',
    label: 'Samples',
    explanation: 'Restorations drawn side by side; more show better what is uncertain and take longer.',
    group: 'sampler',
    prominent: true,
    minimum: 1,
    maximum: 16,
    scale: 'linear',
    integer: true,
  },
  sampler: {
    kind: 'choice',
    symbol: '\\text{sampler}',
    label: 'Sampler',
    explanation: 'How x_t is moved from noise to image.',
    group: 'sampler',
    options: [
      ...stepOptions,
      {
        value: 'pc',
        label: 'Predictor-corrector',
        explanation: 'A DDIM step, then a Langevin correction: two evaluations a step.',
      },
    ],
  },
  eta: samplerSettings.eta,
  seed: {
    kind: 'number',
    symbol: '\\text{seed}',
    label: 'Sampler’s seed',
    explanation: 'Fixes the noise of the sampler: the same seed gives the same pictures.',
    group: 'sampler',
    minimum: 0,
    maximum: LARGEST_SEED,
    scale: 'linear',
    integer: true,
  },
  equal: {
    kind: 'choice',
    symbol: '\\text{equal}',
    label: 'What is held equal',
    explanation: 'What a comparison grants every method.',
    group: 'compare',
    options: [
      {
        value: 'steps',
        label: 'Equal steps',
        explanation: 'Every method takes T steps; those with more products a step take longer.',
      },
      {
        value: 'evaluations',
        label: 'Equal evaluations',
        explanation: 'Every method passes through the network as often: cheap methods take more steps.',
      },
    ],
  },
}

export const imagesKeys = Object.keys(imageSettings) as ImagesKey[]

export const defaultImagesSettings: Readonly<ImagesSettings> = {
  model: 'fashion-32',
  image: 'fashion-ankle-boot',
  side: 32,
  task: 'box',
  boxX: 0.5,
  boxY: 0.5,
  boxSide: 0.5,
  kept: 0.1,
  kernelSide: 0.25,
  intensity: 0.5,
  blur: 0.03,
  factor: 4,
  acceleration: 6,
  centre: 0.0625,
  sigmaY: 0.05,
  taskSeed: 0,
  method: 'mmps',
  solver: 'gmres',
  iterations: 1,
  guidance: 1,
  proximity: 8,
  sampler: 'ddim',
  eta: 1,
  steps: 25,
  samples: 4,
  seed: 0,
  equal: 'steps',
}

/** A choice whose values are numbers: `factor`. */
function asSetting(key: ImagesKey, value: SettingValue): SettingValue {
  return key === 'factor' ? Number(value) : value
}

/** Reads one setting from text (URL or command line). Returns the problem instead of throwing. */
export function parseImageSetting(key: ImagesKey, text: string): SettingValue | SettingProblem {
  const value = parseValue(key, imageSettings[key], text)
  return isSettingProblem(value) ? value : asSetting(key, value)
}

/** A change that a control made, in the setting's own type. */
export function imageChange(key: ImagesKey, value: SettingValue): Partial<ImagesSettings> {
  return { [key]: asSetting(key, value) }
}

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/i

/** All problems of complete settings, ranges and combinations; empty when they can be sampled. */
export function validateImages(settings: ImagesSettings): SettingProblem[] {
  const problems: SettingProblem[] = []
  for (const key of ['model', 'image'] as const) {
    if (!NAME.test(settings[key])) {
      problems.push({
        key,
        message: `${key} = "${settings[key]}" is not a name of letters, digits and hyphens.`,
      })
    }
  }
  problems.push(...checkValues(imageSettings, { ...settings }))
  if (problems.length > 0) return problems
  const { task, side, factor, acceleration, centre } = settings
  if (task === 'superres' && side % factor !== 0) {
    problems.push({
      key: 'factor',
      message: `factor = ${factor} does not divide side = ${side}: take another side.`,
    })
  }
  if (task === 'mri' && centre > 1 / acceleration) {
    problems.push({
      key: 'centre',
      message: `centre = ${centre} alone is more than one column in R = ${acceleration}: lower centre to ${(1 / acceleration).toFixed(3)}, or acceleration.`,
    })
  }
  return problems
}
