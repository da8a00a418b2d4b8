/**
 * Every setting of the posterior lab (paper section 4.2, Figures 1 and 2): its symbol, meaning, range and default, in
 * one table that the page's controls, the URL and the command line all read.
 */
import {
  checkValues,
  parseValue,
  type SettingDefinition,
  type SettingProblem,
  type SettingValue,
} from '../settings'
import {
  curveSettings,
  krylovOptions,
  samplerSettings,
  solverIterationsSetting,
  stepOptions,
} from '../sharedSettings'
import { methodDefinitions } from './methodDefinitions'

/** Settings of the scene and the sampler. Units: lengths are those of x in [-2, 2], angles are degrees. */
export interface MixtureSettings {
  seed: number
  shape: 'random' | 'spiral' | 'ring' | 'moons' | 'letters' | 'drawn' | 'learned'
  /** n of the mixture, 2 or 3; a learned prior brings its own. */
  features: number
  /** K, 16 to 512. */
  components: number
  thickness: number
  smoothness: number
  /** Rows m of A: 1, or 2 in R^3. */
  observed: number
  /** Direction of A's first row in the plane of x_1 and x_2. */
  azimuth: number
  /** Its angle out of that plane, in R^3. */
  elevation: number
  y1: number
  y2: number
  sigmaY: number
  /** Which of the learned prior's own pairs is observed, where n > 3. */
  index: number
  sampler: 'ddpm' | 'ddim' | 'pc'
  steps: number
  eta: number
  corrections: number
  delta: number
  sigmaMin: number
  sigmaMax: number
  /** Points drawn by each method, a power of two. */
  samples: number
}

/** What a person calls a method: MMPS with its covariance, or another sampler. */
export type MethodId =
  'mmps' | 'gaussian' | 'identity' | 'zero' | 'pigdm' | 'tmpd' | 'dps' | 'diffpir' | 'jfps' | 'tds'

/** Settings of one panel's method. */
export interface MethodSettings {
  method: MethodId
  solver: 'exact' | 'cg' | 'gmres' | 'bicgstab'
  solverIterations: number
  guidance: number
  proximity: number
  particles: number
}

export type MixtureKey = keyof MixtureSettings
export type MethodKey = keyof MethodSettings

/** The order in which one would explain them; the page groups its controls so. */
export type MixtureGroup = 'prior' | 'observation' | 'sampler'

export const mixtureDefinitions: Readonly<Record<MixtureKey, SettingDefinition<MixtureGroup>>> = {
  seed: {
    kind: 'number',
    symbol: '\\text{seed}',
    label: 'Seed',
    explanation: 'Fixes the random curve and all noise: the same seed gives the same picture.',
    group: 'prior',
    minimum: 0,
    maximum: 4294967295,
    scale: 'linear',
    integer: true,
  },
  shape: {
    kind: 'choice',
    symbol: 'p(x)',
    label: 'Shape',
    explanation: 'The curve on which the prior’s components lie.',
    group: 'prior',
    prominent: true,
    options: [
      {
        value: 'random',
        label: 'Random curve',
        explanation: 'The curve of the paper: ten random harmonics per coordinate.',
      },
      {
        value: 'spiral',
        label: 'Spiral',
        explanation: 'A line crosses it once per turn: many modes in a row.',
      },
      { value: 'ring', label: 'Ring', explanation: 'Closed: a line crosses it twice, or touches it.' },
      {
        value: 'moons',
        label: 'Two moons',
        explanation: 'Two separate arcs: the posterior has to find both.',
      },
      { value: 'letters', label: 'Letters', explanation: 'The word DiEM, in strokes.' },
      { value: 'drawn', label: 'Drawn by hand', explanation: 'Your own strokes.' },
      {
        value: 'learned',
        label: 'Learned',
        explanation: 'A network from the manifold lab in place of exact moments.',
      },
    ],
  },
  features: {
    kind: 'number',
    symbol: 'n',
    label: 'Dimensions',
    explanation: 'Dimension of the space: a plane, or space that can be turned.',
    group: 'prior',
    minimum: 2,
    maximum: 3,
    scale: 'linear',
    integer: true,
  },
  components: { ...curveSettings.components, group: 'prior', prominent: true },
  thickness: { ...curveSettings.thickness, group: 'prior', prominent: true },
  smoothness: {
    kind: 'number',
    symbol: '\\alpha',
    label: 'Smoothness',
    explanation: 'Decay of the random curve’s harmonics, k^-α; larger values give a smoother curve.',
    group: 'prior',
    minimum: 1,
    maximum: 6,
    scale: 'linear',
  },
  observed: {
    kind: 'number',
    symbol: 'm',
    label: 'Observed dimensions',
    explanation: 'Directions measured at once; the second leaves only a line of space open.',
    group: 'observation',
    minimum: 1,
    maximum: 2,
    scale: 'linear',
    integer: true,
  },
  sigmaY: {
    kind: 'number',
    symbol: '\\sigma_y',
    label: 'Observation noise',
    explanation: 'Standard deviation of the noise in y; more noise widens the band in which x can lie.',
    group: 'observation',
    prominent: true,
    minimum: 0.001,
    maximum: 2,
    scale: 'log',
  },
  y1: {
    kind: 'number',
    symbol: 'y_1',
    label: 'Observation',
    explanation: 'Measured length along the first direction; it moves the constraint across the curve.',
    group: 'observation',
    minimum: -4,
    maximum: 4,
    scale: 'linear',
  },
  y2: {
    kind: 'number',
    symbol: 'y_2',
    label: 'Second observation',
    explanation: 'Measured length along the second direction; it moves the constraint across the curve.',
    group: 'observation',
    minimum: -4,
    maximum: 4,
    scale: 'linear',
  },
  azimuth: {
    kind: 'number',
    symbol: '\\varphi',
    label: 'Direction',
    explanation:
      'Angle of the measured direction in the plane of x₁ and x₂, in degrees; it turns anticlockwise.',
    group: 'observation',
    minimum: -180,
    maximum: 180,
    scale: 'linear',
  },
  elevation: {
    kind: 'number',
    symbol: '\\theta',
    label: 'Elevation',
    explanation: 'Angle of the measured direction above that plane, in degrees; at 90 it measures x₃.',
    group: 'observation',
    minimum: -90,
    maximum: 90,
    scale: 'linear',
  },
  index: {
    kind: 'number',
    symbol: 'i',
    label: 'Pair',
    explanation: 'Which pair (A, y) of the learned prior’s own data is observed.',
    group: 'observation',
    minimum: 0,
    maximum: 1048575,
    scale: 'linear',
    integer: true,
  },
  sampler: {
    kind: 'choice',
    symbol: '\\text{sampler}',
    label: 'Sampler',
    explanation: 'How x_t is moved from noise to data.',
    group: 'sampler',
    options: [
      ...stepOptions,
      { value: 'pc', label: 'Predictor-corrector', explanation: 'A DDIM step, then Langevin corrections.' },
    ],
  },
  steps: {
    kind: 'number',
    symbol: 'T',
    label: 'Sampling steps',
    explanation:
      'Noise levels between σ_max and σ_min; more steps forgive a poorer posterior estimate less or more, by method.',
    group: 'sampler',
    prominent: true,
    minimum: 4,
    maximum: 1024,
    scale: 'log',
    integer: true,
  },
  eta: samplerSettings.eta,
  corrections: samplerSettings.corrections,
  delta: samplerSettings.delta,
  sigmaMin: {
    kind: 'number',
    symbol: '\\sigma_{\\min}',
    label: 'Smallest noise',
    explanation: 'Noise level at which sampling ends; above the thickness it blurs the curve.',
    group: 'sampler',
    minimum: 0.0001,
    maximum: 0.1,
    scale: 'log',
  },
  sigmaMax: {
    kind: 'number',
    symbol: '\\sigma_{\\max}',
    label: 'Largest noise',
    explanation: 'Noise level at which sampling starts; it has to exceed the extent of the data.',
    group: 'sampler',
    minimum: 1,
    maximum: 100,
    scale: 'log',
  },
  samples: {
    kind: 'number',
    symbol: 'N',
    label: 'Samples',
    explanation: 'Points drawn by each method; more show the distribution better and take longer.',
    group: 'sampler',
    minimum: 64,
    maximum: 16384,
    scale: 'log',
    integer: true,
    powerOfTwo: true,
  },
}

export const methodSettingDefinitions: Readonly<Record<MethodKey, SettingDefinition<'method'>>> = {
  method: {
    kind: 'choice',
    symbol: '\\mathbb{E}[x \\mid x_t, y]',
    label: 'Method',
    explanation: 'How the observation enters each step of the sampler.',
    group: 'method',
    prominent: true,
    options: Object.entries(methodDefinitions).map(([value, { label, explanation }]) => ({
      value,
      label,
      explanation,
    })),
  },
  solver: {
    kind: 'choice',
    symbol: '\\text{solver}',
    label: 'Solver',
    explanation: 'How the m × m system of each sample is solved.',
    group: 'method',
    options: [
      { value: 'exact', label: 'Exact', explanation: 'Dense solve of the m × m system.' },
      ...krylovOptions,
      {
        value: 'bicgstab',
        label: 'BiCGSTAB(k)',
        explanation: 'Stabilised bi-conjugate gradient; short recurrences.',
      },
    ],
  },
  solverIterations: { ...solverIterationsSetting, group: 'method' },
  guidance: {
    kind: 'number',
    symbol: '\\zeta',
    label: 'Guidance',
    explanation: 'Length of a guidance step of DPS; longer holds y more firmly and jumps from mode to mode.',
    group: 'method',
    minimum: 0.01,
    maximum: 10,
    scale: 'log',
  },
  proximity: {
    kind: 'number',
    symbol: '\\lambda',
    label: 'Proximity',
    explanation: 'Weight of the denoised point against the observation in DiffPIR; larger trusts y less.',
    group: 'method',
    minimum: 0.01,
    maximum: 1000,
    scale: 'log',
  },
  particles: {
    kind: 'number',
    symbol: 'K_p',
    label: 'Particles',
    explanation: 'Particles that are resampled together in TDS; more come closer to the exact posterior.',
    group: 'method',
    minimum: 2,
    maximum: 1024,
    scale: 'log',
    integer: true,
    powerOfTwo: true,
  },
}

export const mixtureKeys = Object.keys(mixtureDefinitions) as MixtureKey[]
export const methodIds = Object.keys(methodDefinitions) as MethodId[]
export const methodKeys = Object.keys(methodSettingDefinitions) as MethodKey[]

/** A spiral in the plane that the line of the observation crosses five times. */
export const mixtureDefaults: Readonly<MixtureSettings> = {
  seed: 0,
  shape: 'spiral',
  features: 2,
  components: 256,
  thickness: 0.04,
  smoothness: 3,
  observed: 1,
  azimuth: 30,
  elevation: 0,
  y1: -0.3,
  y2: 0,
  sigmaY: 0.05,
  index: 0,
  sampler: 'ddpm',
  steps: 64,
  eta: 1,
  corrections: 1,
  delta: 0.1,
  sigmaMin: 0.01,
  sigmaMax: 10,
  samples: 1024,
}

export const methodDefaults: Readonly<MethodSettings> = {
  method: 'mmps',
  solver: 'exact',
  solverIterations: 1,
  // the best of a grid on seven curves, so that neither is made to look worse than it is; the papers' 1 and 8 do worse here
  guidance: 0.2,
  proximity: 1,
  particles: 64,
}

/** A method with the defaults of its settings. */
export function defaultMethod(method: MethodId): MethodSettings {
  return { ...methodDefaults, method }
}

/** Reads one setting of the scene or the sampler from text. Returns the problem instead of throwing. */
export function parseMixtureSetting(key: MixtureKey, text: string): SettingValue | SettingProblem {
  return parseValue(key, mixtureDefinitions[key], text)
}

/** As `parseMixtureSetting`, for a setting of a method. */
export function parseMethodSetting(key: MethodKey, text: string): SettingValue | SettingProblem {
  return parseValue(key, methodSettingDefinitions[key], text)
}

/** All problems of complete settings, ranges and combinations; empty when they can be sampled. */
export function validateMixture(settings: MixtureSettings): SettingProblem[] {
  const problems = checkValues(mixtureDefinitions, { ...settings })
  if (settings.shape !== 'learned' && settings.observed >= settings.features) {
    problems.push({
      key: 'observed',
      message: `observed = ${settings.observed} leaves nothing open in R^${settings.features}: lower observed or raise features.`,
    })
  }
  return problems
}

/** All problems of a method's settings, alone and with the number of samples that it draws. */
export function validateMethod(
  method: MethodSettings,
  { samples }: Pick<MixtureSettings, 'samples'>,
): SettingProblem[] {
  const problems = checkValues(methodSettingDefinitions, { ...method })
  if (method.method === 'tds' && samples % method.particles !== 0) {
    problems.push({
      key: 'particles',
      message: `particles = ${method.particles} does not divide samples = ${samples}: lower particles or raise samples.`,
    })
  }
  return problems
}
