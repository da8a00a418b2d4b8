/**
 * Situations of the posterior lab that each show one thing. The captions were checked by numbers: see
 * test/experiments/mixture/presets.test.ts.
 */
import { methodDefaults, mixtureDefaults, type MethodSettings, type MixtureSettings } from './settings'

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

const mmps: MethodSettings = { ...methodDefaults, method: 'mmps' }

export const posteriorPresets: Readonly<Record<PosteriorPresetName, PosteriorPreset>> = {
  figure1: {
    label: 'Moment matching against a heuristic',
    caption: 'TODO',
    settings: { ...mixtureDefaults },
    a: mmps,
    b: { ...methodDefaults, method: 'identity' },
  },
  dpsMissesMode: {
    label: 'DPS misses a mode',
    caption: 'TODO',
    settings: { ...mixtureDefaults, shape: 'moons' },
    a: mmps,
    b: { ...methodDefaults, method: 'dps' },
  },
  pigdmSpreads: {
    label: 'ΠGDM spreads off the curve',
    caption: 'TODO',
    settings: { ...mixtureDefaults },
    a: mmps,
    b: { ...methodDefaults, method: 'pigdm' },
  },
  diagonalNotEnough: {
    label: 'A diagonal is not enough (TMPD)',
    caption: 'TODO',
    settings: { ...mixtureDefaults },
    a: mmps,
    b: { ...methodDefaults, method: 'tmpd' },
  },
  cgOneStep: {
    label: 'CG stopped after one step',
    caption: 'TODO',
    settings: { ...mixtureDefaults, shape: 'random', features: 3, observed: 2 },
    a: mmps,
    b: { ...methodDefaults, method: 'mmps', solver: 'cg', solverIterations: 1 },
  },
  particlesRepair: {
    label: 'Particles repair a poor guess (TDS)',
    caption: 'TODO',
    settings: { ...mixtureDefaults },
    a: { ...methodDefaults, method: 'mmps' },
    b: { ...methodDefaults, method: 'tds', particles: 256 },
  },
  tenAgainstHundred: {
    label: 'Ten steps against a hundred',
    caption: 'TODO',
    settings: { ...mixtureDefaults, steps: 10 },
    a: mmps,
    b: { ...methodDefaults, method: 'pigdm' },
  },
}

export const posteriorPresetNames = Object.keys(posteriorPresets) as PosteriorPresetName[]
export const defaultPosteriorPreset: PosteriorPresetName = 'figure1'
