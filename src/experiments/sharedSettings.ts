/** Settings that several experiments have in their tables, word for word. */
import type { ChoiceSetting, NumberSetting } from './settings'

type Ungrouped = Omit<NumberSetting, 'group'>

/** Of the samplers. */
export const samplerSettings = {
  eta: {
    kind: 'number',
    symbol: '\\eta',
    label: 'DDIM noise',
    explanation: 'Noise of DDIM: 0 is deterministic, 1 is DDPM.',
    group: 'sampler',
    minimum: 0,
    maximum: 2,
    scale: 'linear',
  },
  corrections: {
    kind: 'number',
    symbol: 'C',
    label: 'Corrections',
    explanation: 'Langevin corrections after each predictor step; each costs one more evaluation.',
    group: 'sampler',
    minimum: 0,
    maximum: 8,
    scale: 'linear',
    integer: true,
  },
  delta: {
    kind: 'number',
    symbol: '\\delta',
    label: 'Correction size',
    explanation: 'Size of a Langevin correction; larger mixes faster but is biased.',
    group: 'sampler',
    minimum: 0.001,
    maximum: 1,
    scale: 'log',
  },
} as const satisfies Record<string, NumberSetting<'sampler'>>

/** Samplers that are one affine step a noise level. */
export const stepOptions = [
  { value: 'ddpm', label: 'DDPM', explanation: 'Ancestral sampling.' },
  { value: 'ddim', label: 'DDIM(η)', explanation: 'Deterministic at η = 0, ancestral at η = 1.' },
] as const satisfies ChoiceSetting['options']

export const solverIterationsSetting = {
  kind: 'number',
  symbol: 'k',
  label: 'Solver iterations',
  explanation: 'Iterations of CG, GMRES or BiCGSTAB; never more than m are needed.',
  minimum: 1,
  maximum: 8,
  scale: 'linear',
  integer: true,
} as const satisfies Ungrouped

/** Solvers that build a Krylov space. */
export const krylovOptions = [
  { value: 'cg', label: 'CG(k)', explanation: 'Conjugate gradient, stopped at non-positive curvature.' },
  {
    value: 'gmres',
    label: 'GMRES(k)',
    explanation: 'Minimal residual; for systems that are not symmetric.',
  },
] as const satisfies ChoiceSetting['options']

/** Of a mixture along a curve. */
export const curveSettings = {
  components: {
    kind: 'number',
    symbol: 'K',
    label: 'Components',
    explanation: 'Gaussians along the curve; more of them make it continuous and each evaluation slower.',
    minimum: 16,
    maximum: 512,
    scale: 'log',
    integer: true,
  },
  thickness: {
    kind: 'number',
    symbol: 's',
    label: 'Thickness',
    explanation: 'Standard deviation of each component; a thicker curve is closer to a Gaussian, and easier.',
    minimum: 0.005,
    maximum: 0.5,
    scale: 'log',
  },
} as const satisfies Record<string, Ungrouped>
