/**
 * What a setting is, for every experiment: a symbol, a meaning and a range in one table per experiment, from which the
 * page's controls, the URL and the command line are made. Values are checked here, one by one; what is invalid only
 * together with others is each experiment's own matter.
 */

export type SettingValue = number | string

interface SettingBase<Group extends string> {
  /** TeX of the symbol. */
  readonly symbol: string
  readonly label: string
  /** One sentence: what it is and what happens when it grows. */
  readonly explanation: string
  readonly group: Group
  /** Shown without opening "Advanced". */
  readonly prominent?: boolean
}

export interface NumberSetting<Group extends string = string> extends SettingBase<Group> {
  readonly kind: 'number'
  readonly minimum: number
  readonly maximum: number
  readonly scale: 'linear' | 'log'
  readonly integer?: boolean
  /** Valid values are multiples of this. */
  readonly multipleOf?: number
  /** Valid values are powers of two. */
  readonly powerOfTwo?: boolean
}

export interface ChoiceSetting<Group extends string = string> extends SettingBase<Group> {
  readonly kind: 'choice'
  readonly options: readonly {
    readonly value: string
    readonly label: string
    readonly explanation: string
  }[]
}

export type SettingDefinition<Group extends string = string> = NumberSetting<Group> | ChoiceSetting<Group>

/** A setting that cannot be used, with what would be valid. */
export interface SettingProblem {
  readonly key: string
  readonly message: string
}

export function isSettingProblem(value: SettingValue | SettingProblem): value is SettingProblem {
  return typeof value === 'object'
}

/** Reads one value from text (URL or command line). Returns the problem instead of throwing. */
export function parseValue(
  key: string,
  definition: SettingDefinition,
  text: string,
): SettingValue | SettingProblem {
  if (definition.kind === 'choice') {
    if (definition.options.some((option) => option.value === text)) return text
    const valid = definition.options.map((option) => option.value).join(', ')
    return { key, message: `${key} = "${text}" is not one of: ${valid}.` }
  }
  const value = text.trim() === '' ? Number.NaN : Number(text)
  return checkNumber(key, definition, value, text) ?? value
}

/** The problems of each value alone, in the table's order. */
export function checkValues<Key extends string>(
  definitions: Readonly<Record<Key, SettingDefinition>>,
  values: Readonly<Record<Key, SettingValue>>,
): SettingProblem[] {
  const problems: SettingProblem[] = []
  for (const key of Object.keys(definitions) as Key[]) {
    const definition = definitions[key]
    const value = values[key]
    const checked =
      definition.kind === 'choice'
        ? parseValue(key, definition, String(value))
        : checkNumber(key, definition, value as number)
    if (checked !== undefined && isSettingProblem(checked)) problems.push(checked)
  }
  return problems
}

function checkNumber(
  key: string,
  { minimum, maximum, integer, multipleOf, powerOfTwo }: NumberSetting,
  value: number,
  text = String(value),
): SettingProblem | undefined {
  if (!Number.isFinite(value)) return { key, message: `${key} = "${text}" is not a number.` }
  if (value < minimum || value > maximum) {
    return { key, message: `${key} = ${text} is outside its range ${minimum} to ${maximum}.` }
  }
  if (integer && !Number.isInteger(value))
    return { key, message: `${key} = ${text} has to be a whole number.` }
  if (multipleOf && value % multipleOf !== 0) {
    return { key, message: `${key} = ${text} has to be a multiple of ${multipleOf}.` }
  }
  if (powerOfTwo && !Number.isInteger(Math.log2(value))) {
    return { key, message: `${key} = ${text} has to be a power of two.` }
  }
  return undefined
}
