/**
 * The page's state as a URL fragment: every setting that differs from its preset, the seed included.
 *
 *     #preset=quick&seed=3&covariance=gaussian&curve=…&compare=1&b.covariance=tweedie&hide=advanced,export&run=1
 *
 * Nonsense is reported and left out; it never keeps the page from opening.
 */
import type { DrawnStroke } from '../experiments/manifold/dataset'
import {
  defaultPreset,
  parseSetting,
  presetNames,
  presets,
  settingKeys,
  validateSettings,
  type ManifoldSettings,
  type PresetName,
  type SettingGroup,
  type SettingKey,
} from '../experiments/manifold/settings'
import { settingDefinitions } from '../experiments/manifold/settings'
import {
  parametersOf,
  readHidden,
  readPreset,
  readSettings,
  writeDifferences,
  writeFragment,
} from './fragment'

export interface UrlState {
  readonly preset: PresetName
  readonly settings: ManifoldSettings
  readonly strokes: readonly DrawnStroke[]
  /** Settings of the run beside it; null where there is none. */
  readonly compare: ManifoldSettings | null
  /** Parts of the page that a link hides, for teachers. */
  readonly hidden: ReadonlySet<string>
  /** Start running at once. */
  readonly autorun: boolean
}

/** Data and observation settings are one for both runs of a comparison: both learn from the same pairs. */
const SHARED_GROUPS: readonly SettingGroup[] = ['data', 'observation']

export function isSharedSetting(key: SettingKey): boolean {
  return SHARED_GROUPS.includes(settingDefinitions[key].group)
}

/** Settings that the second run has of its own. */
const ownKeys = settingKeys.filter((key) => !isSharedSetting(key))

/** Settings of the second run: its own, with the first run's data. */
export function withSharedSettings(own: ManifoldSettings, main: ManifoldSettings): ManifoldSettings {
  const shared = settingKeys.filter(isSharedSetting).map((key) => [key, main[key]])
  return { ...own, ...(Object.fromEntries(shared) as Partial<ManifoldSettings>) }
}

const KNOWN = new Set(['preset', 'curve', 'compare', 'hide', 'run', 'lab', 'tour', 'fresh'])

export interface ReadUrl {
  readonly state: UrlState
  /** What was ignored, and why. */
  readonly problems: string[]
  /** Which saved run may be continued: any where nothing is asked for, none where `fresh` is. */
  readonly restore: 'any' | 'same' | 'no'
}

/** Reads a fragment (with or without #). */
export function readUrl(fragment: string): ReadUrl {
  const parameters = parametersOf(fragment)
  const problems: string[] = []
  const preset = readPreset(parameters, presetNames, defaultPreset, problems)
  const read = (keys: readonly SettingKey[], prefix: string, base: ManifoldSettings) =>
    readSettings(
      {
        keys,
        parse: parseSetting,
        validate: validateSettings,
        text: (key) => parameters.get(prefix + key),
        base,
      },
      problems,
    )
  const settings = read(settingKeys, '', presets[preset])
  const compare = parameters.has('compare') ? read(ownKeys, 'b.', settings) : null
  for (const name of parameters.keys()) {
    const key = name.startsWith('b.') ? name.slice(2) : name
    if (!KNOWN.has(name) && !settingKeys.includes(key as SettingKey)) {
      problems.push(`"${name}" is not a setting of this page; it was ignored.`)
    }
  }
  let strokes: DrawnStroke[] = []
  const curve = parameters.get('curve')
  if (curve) {
    const decoded = decodeStrokes(curve, settings.features)
    if (decoded) strokes = decoded
    else problems.push('The drawn curve in the link is damaged; the random curve is used instead.')
  }
  const asksNothing = [...parameters.keys()].every((name) => name === 'lab' || name === 'tour')
  return {
    state: {
      preset,
      settings,
      strokes,
      compare,
      hidden: readHidden(parameters),
      autorun: parameters.get('run') === '1',
    },
    problems,
    restore: parameters.has('fresh') ? 'no' : asksNothing ? 'any' : 'same',
  }
}

/** Writes the shortest fragment that `readUrl` reads back to the same state; empty for the defaults. */
export function writeUrl(state: UrlState): string {
  const parameters = new URLSearchParams()
  if (state.preset !== defaultPreset) parameters.set('preset', state.preset)
  writeDifferences(parameters, settingKeys, state.settings, presets[state.preset])
  if (state.strokes.length > 0) parameters.set('curve', encodeStrokes(state.strokes))
  if (state.compare) {
    parameters.set('compare', '1')
    writeDifferences(parameters, ownKeys, state.compare, state.settings, 'b.')
  }
  const text = writeFragment(parameters, state.hidden)
  return text === '' ? '' : `#${text}`
}

/** Points of a drawn curve are kept to 1/1000 of its box: 12 bits, two characters a coordinate. */
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const LEVELS = 4095
const EXTENT = 2

/** Strokes on the grid that the URL can hold: what a run uses, so that a link reproduces it to the bit. */
export function quantizeStrokes(strokes: readonly DrawnStroke[]): DrawnStroke[] {
  return decodeStrokes(encodeStrokes(strokes), 8) ?? []
}

export function encodeStrokes(strokes: readonly DrawnStroke[]): string {
  const encode = (value: number) => {
    const level = Math.round(((Math.min(Math.max(value, -EXTENT), EXTENT) + EXTENT) / (2 * EXTENT)) * LEVELS)
    return DIGITS[level >> 6]! + DIGITS[level & 63]!
  }
  return strokes
    .map(
      ({ plane, points }) =>
        `${plane[0]}${plane[1]}${points.map(([p, q]) => encode(p) + encode(q)).join('')}`,
    )
    .join('.')
}

/** Reads what `encodeStrokes` wrote; undefined where it is damaged or its planes are not in R^features. */
export function decodeStrokes(text: string, features: number): DrawnStroke[] | undefined {
  const strokes: DrawnStroke[] = []
  for (const part of text.split('.')) {
    const plane = [Number(part[0]), Number(part[1])] as const
    const body = part.slice(2)
    const digits = Array.from(body, (digit) => DIGITS.indexOf(digit))
    const isPlane = plane[0] >= 0 && plane[0] < plane[1] && plane[1] < Math.max(features, 2)
    if (
      !isPlane ||
      digits.length < 8 ||
      digits.length % 4 !== 0 ||
      digits.length > 4096 ||
      digits.includes(-1)
    )
      return undefined
    const value = (at: number) => (((digits[at]! << 6) | digits[at + 1]!) / LEVELS) * 2 * EXTENT - EXTENT
    const points = Array.from(
      { length: digits.length / 4 },
      (_, i) => [value(4 * i), value(4 * i + 2)] as const,
    )
    strokes.push({ plane, points })
  }
  return strokes
}
