/** Ranges of Figure 2's settings, for its controls and its command line. */
import { checkValues, type SettingDefinition, type SettingProblem } from '../settings'
import { curveSettings } from '../sharedSettings'
import type { Figure2Settings } from './figure2'

export const figure2Definitions: Readonly<Record<keyof Figure2Settings, SettingDefinition<'figure2'>>> = {
  seed: {
    kind: 'number',
    symbol: '\\text{seed}',
    label: 'First seed',
    explanation: 'Curve, observation and draws follow from it; the other seeds are the next numbers.',
    group: 'figure2',
    minimum: 0,
    maximum: 4294967295,
    scale: 'linear',
    integer: true,
  },
  seeds: {
    kind: 'number',
    symbol: 'S',
    label: 'Seeds',
    explanation: 'How many curves are compared; more make the quartiles surer and take longer.',
    group: 'figure2',
    prominent: true,
    minimum: 1,
    maximum: 4096,
    scale: 'log',
    integer: true,
  },
  points: {
    kind: 'number',
    symbol: 'N',
    label: 'Points',
    explanation:
      'Points per set in the Sinkhorn divergence; more reduce its noise, cost grows with the square.',
    group: 'figure2',
    minimum: 64,
    maximum: 16384,
    scale: 'log',
    integer: true,
  },
  draws: {
    kind: 'number',
    symbol: 'D',
    label: 'Draws',
    explanation: 'Draws of p(x_t) that are reweighted to q(x_t | y); more leave fewer duplicates.',
    group: 'figure2',
    minimum: 1024,
    maximum: 1048576,
    scale: 'log',
    integer: true,
  },
  features: {
    kind: 'number',
    symbol: 'n',
    label: 'Dimensions',
    explanation: 'Dimension of the space of the curve.',
    group: 'figure2',
    minimum: 2,
    maximum: 3,
    scale: 'linear',
    integer: true,
  },
  components: { ...curveSettings.components, group: 'figure2' },
  thickness: { ...curveSettings.thickness, group: 'figure2' },
  sigmaY: {
    kind: 'number',
    symbol: '\\sigma_y',
    label: 'Observation noise',
    explanation: 'Standard deviation of the noise in y; more noise makes every covariance nearly right.',
    group: 'figure2',
    minimum: 0.001,
    maximum: 2,
    scale: 'log',
  },
  regularization: {
    kind: 'number',
    symbol: '\\lambda',
    label: 'Regularisation',
    explanation: 'Entropic regularisation of the divergence; smaller is closer to exact transport.',
    group: 'figure2',
    minimum: 0.0001,
    maximum: 1,
    scale: 'log',
  },
  iterations: {
    kind: 'number',
    symbol: 'L',
    label: 'Iterations',
    explanation: 'Most Sinkhorn iterations; fewer leave the transport plan unconverged.',
    group: 'figure2',
    minimum: 1,
    maximum: 8192,
    scale: 'log',
    integer: true,
  },
  tolerance: {
    kind: 'number',
    symbol: '\\tau',
    label: 'Tolerance',
    explanation: 'Sinkhorn stops when no potential moves by more than this times 1 + σ_t².',
    group: 'figure2',
    minimum: 1e-9,
    maximum: 0.1,
    scale: 'log',
  },
}

/** All problems of complete settings; empty when they can be run. */
export function validateFigure2(settings: Figure2Settings): SettingProblem[] {
  return checkValues(figure2Definitions, { ...settings })
}
