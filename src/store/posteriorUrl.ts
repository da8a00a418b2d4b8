/**
 * The posterior lab as its part of the URL fragment: every setting that differs from the preset's.
 *
 *     #lab=posterior&preset=dpsMissesMode&sigmaY=0.1&a.method=tmpd&b.guidance=0.5&curve=…&frame=12&hide=table
 *
 * Nonsense is reported and left out; it never keeps the page from opening.
 */
import type { DrawnStroke } from '../experiments/manifold/dataset'
import {
  defaultPosteriorPreset,
  posteriorPresetNames,
  posteriorPresets,
  type PosteriorPresetName,
} from '../experiments/mixture/presets'
import {
  methodKeys,
  mixtureKeys,
  parseMethodSetting,
  parseMixtureSetting,
  validateMethod,
  validateMixture,
  type MethodKey,
  type MethodSettings,
  type MixtureKey,
  type MixtureSettings,
} from '../experiments/mixture/settings'
import {
  parametersOf,
  readHidden,
  readPreset,
  readSettings,
  writeDifferences,
  writeFragment,
} from './fragment'
import { decodeStrokes, encodeStrokes } from './urlState'

export interface PosteriorUrlState {
  readonly preset: PosteriorPresetName
  readonly settings: MixtureSettings
  readonly a: MethodSettings
  readonly b: MethodSettings
  readonly strokes: readonly DrawnStroke[]
  /** Frame shown; null shows the last, x_0. */
  readonly frame: number | null
  /** Parts of the page that a link hides, for teachers. */
  readonly hidden: ReadonlySet<string>
}

const KNOWN = ['preset', 'curve', 'frame', 'hide']
const PANELS = ['a', 'b'] as const

/** Reads the lab's own part of a fragment (with or without #); says what was ignored, and why. */
export function readPosteriorUrl(fragment: string): { state: PosteriorUrlState; problems: string[] } {
  const parameters = parametersOf(fragment)
  const problems: string[] = []
  const preset = readPreset(parameters, posteriorPresetNames, defaultPosteriorPreset, problems)
  const base = posteriorPresets[preset]
  const strokes = readStrokes(parameters.get('curve'), problems)
  const settings = readSettings(
    {
      keys: mixtureKeys,
      parse: parseMixtureSetting,
      validate: validateMixture,
      text: (key) => parameters.get(key),
      base: base.settings,
    },
    problems,
  )
  const shape = withCurve(settings, base.settings, strokes, problems)
  const readMethod = (panel: 'a' | 'b') =>
    readSettings(
      {
        keys: methodKeys,
        parse: parseMethodSetting,
        validate: (method: MethodSettings) => validateMethod(method, settings),
        text: (key) => parameters.get(`${panel}.${key}`),
        prefix: `${panel}.`,
        base: base[panel],
      },
      problems,
    )
  const [a, b] = [readMethod('a'), readMethod('b')]
  reportUnknown(parameters, problems)
  return {
    state: {
      preset,
      settings: { ...settings, shape },
      a,
      b,
      strokes,
      frame: readFrame(parameters.get('frame'), problems),
      hidden: readHidden(parameters),
    },
    problems,
  }
}

/** Writes the shortest text that `readPosteriorUrl` reads back to the same state; empty for the defaults. */
export function writePosteriorUrl(state: PosteriorUrlState): string {
  const parameters = new URLSearchParams()
  if (state.preset !== defaultPosteriorPreset) parameters.set('preset', state.preset)
  const base = posteriorPresets[state.preset]
  writeDifferences(parameters, mixtureKeys, state.settings, base.settings)
  for (const panel of PANELS) writeDifferences(parameters, methodKeys, state[panel], base[panel], `${panel}.`)
  if (state.settings.shape === 'drawn') parameters.set('curve', encodeStrokes(state.strokes))
  if (state.frame !== null) parameters.set('frame', String(state.frame))
  return writeFragment(parameters, state.hidden)
}

function readStrokes(curve: string | null, problems: string[]): readonly DrawnStroke[] {
  if (!curve) return []
  const strokes = decodeStrokes(curve, 3)
  if (!strokes) problems.push('The drawn curve in the link is damaged; it was ignored.')
  return strokes ?? []
}

/** A drawn shape needs its strokes. */
function withCurve(
  { shape }: MixtureSettings,
  base: MixtureSettings,
  strokes: readonly DrawnStroke[],
  problems: string[],
): MixtureSettings['shape'] {
  if (shape !== 'drawn' || strokes.length > 0) return shape
  const instead = base.shape === 'drawn' ? 'random' : base.shape
  problems.push(`The link has no drawn curve. Using ${instead}.`)
  return instead
}

function readFrame(text: string | null, problems: string[]): number | null {
  if (text === null) return null
  const frame = Number(text)
  if (text.trim() !== '' && Number.isInteger(frame) && frame >= 0 && frame < 4096) return frame
  problems.push(`frame = "${text}" is not a frame’s number; the last one is shown.`)
  return null
}

function reportUnknown(parameters: URLSearchParams, problems: string[]): void {
  for (const name of parameters.keys()) {
    const isMethod = /^[ab]\./.test(name) && methodKeys.includes(name.slice(2) as MethodKey)
    if (!isMethod && !KNOWN.includes(name) && !mixtureKeys.includes(name as MixtureKey)) {
      problems.push(`"${name}" is not a setting of the posterior lab; it was ignored.`)
    }
  }
}
