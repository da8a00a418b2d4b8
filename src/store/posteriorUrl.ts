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
import { isSettingProblem, type SettingProblem, type SettingValue } from '../experiments/settings'
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
  const parameters = new URLSearchParams(fragment.replace(/^#/, ''))
  const problems: string[] = []
  const presetText = parameters.get('preset')
  const preset = posteriorPresetNames.find((name) => name === presetText) ?? defaultPosteriorPreset
  if (presetText !== null && presetText !== preset) {
    problems.push(
      `preset = "${presetText}" is not one of: ${posteriorPresetNames.join(', ')}. Using ${preset}.`,
    )
  }
  const base = posteriorPresets[preset]
  const strokes = readStrokes(parameters.get('curve'), problems)
  const settings = readValues(
    { keys: mixtureKeys, parse: parseMixtureSetting, validate: validateMixture, prefix: '' },
    parameters,
    base.settings,
    problems,
  )
  const shape = withCurve(settings, base.settings, strokes, problems)
  const readMethod = (panel: 'a' | 'b') =>
    readValues(
      {
        keys: methodKeys,
        parse: parseMethodSetting,
        validate: (method: MethodSettings) => validateMethod(method, settings),
        prefix: `${panel}.`,
      },
      parameters,
      base[panel],
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
      hidden: new Set((parameters.get('hide') ?? '').split(',').filter(Boolean)),
    },
    problems,
  }
}

/** Writes the shortest text that `readPosteriorUrl` reads back to the same state; empty for the defaults. */
export function writePosteriorUrl(state: PosteriorUrlState): string {
  const parameters = new URLSearchParams()
  if (state.preset !== defaultPosteriorPreset) parameters.set('preset', state.preset)
  const base = posteriorPresets[state.preset]
  for (const key of mixtureKeys) {
    if (state.settings[key] !== base.settings[key]) parameters.set(key, String(state.settings[key]))
  }
  for (const panel of PANELS) {
    for (const key of methodKeys) {
      if (state[panel][key] !== base[panel][key]) parameters.set(`${panel}.${key}`, String(state[panel][key]))
    }
  }
  if (state.settings.shape === 'drawn') parameters.set('curve', encodeStrokes(state.strokes))
  if (state.frame !== null) parameters.set('frame', String(state.frame))
  if (state.hidden.size > 0) parameters.set('hide', [...state.hidden].join(','))
  return parameters.toString().replaceAll('%2C', ',')
}

interface Table<Key extends string, Settings> {
  readonly keys: readonly Key[]
  parse(key: Key, text: string): SettingValue | SettingProblem
  validate(settings: Settings): SettingProblem[]
  readonly prefix: string
}

function readValues<Key extends MixtureKey | MethodKey, Settings extends Readonly<Record<Key, SettingValue>>>(
  { keys, parse, validate, prefix }: Table<Key, Settings>,
  parameters: URLSearchParams,
  base: Settings,
  problems: string[],
): Settings {
  const settings = { ...base }
  for (const key of keys) {
    const text = parameters.get(prefix + key)
    if (text === null) continue
    const value = parse(key, text)
    if (isSettingProblem(value)) problems.push(`${prefix}${value.message} Using ${base[key]}.`)
    else Object.assign(settings, { [key]: value })
  }
  const invalid = validate(settings)
  if (invalid.length === 0) return settings
  problems.push(...invalid.map(({ message }) => `${prefix}${message} Using the preset’s settings.`))
  return base
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
