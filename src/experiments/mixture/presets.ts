/**
 * Situations of the posterior lab that each show one thing. The captions were checked by numbers: see
 * test/experiments/mixture/presets.test.ts.
 */
import { defaultMethod, mixtureDefaults, type MethodSettings, type MixtureSettings } from './settings'

export interface PosteriorPreset {
  /** Says what it shows. */
  readonly label: string
  /** What to look for. */
  readonly caption: string
  readonly settings: MixtureSettings
  readonly a: MethodSettings
  readonly b: MethodSettings
}

export type PosteriorPresetName =
  | 'figure1'
  | 'dpsMissesMode'
  | 'pigdmSpreads'
  | 'diagonalNotEnough'
  | 'cgOneStep'
  | 'particlesRepair'
  | 'tenAgainstHundred'

const mmps = defaultMethod('mmps')

/** A random curve that lies aslant in the plane where the line crosses it. */
const aslant: MixtureSettings = {
  ...mixtureDefaults,
  shape: 'random',
  seed: 4,
  azimuth: 120,
  y1: 0.3,
  thickness: 0.03,
  sigmaY: 0.03,
  steps: 32,
}

export const posteriorPresets: Readonly<Record<PosteriorPresetName, PosteriorPreset>> = {
  figure1: {
    label: 'Moment matching against a heuristic',
    caption:
      'The line crosses the spiral five times, and each crossing is as likely as the others. MMPS fills all five; with V = 0, as if x were known from the first step on, three of them stay empty.',
    settings: mixtureDefaults,
    a: mmps,
    b: defaultMethod('zero'),
  },
  dpsMissesMode: {
    label: 'DPS misses a mode',
    caption:
      'The line crosses the moons three times. MMPS fills every crossing; DPS, whose steps have the same length however small the residual is, all but misses the one that is crossed most squarely, and leaves a third of its samples beside the curve.',
    settings: {
      ...mixtureDefaults,
      shape: 'moons',
      azimuth: 75,
      y1: -0.5,
      steps: 128,
    },
    a: mmps,
    b: { ...defaultMethod('dps'), guidance: 0.3 },
  },
  pigdmSpreads: {
    label: 'ΠGDM spreads off the curve',
    caption:
      'ΠGDM takes x for uncertain by one and the same amount in every direction, so that a fifth of its samples or more miss the line or leave the curve; MMPS stays on both.',
    settings: aslant,
    a: mmps,
    b: defaultMethod('pigdm'),
  },
  diagonalNotEnough: {
    label: 'A diagonal is not enough (TMPD)',
    caption:
      'Where the curve lies aslant, x₁ and x₂ vary together, and TMPD’s diagonal cannot say so: it overshoots the line and leaves the curve. Probe a point halfway to see its ellipse beside the true one.',
    settings: { ...aslant, y1: 1 },
    a: mmps,
    b: defaultMethod('tmpd'),
  },
  cgOneStep: {
    label: 'CG stopped after one step',
    caption:
      'Two measured directions make a system of two unknowns, which one step of CG solves only roughly: three in ten of its samples end beside the curve, against one in twelve of the exact solve’s.',
    settings: {
      ...mixtureDefaults,
      shape: 'random',
      seed: 3,
      features: 3,
      observed: 2,
      azimuth: 70,
      elevation: -30,
      y1: -0.1,
      y2: 0.9,
      thickness: 0.03,
    },
    a: mmps,
    b: { ...mmps, solver: 'cg', solverIterations: 1 },
  },
  particlesRepair: {
    label: 'Particles repair a poor guess (TDS)',
    caption:
      'Two crossings hold five sixths of the exact posterior. MMPS finds all five but spreads its samples evenly over them; TDS starts from the same guess, weighs its particles, and gets the proportions right.',
    settings: {
      ...mixtureDefaults,
      components: 128,
      thickness: 0.02,
      sigmaY: 0.02,
      azimuth: 60,
      y1: 0.3,
    },
    a: mmps,
    b: { ...defaultMethod('tds'), particles: 256 },
  },
  tenAgainstHundred: {
    label: 'Ten steps against a hundred',
    caption:
      'With ten steps MMPS already lies where it belongs, while DPS has not come near the line. Raise the steps to a hundred: DPS gathers at the line, and MMPS hardly changes.',
    settings: { ...aslant, sigmaY: 0.05, steps: 10 },
    a: mmps,
    b: { ...defaultMethod('dps'), guidance: 0.2 },
  },
}

export const posteriorPresetNames = Object.keys(posteriorPresets) as PosteriorPresetName[]
export const defaultPosteriorPreset: PosteriorPresetName = 'figure1'
