/** One setting: symbol, name, value, slider or choice; its range and what it does on hover and for screen readers. */
import { ActionIcon, Group, Select, Slider, Text, TextInput, Tooltip, VisuallyHidden } from '@mantine/core'
import { IconDice5 } from '@tabler/icons-react'
import { useId, useState, type ReactNode } from 'react'
import {
  isSettingProblem,
  parseValue,
  type ChoiceSetting,
  type NumberSetting,
  type SettingDefinition,
  type SettingValue,
} from '../../experiments/settings'
import { formatValue } from '../format'
import { Subscripts } from '../math/Subscripts'
import { Tex } from '../math/Tex'
import classes from './controls.module.css'
import { positionOf, settingStops, stopAt } from './stops'

/** What became of a change: why it was refused, or null. A control then shows the stored value again. */
export type Outcome = string | null

export interface SettingControlProps {
  /** The setting's name in the URL; its field is found by `setting-<name>` in tests. */
  readonly name: string
  readonly definition: SettingDefinition
  readonly value: SettingValue
  /** Cannot be changed now. */
  readonly disabled?: boolean
  /** Why it has no effect at present. */
  readonly unused?: string | undefined
  /** Offers another random value. */
  readonly random?: boolean
  /** Colours of choices that have one. */
  readonly colourOf?: (option: string) => string | undefined
  /** Why a choice cannot be taken at present. */
  readonly whyNot?: (option: string) => string | undefined
  /** Takes a valid value; may ask first. */
  readonly onChange: (value: SettingValue) => Outcome | Promise<Outcome>
  /** Follows a slider while it moves; `onChange` comes when it is let go. */
  readonly onDrag?: (value: number) => void
}

interface Change {
  readonly apply: (value: SettingValue) => void
  /** Why the last value was refused. */
  readonly error: string | null
  readonly setError: (error: string | null) => void
  /** Grows when the control has to show the stored value again. */
  readonly revision: number
}

function useChange(onChange: SettingControlProps['onChange']): Change {
  const [error, setError] = useState<string | null>(null)
  const [revision, setRevision] = useState(0)
  const apply = async (value: SettingValue) => {
    const refusal = await onChange(value)
    setError(refusal)
    if (refusal === null) setRevision((count) => count + 1)
  }
  return { apply: (value) => void apply(value), error, setError, revision }
}

/** A message with the names that stand on the page instead of those of the command line. */
function inWords(message: string, definitions: Readonly<Record<string, SettingDefinition>>): string {
  return message.replace(/\b([A-Za-z0-9]+) = /g, (match, name: string) =>
    name in definitions ? `${definitions[name]!.label} = ` : match,
  )
}

/** The outcome of a change that a store answered with `messages`. */
export function outcomeOf(
  messages: readonly string[],
  definitions: Readonly<Record<string, SettingDefinition>>,
): Outcome {
  return messages.length === 0 ? null : inWords(messages.join(' '), definitions)
}

/** A value as a reader knows it: a number, or a choice's label. */
export function valueLabel(definition: SettingDefinition, value: SettingValue): string {
  if (definition.kind === 'number') return formatValue(value as number)
  return definition.options.find((option) => option.value === value)?.label ?? String(value)
}

export function SettingControl(props: SettingControlProps) {
  const { definition } = props
  return definition.kind === 'choice' ? (
    <ChoiceControl {...props} definition={definition} />
  ) : (
    <NumberControl {...props} definition={definition} />
  )
}

type NumberControlProps = SettingControlProps & { readonly definition: NumberSetting }

function NumberControl(props: NumberControlProps) {
  const { name, definition, disabled = false, unused, random, onDrag } = props
  const value = props.value as number
  const { apply, error, setError, revision } = useChange(props.onChange)
  const id = useId()
  // What is being typed or dragged; null shows the stored value.
  const [draft, setDraft] = useState<string | null>(null)
  const [settled, setSettled] = useState({ value, revision })
  if (settled.value !== value || settled.revision !== revision) {
    setSettled({ value, revision })
    setDraft(null)
    if (settled.value !== value) setError(null)
  }
  const stops = settingStops(definition)
  const text = draft ?? formatValue(value)
  const shown = draft === null || !Number.isFinite(Number(draft)) ? value : Number(draft)

  const commit = () => {
    if (draft === null) return
    const parsed = parseValue(name, definition, draft.replace(',', '.'))
    if (isSettingProblem(parsed)) setError(inWords(parsed.message, { [name]: definition }))
    else if (parsed === value) discard()
    else apply(parsed)
  }
  const discard = () => {
    setDraft(null)
    setError(null)
  }
  const range = `${formatValue(definition.minimum)} to ${formatValue(definition.maximum)}`
  const description = `${definition.explanation} Range ${range}.`

  return (
    <div className={classes.control} data-unused={unused ? true : undefined}>
      <Group justify="space-between" wrap="nowrap" gap={6}>
        <SettingLabel definition={definition} inputId={id} description={description} unused={unused} />
        <Group gap={2} wrap="nowrap">
          {random && (
            <Tooltip label="Another random seed">
              <ActionIcon
                variant="subtle"
                size="sm"
                disabled={disabled}
                aria-label="Another random seed"
                onClick={() => apply(Math.floor(Math.random() * 1e6))}
              >
                <IconDice5 size={16} />
              </ActionIcon>
            </Tooltip>
          )}
          <TextInput
            id={id}
            size="xs"
            w={92}
            value={text}
            disabled={disabled}
            inputMode="decimal"
            autoComplete="off"
            error={error !== null}
            aria-describedby={`${id}-about${error ? ` ${id}-error` : ''}`}
            data-testid={`setting-${name}`}
            classNames={{ input: classes.valueInput }}
            onChange={(event) => setDraft(event.currentTarget.value)}
            onBlur={commit}
            onKeyDown={(event) => {
              if (event.key === 'Enter') commit()
              if (event.key === 'Escape') discard()
            }}
          />
        </Group>
      </Group>
      {stops && (
        <Slider
          size="xs"
          thumbSize={14}
          mt={5}
          mb={2}
          min={0}
          max={stops.length - 1}
          step={1}
          value={positionOf(shown, stops, definition.scale)}
          disabled={disabled}
          label={(at) => formatValue(stopAt(at, stops))}
          thumbLabel={definition.label}
          thumbValueText={text}
          thumbProps={{ 'aria-describedby': `${id}-about` }}
          onChange={(at) => {
            setDraft(formatValue(stopAt(at, stops)))
            onDrag?.(stopAt(at, stops))
          }}
          onChangeEnd={(at) => apply(stopAt(at, stops))}
        />
      )}
      {error && (
        <Text size="xs" c="var(--mantine-color-error)" id={`${id}-error`} role="alert">
          {error} Still {formatValue(value)}.
        </Text>
      )}
      <VisuallyHidden id={`${id}-about`}>
        {description} {unused}
      </VisuallyHidden>
    </div>
  )
}

type ChoiceControlProps = SettingControlProps & { readonly definition: ChoiceSetting }

function ChoiceControl(props: ChoiceControlProps) {
  const { name, definition, disabled, unused, colourOf, whyNot } = props
  const value = props.value as string
  const change = useChange(props.onChange)
  const id = useId()
  const dot = (option: string) => {
    const colour = colourOf?.(option)
    return colour && <span className={classes.dot} style={{ background: colour }} aria-hidden />
  }
  const chosen = definition.options.find((option) => option.value === value)
  return (
    <div className={classes.control} data-unused={unused ? true : undefined}>
      <SettingLabel
        definition={definition}
        inputId={id}
        description={definition.explanation}
        unused={unused}
      />
      <Select
        key={change.revision}
        id={id}
        size="xs"
        mt={3}
        disabled={disabled}
        data={definition.options.map((option) => ({
          value: option.value,
          label: option.label,
          disabled: whyNot?.(option.value) !== undefined,
        }))}
        value={value}
        allowDeselect={false}
        leftSection={dot(value)}
        aria-describedby={`${id}-about`}
        data-testid={`setting-${name}`}
        comboboxProps={{ width: 280, position: 'bottom-start' }}
        maxDropdownHeight={420}
        error={change.error}
        onChange={(next) => next && change.apply(next)}
        renderOption={({ option }) => (
          <div>
            <Group gap={6}>
              {dot(option.value)}
              <Text size="xs" fw={600}>
                <Subscripts text={option.label} />
              </Text>
            </Group>
            <Text size="xs" c="dimmed">
              <Subscripts
                text={
                  whyNot?.(option.value) ??
                  definition.options.find((each) => each.value === option.value)?.explanation ??
                  ''
                }
              />
            </Text>
          </div>
        )}
      />
      <VisuallyHidden id={`${id}-about`}>
        {definition.explanation} {chosen?.explanation} {unused}
      </VisuallyHidden>
    </div>
  )
}

interface SettingLabelProps {
  readonly definition: NumberSetting | ChoiceSetting
  readonly inputId: string
  readonly description: string
  readonly unused?: string | undefined
}

function SettingLabel({ definition, inputId, description, unused }: SettingLabelProps) {
  // A symbol that is set in words repeats the label.
  const symbol = definition.symbol.startsWith('\\text') ? null : <Tex tex={definition.symbol} />
  const tooltip: ReactNode = unused ? `${unused} ${description}` : description
  return (
    <Tooltip label={tooltip} position="right" openDelay={250}>
      <Text component="label" htmlFor={inputId} size="xs" className={classes.label}>
        <span>{definition.label}</span>
        {symbol && <span className={classes.symbol}>{symbol}</span>}
      </Text>
    </Tooltip>
  )
}
