/**
 * What the labs' parts of the URL fragment have in common: a preset, the settings that differ from it, and the parts of the
 * page that a link hides. Nonsense is reported in `problems` and left out.
 */
import { isSettingProblem, type SettingProblem, type SettingValue } from '../experiments/settings'

/** With or without #. */
export function parametersOf(fragment: string): URLSearchParams {
  return new URLSearchParams(fragment.replace(/^#/, ''))
}

export function readPreset<Name extends string>(
  parameters: URLSearchParams,
  names: readonly Name[],
  usual: Name,
  problems: string[],
): Name {
  const text = parameters.get('preset')
  const preset = names.find((name) => name === text) ?? usual
  if (text !== null && text !== preset) {
    problems.push(`preset = "${text}" is not one of: ${names.join(', ')}. Using ${preset}.`)
  }
  return preset
}

export interface SettingsTable<Key extends string, Settings> {
  readonly keys: readonly Key[]
  parse(key: Key, text: string): SettingValue | SettingProblem
  validate(settings: Settings): readonly SettingProblem[]
  /** What the fragment says of a key; null where it says nothing. */
  text(key: Key): string | null
  /** Stands before the keys in the messages. */
  readonly prefix?: string
  /** Settings where the fragment says nothing, or what cannot be used. */
  readonly base: Settings
  /** `base` with what was read before. */
  readonly begun?: Settings
}

export function readSettings<Key extends string, Settings extends Readonly<Record<Key, SettingValue>>>(
  { keys, parse, validate, text, prefix = '', base, begun = base }: SettingsTable<Key, Settings>,
  problems: string[],
): Settings {
  const settings = { ...begun }
  for (const key of keys) {
    const given = text(key)
    if (given === null) continue
    const value = parse(key, given)
    if (isSettingProblem(value)) problems.push(`${prefix}${value.message} Using ${base[key]}.`)
    else Object.assign(settings, { [key]: value })
  }
  const invalid = validate(settings)
  if (invalid.length === 0) return settings
  problems.push(...invalid.map(({ message }) => `${prefix}${message} Using the preset’s settings.`))
  return base
}

/** Writes the settings that are not those of `base`. */
export function writeDifferences<Key extends string>(
  parameters: URLSearchParams,
  keys: readonly Key[],
  settings: Readonly<Record<Key, SettingValue>>,
  base: Readonly<Record<Key, SettingValue>>,
  prefix = '',
): void {
  for (const key of keys) {
    if (settings[key] !== base[key]) parameters.set(prefix + key, String(settings[key]))
  }
}

export function readHidden(parameters: URLSearchParams): ReadonlySet<string> {
  return new Set((parameters.get('hide') ?? '').split(',').filter(Boolean))
}

/** The fragment, without #; `hidden` comes last. */
export function writeFragment(parameters: URLSearchParams, hidden: ReadonlySet<string>): string {
  if (hidden.size > 0) parameters.set('hide', [...hidden].join(','))
  return parameters.toString().replaceAll('%2C', ',')
}
