/**
 * Every hyper-parameter of the manifold experiment (paper section 5.1): its symbol, meaning, range and default,
 * in one table that the page's controls, the URL and the command line all read.
 */

import type { NetworkShape, PosteriorOptions } from '../../diffusion/types'
import {
  checkValues,
  parseValue,
  type SettingDefinition as Definition,
  type SettingProblem,
  type SettingValue,
} from '../settings'
import { krylovOptions, samplerSettings, solverIterationsSetting, stepOptions } from '../sharedSettings'

export { isSettingProblem, type SettingProblem, type SettingValue } from '../settings'

/** All settings of one run. Units: lengths are those of x in [-2, 2]. */
export interface ManifoldSettings {
  seed: number
  features: number
  observed: number
  observations: number
  sigmaY: number
  smoothness: number
  harmonics: number
  hidden: number
  embedding: number
  sigmaMin: number
  sigmaMax: number
  covariance: 'tweedie' | 'zero' | 'identity' | 'pigdm' | 'gaussian'
  solver: 'exact' | 'cg' | 'gmres' | 'bicgstab'
  solverIterations: number
  safeguard: 'none' | 'psd'
  sampler: 'pc' | 'ddim' | 'ddpm'
  samplerSteps: number
  corrections: number
  delta: number
  eta: number
  keepRange: number
  iterations: number
  gaussianIterations: number
  trainingSteps: number
  batch: number
  learningRate: number
  learningRateEnd: number
  clipNorm: number
  beta1: number
  beta2: number
  epsilon: number
  timeAlpha: number
  timeBeta: number
  averaging: number
  metricPoints: number
  metricRegularization: number
  metricIterations: number
  metricTolerance: number
  bins: number
}

export type SettingKey = keyof ManifoldSettings

/** The order in which one would explain them; the page groups its controls so. */
export type SettingGroup = 'data' | 'observation' | 'prior' | 'posterior' | 'sampler' | 'training' | 'metric'

export type SettingDefinition = Definition<SettingGroup>

export const settingDefinitions: Readonly<Record<SettingKey, SettingDefinition>> = {
  seed: {
    kind: 'number',
    symbol: '\\text{seed}',
    label: 'Seed',
    explanation: 'Fixes the curve, the observations and all noise: the same seed gives the same run.',
    group: 'data',
    prominent: true,
    minimum: 0,
    maximum: 4294967295,
    scale: 'linear',
    integer: true,
  },
  features: {
    kind: 'number',
    symbol: 'n',
    label: 'Dimensions',
    explanation:
      'Dimension of the space in which the curve lives; more dimensions make each shadow say less.',
    group: 'data',
    minimum: 2,
    maximum: 8,
    scale: 'linear',
    integer: true,
  },
  smoothness: {
    kind: 'number',
    symbol: '\\alpha',
    label: 'Smoothness',
    explanation: 'Decay of the curve’s harmonics, k^-α; larger values give a smoother curve.',
    group: 'data',
    minimum: 1,
    maximum: 6,
    scale: 'linear',
  },
  harmonics: {
    kind: 'number',
    symbol: 'K',
    label: 'Harmonics',
    explanation: 'Number of sine terms per coordinate; more of them add finer wiggles.',
    group: 'data',
    minimum: 1,
    maximum: 32,
    scale: 'linear',
    integer: true,
  },
  observations: {
    kind: 'number',
    symbol: 'N',
    label: 'Observations',
    explanation: 'Number of (A, y) pairs to learn from; more give a sharper prior and a slower E step.',
    group: 'observation',
    prominent: true,
    minimum: 64,
    maximum: 1048576,
    scale: 'log',
    integer: true,
  },
  observed: {
    kind: 'number',
    symbol: 'm',
    label: 'Observed dimensions',
    explanation: 'Number of random directions measured per point; with m = n the point is all but known.',
    group: 'observation',
    minimum: 1,
    maximum: 8,
    scale: 'linear',
    integer: true,
  },
  sigmaY: {
    kind: 'number',
    symbol: '\\sigma_y',
    label: 'Observation noise',
    explanation: 'Standard deviation of the noise in y; more noise blurs what can be learned.',
    group: 'observation',
    prominent: true,
    minimum: 0.001,
    maximum: 1,
    scale: 'log',
  },
  hidden: {
    kind: 'number',
    symbol: 'H',
    label: 'Hidden width',
    explanation: 'Neurons in each of the three hidden layers; cost grows with the square.',
    group: 'prior',
    minimum: 4,
    maximum: 512,
    scale: 'log',
    integer: true,
    multipleOf: 4,
  },
  embedding: {
    kind: 'number',
    symbol: 'E',
    label: 'Noise embedding',
    explanation: 'Size of the sinusoidal embedding of log σ that tells the network the noise level.',
    group: 'prior',
    minimum: 4,
    maximum: 128,
    scale: 'log',
    integer: true,
    multipleOf: 2,
  },
  sigmaMin: {
    kind: 'number',
    symbol: '\\sigma_{\\min}',
    label: 'Smallest noise',
    explanation: 'Noise level at which sampling ends; below it details of the prior are not resolved.',
    group: 'prior',
    minimum: 0.0001,
    maximum: 0.1,
    scale: 'log',
  },
  sigmaMax: {
    kind: 'number',
    symbol: '\\sigma_{\\max}',
    label: 'Largest noise',
    explanation: 'Noise level at which sampling starts; it has to exceed the extent of the data.',
    group: 'prior',
    minimum: 1,
    maximum: 100,
    scale: 'log',
  },
  covariance: {
    kind: 'choice',
    symbol: '\\mathbb{V}[x \\mid x_t]',
    label: 'Covariance',
    explanation:
      'Approximation of the covariance of x given x_t that weighs the observation against the prior.',
    group: 'posterior',
    prominent: true,
    options: [
      {
        value: 'tweedie',
        label: 'Tweedie (MMPS)',
        explanation: 'σ_t² Jᵀ: the exact second moment of a perfect denoiser.',
      },
      {
        value: 'gaussian',
        label: 'Gaussian fit',
        explanation: '(I/σ_t² + Σ_x⁻¹)⁻¹ with Σ_x from the Gaussian start.',
      },
      { value: 'pigdm', label: 'ΠGDM', explanation: 'σ_t²/(1 + σ_t²) I: a unit Gaussian prior.' },
      { value: 'identity', label: 'σ_t² I', explanation: 'As if the prior were flat.' },
      {
        value: 'zero',
        label: 'Zero',
        explanation: 'As if x were known given x_t (DPS-like): overconfident at large σ_t.',
      },
    ],
  },
  solver: {
    kind: 'choice',
    symbol: '\\text{solver}',
    label: 'Solver',
    explanation: 'How the small linear system of each sample is solved.',
    group: 'posterior',
    prominent: true,
    options: [
      { value: 'exact', label: 'Exact', explanation: 'Dense solve of the m × m system from m VJPs.' },
      ...krylovOptions,
      {
        value: 'bicgstab',
        label: 'BiCGSTAB(k)',
        explanation: 'Stabilised bi-conjugate gradient; not symmetric, short recurrences.',
      },
    ],
  },
  solverIterations: { ...solverIterationsSetting, group: 'posterior' },
  safeguard: {
    kind: 'choice',
    symbol: '\\succeq 0',
    label: 'Safeguard',
    explanation: 'What is done where the network’s Jacobian is not a covariance matrix.',
    group: 'posterior',
    options: [
      { value: 'none', label: 'None (paper)', explanation: 'Use A V Aᵀ as it comes.' },
      {
        value: 'psd',
        label: 'Nearest covariance',
        explanation: 'Hold V between 0 and σ_t² I: symmetrise J and clamp its eigenvalues; costs n VJPs.',
      },
    ],
  },
  sampler: {
    kind: 'choice',
    symbol: '\\text{sampler}',
    label: 'Sampler',
    explanation: 'How x_t is moved from noise to data.',
    group: 'sampler',
    options: [
      {
        value: 'pc',
        label: 'Predictor-corrector',
        explanation: 'A DDIM step, then Langevin corrections (paper).',
      },
      ...stepOptions,
    ],
  },
  samplerSteps: {
    kind: 'number',
    symbol: 'T',
    label: 'Sampling steps',
    explanation: 'Noise levels between σ_max and σ_min; more steps, better samples, slower E step.',
    group: 'sampler',
    prominent: true,
    minimum: 4,
    maximum: 8192,
    scale: 'log',
    integer: true,
  },
  corrections: samplerSettings.corrections,
  delta: samplerSettings.delta,
  eta: samplerSettings.eta,
  keepRange: {
    kind: 'number',
    symbol: 'r',
    label: 'Kept range',
    explanation: 'Samples with a coordinate outside (-r, r) are dropped before training.',
    group: 'sampler',
    minimum: 2,
    maximum: 10,
    scale: 'linear',
  },
  iterations: {
    kind: 'number',
    symbol: 'K_{\\text{EM}}',
    label: 'EM iterations',
    explanation: 'Rounds of M step (train) and E step (sample) after the Gaussian start.',
    group: 'training',
    minimum: 1,
    maximum: 64,
    scale: 'log',
    integer: true,
  },
  gaussianIterations: {
    kind: 'number',
    symbol: 'K_0',
    label: 'Gaussian EM iterations',
    explanation: 'Exact EM iterations that fit the Gaussian prior the run starts from.',
    group: 'training',
    minimum: 1,
    maximum: 512,
    scale: 'log',
    integer: true,
  },
  trainingSteps: {
    kind: 'number',
    symbol: 'S',
    label: 'Training steps',
    explanation: 'Optimizer steps per M step; more follow the samples more closely.',
    group: 'training',
    minimum: 1,
    maximum: 262144,
    scale: 'log',
    integer: true,
  },
  batch: {
    kind: 'number',
    symbol: 'B',
    label: 'Batch size',
    explanation: 'Samples per training step; larger batches give smoother gradients.',
    group: 'training',
    minimum: 1,
    maximum: 65536,
    scale: 'log',
    integer: true,
  },
  learningRate: {
    kind: 'number',
    symbol: '\\mathrm{lr}_0',
    label: 'Learning rate',
    explanation: 'Adam’s rate at the first step of each M step; too large diverges.',
    group: 'training',
    minimum: 0.000001,
    maximum: 0.1,
    scale: 'log',
  },
  learningRateEnd: {
    kind: 'number',
    symbol: '\\mathrm{lr}_S',
    label: 'Final learning rate',
    explanation: 'Adam’s rate at the end of each M step, reached linearly.',
    group: 'training',
    minimum: 0.0000001,
    maximum: 0.1,
    scale: 'log',
  },
  clipNorm: {
    kind: 'number',
    symbol: '\\lVert g \\rVert_{\\max}',
    label: 'Gradient clip',
    explanation: 'Gradients with a larger global norm are scaled down to it.',
    group: 'training',
    minimum: 0.001,
    maximum: 1000,
    scale: 'log',
  },
  beta1: {
    kind: 'number',
    symbol: '\\beta_1',
    label: 'Adam β₁',
    explanation: 'Memory of Adam’s mean of gradients; larger is smoother and slower.',
    group: 'training',
    minimum: 0,
    maximum: 0.9999,
    scale: 'linear',
  },
  beta2: {
    kind: 'number',
    symbol: '\\beta_2',
    label: 'Adam β₂',
    explanation: 'Memory of Adam’s mean of squared gradients; larger is smoother and slower.',
    group: 'training',
    minimum: 0,
    maximum: 0.99999,
    scale: 'linear',
  },
  epsilon: {
    kind: 'number',
    symbol: '\\epsilon',
    label: 'Adam ε',
    explanation: 'Keeps Adam’s division finite; larger damps small gradients.',
    group: 'training',
    minimum: 1e-12,
    maximum: 0.01,
    scale: 'log',
  },
  timeAlpha: {
    kind: 'number',
    symbol: 'a',
    label: 'Time prior a',
    explanation: 'First parameter of t ~ Beta(a, b); larger trains more on large noise.',
    group: 'training',
    minimum: 1,
    maximum: 8,
    scale: 'linear',
    integer: true,
  },
  timeBeta: {
    kind: 'number',
    symbol: 'b',
    label: 'Time prior b',
    explanation: 'Second parameter of t ~ Beta(a, b); larger trains more on small noise.',
    group: 'training',
    minimum: 1,
    maximum: 8,
    scale: 'linear',
    integer: true,
  },
  averaging: {
    kind: 'number',
    symbol: '\\gamma',
    label: 'Weight averaging',
    explanation: 'Decay of the moving average of weights used in the E step; 0 uses the last weights.',
    group: 'training',
    minimum: 0,
    maximum: 0.9999,
    scale: 'linear',
  },
  metricPoints: {
    kind: 'number',
    symbol: 'N_S',
    label: 'Metric points',
    explanation:
      'Points per set in the Sinkhorn divergence; more reduce its noise, cost grows with the square.',
    group: 'metric',
    minimum: 64,
    maximum: 16384,
    scale: 'log',
    integer: true,
  },
  metricRegularization: {
    kind: 'number',
    symbol: '\\lambda',
    label: 'Metric regularisation',
    explanation: 'Entropic regularisation of the Sinkhorn divergence; smaller is closer to exact transport.',
    group: 'metric',
    minimum: 0.0001,
    maximum: 1,
    scale: 'log',
  },
  metricIterations: {
    kind: 'number',
    symbol: 'L',
    label: 'Metric iterations',
    explanation: 'Most Sinkhorn iterations; fewer leave the transport plan unconverged.',
    group: 'metric',
    minimum: 1,
    maximum: 8192,
    scale: 'log',
    integer: true,
  },
  metricTolerance: {
    kind: 'number',
    symbol: '\\tau',
    label: 'Metric tolerance',
    explanation: 'Sinkhorn stops when no potential moves by more than this.',
    group: 'metric',
    minimum: 1e-7,
    maximum: 0.1,
    scale: 'log',
  },
  bins: {
    kind: 'number',
    symbol: '\\text{bins}',
    label: 'Histogram bins',
    explanation: 'Bins per axis of the corner plot on [-3, 3].',
    group: 'metric',
    minimum: 8,
    maximum: 128,
    scale: 'log',
    integer: true,
  },
}

export const settingKeys = Object.keys(settingDefinitions) as SettingKey[]

/** Exactly the numbers of paper section 5.1 and method.md, metric included. */
const paper: ManifoldSettings = {
  seed: 0,
  features: 5,
  observed: 2,
  observations: 65536,
  sigmaY: 0.01,
  smoothness: 3,
  harmonics: 10,
  hidden: 256,
  embedding: 64,
  sigmaMin: 0.001,
  sigmaMax: 10,
  covariance: 'tweedie',
  solver: 'cg',
  solverIterations: 3,
  safeguard: 'none',
  sampler: 'pc',
  samplerSteps: 4096,
  corrections: 1,
  delta: 0.1,
  eta: 0,
  keepRange: 3,
  iterations: 32,
  gaussianIterations: 64,
  trainingSteps: 65536,
  batch: 1024,
  learningRate: 1e-3,
  learningRateEnd: 1e-6,
  clipNorm: 1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  timeAlpha: 3,
  timeBeta: 3,
  averaging: 0,
  metricPoints: 1024,
  metricRegularization: 1e-3,
  metricIterations: 1024,
  metricTolerance: 1e-4,
  bins: 64,
}

/** The reference run that other implementations were measured on; its metric is cheaper than the paper's. */
const reference: ManifoldSettings = {
  ...paper,
  observations: 8192,
  hidden: 64,
  embedding: 32,
  samplerSteps: 64,
  iterations: 8,
  trainingSteps: 1024,
  metricRegularization: 1e-2,
  metricIterations: 200,
}

/**
 * Costs no more than `reference` and goes further: a projected covariance keeps every sample and its observation, DDPM
 * spends half of PC's evaluations a step, and more, shorter EM iterations at a larger rate use them better.
 */
const quick: ManifoldSettings = {
  ...reference,
  solver: 'exact',
  safeguard: 'psd',
  sampler: 'ddpm',
  iterations: 9,
  trainingSteps: 512,
  learningRate: 3e-3,
}

const standard: ManifoldSettings = {
  ...quick,
  observations: 16384,
  hidden: 128,
  embedding: 64,
  samplerSteps: 128,
  iterations: 16,
  trainingSteps: 2048,
}

/** Small enough for the TypeScript twins in a Web Worker. */
const tiny: ManifoldSettings = {
  ...quick,
  observations: 512,
  hidden: 32,
  embedding: 16,
  samplerSteps: 24,
  iterations: 6,
  trainingSteps: 256,
  batch: 256,
  metricPoints: 256,
  metricIterations: 100,
}

export const presets = { tiny, quick, standard, paper, reference } as const
export type PresetName = keyof typeof presets
export const presetNames = Object.keys(presets) as PresetName[]
export const defaultPreset: PresetName = 'quick'

export const presetDescriptions: Readonly<Record<PresetName, { label: string; caption: string }>> = {
  tiny: { label: 'Tiny', caption: 'Runs anywhere, even without WebGPU: the idea, not the quality.' },
  quick: {
    label: 'Quick',
    caption: 'Under a minute on an integrated GPU: the curve emerges from its shadows.',
  },
  standard: {
    label: 'Standard',
    caption: 'More observations, a wider network, finer sampling: sharper marginals.',
  },
  paper: { label: 'Paper', caption: 'Exactly the numbers of section 5.1: hours of work, for a real GPU.' },
  reference: { label: 'Reference', caption: 'The small run that other implementations were measured on.' },
}

/** Reads one value from text (URL or command line). Returns the problem instead of throwing. */
export function parseSetting(key: SettingKey, text: string): SettingValue | SettingProblem {
  return parseValue(key, settingDefinitions[key], text)
}

/** All problems of complete settings, ranges and combinations; empty when they can be run. */
export function validateSettings(settings: ManifoldSettings): SettingProblem[] {
  const problems = checkValues(settingDefinitions, { ...settings })
  if (settings.observed > settings.features) {
    problems.push({
      key: 'observed',
      message: `observed = ${settings.observed} is more than features = ${settings.features}: lower observed or raise features.`,
    })
  }
  if (settings.learningRateEnd > settings.learningRate) {
    problems.push({
      key: 'learningRateEnd',
      message: `learningRateEnd = ${settings.learningRateEnd} is above learningRate = ${settings.learningRate}: the rate may only fall.`,
    })
  }
  return problems
}

/** Settings that differ from a preset's, as [key, value] pairs in the table's order. */
export function differencesFromPreset(
  settings: ManifoldSettings,
  preset: PresetName,
): [SettingKey, SettingValue][] {
  return settingKeys
    .filter((key) => settings[key] !== presets[preset][key])
    .map((key) => [key, settings[key]])
}

/** The denoiser's sizes. */
export function networkShape(settings: ManifoldSettings): NetworkShape {
  return {
    features: settings.features,
    embedding: settings.embedding,
    hidden: settings.hidden,
    hiddenLayers: 3,
  }
}

/**
 * How the E step conditions on y. An iterative solver needs at most m iterations in exact arithmetic, and more of
 * them only amplify rounding and asymmetry, so k is held at m.
 */
export function posteriorOptions(settings: ManifoldSettings, covX?: Float64Array): PosteriorOptions {
  return {
    covariance: settings.covariance,
    solver: settings.solver,
    solverIterations: Math.min(settings.solverIterations, settings.observed),
    safeguard: settings.safeguard,
    covX,
  }
}
