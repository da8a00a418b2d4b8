/** One setting: symbol, name, value, slider or choice; its range and what it does on hover and for screen readers. */
import { ActionIcon, Group, Select, Slider, Text, TextInput, Tooltip, VisuallyHidden } from '@mantine/core'
import { IconDice5 } from '@tabler/icons-react'
import { useId, useState, type ReactNode } from 'react'
import { useStore } from 'zustand'
import {
  isSettingProblem,
  parseSetting,
  settingDefinitions,
  type ChoiceSetting,
  type NumberSetting,
  type SettingKey,
  type SettingValue,
} from '../../experiments/manifold/settings'
import { formatValue, inSentence } from '../format'
import { isBusy, useLabs, useShownLabs, type LabStore } from '../labs'
import { Tex } from '../math/Tex'
import { useColours } from '../useColours'
import { whyFixed, whyUnused } from './relevance'
import { useRestartGuard } from './RestartGuard'
import classes from './controls.module.css'
import { positionOf, settingStops, stopAt } from './stops'

interface Change {
  /** Applies a value, after asking where iterations would be lost. */
  readonly apply: (value: SettingValue) => void
  /** Why the last value was refused. */
  readonly error: string | null
  readonly setError: (error: string | null) => void
  /** Grows when the control has to show the stored value again. */
  readonly revision: number
}

function useChange(lab: LabStore, settingKey: SettingKey): Change {
  const guard = useRestartGuard()
  const { b } = useLabs()
  const shownLabs = useShownLabs()
  const [error, setError] = useState<string | null>(null)
  const [revision, setRevision] = useState(0)
  const definition = settingDefinitions[settingKey]
  const apply = (value: SettingValue) => {
    if (value === lab.getState().settings[settingKey]) return setError(null)
    // Run B follows run A in what it does not have of its own.
    const followed = lab !== b && b.getState().settings[settingKey] === lab.getState().settings[settingKey]
    const affected = followed ? shownLabs : [lab]
    guard({
      labs: settingKey === 'iterations' ? [] : affected,
      action: `Set ${inSentence(definition.label)} to ${labelOf(definition, value)}`,
      apply: () => {
        const messages = lab.getState().change({ [settingKey]: value })
        if (messages.length > 0) return setError(inWords(messages.join(' ')))
        setError(null)
        setRevision((count) => count + 1)
      },
      cancel: () => setRevision((count) => count + 1),
    })
  }
  return { apply, error, setError, revision }
}

/** A message with the names that stand on the page instead of those of the command line. */
function inWords(message: string): string {
  return message.replace(/\b([A-Za-z0-9]+) = /g, (match, name: string) =>
    name in settingDefinitions ? `${settingDefinitions[name as SettingKey].label} = ` : match,
  )
}

function labelOf(definition: NumberSetting | ChoiceSetting, value: SettingValue): string {
  if (definition.kind === 'number') return formatValue(value as number)
  return definition.options.find((option) => option.value === value)?.label ?? String(value)
}

export function SettingControl({ lab, settingKey }: { lab: LabStore; settingKey: SettingKey }) {
  const definition = settingDefinitions[settingKey]
  const value: SettingValue = useStore(lab, (state) => state.settings[settingKey])
  const busy = useStore(lab, isBusy)
  const fixed = useStore(lab, (state) => whyFixed(settingKey, state.dataSource))
  const unused = useStore(lab, (state) => whyUnused(settingKey, state.settings)) ?? fixed
  const change = useChange(lab, settingKey)
  if (definition.kind === 'choice') {
    return (
      <ChoiceControl
        settingKey={settingKey}
        definition={definition}
        value={value as string}
        busy={busy}
        change={change}
      />
    )
  }
  return (
    <NumberControl
      settingKey={settingKey}
      definition={definition}
      value={value as number}
      busy={busy || fixed !== undefined}
      unused={unused}
      change={change}
    />
  )
}

interface NumberControlProps {
  readonly settingKey: SettingKey
  readonly definition: NumberSetting
  readonly value: number
  readonly busy: boolean
  readonly unused: string | undefined
  readonly change: Change
}

function NumberControl({ settingKey, definition, value, busy, unused, change }: NumberControlProps) {
  const { apply, error, setError, revision } = change
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
    const parsed = parseSetting(settingKey, draft.replace(',', '.'))
    if (isSettingProblem(parsed)) setError(inWords(parsed.message))
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
          {settingKey === 'seed' && (
            <Tooltip label="Another random seed">
              <ActionIcon
                variant="subtle"
                size="sm"
                disabled={busy}
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
            disabled={busy}
            inputMode="decimal"
            autoComplete="off"
            error={error !== null}
            aria-describedby={`${id}-about${error ? ` ${id}-error` : ''}`}
            data-testid={`setting-${settingKey}`}
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
          disabled={busy}
          label={(at) => formatValue(stopAt(at, stops))}
          thumbLabel={definition.label}
          thumbValueText={text}
          thumbProps={{ 'aria-describedby': `${id}-about` }}
          onChange={(at) => setDraft(formatValue(stopAt(at, stops)))}
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

interface ChoiceControlProps {
  readonly settingKey: SettingKey
  readonly definition: ChoiceSetting
  readonly value: string
  readonly busy: boolean
  readonly change: Change
}

function ChoiceControl({ settingKey, definition, value, busy, change }: ChoiceControlProps) {
  const id = useId()
  const { covariances } = useColours()
  const dot = (option: string) =>
    settingKey === 'covariance' ? (
      <span
        className={classes.dot}
        style={{ background: covariances[option as keyof typeof covariances] }}
        aria-hidden
      />
    ) : null
  const chosen = definition.options.find((option) => option.value === value)
  return (
    <div className={classes.control}>
      <SettingLabel definition={definition} inputId={id} description={definition.explanation} />
      <Select
        key={change.revision}
        id={id}
        size="xs"
        mt={3}
        disabled={busy}
        data={definition.options.map((option) => ({ value: option.value, label: option.label }))}
        value={value}
        allowDeselect={false}
        leftSection={dot(value)}
        aria-describedby={`${id}-about`}
        data-testid={`setting-${settingKey}`}
        comboboxProps={{ width: 280, position: 'bottom-start' }}
        error={change.error}
        onChange={(next) => next && change.apply(next)}
        renderOption={({ option }) => (
          <div>
            <Group gap={6}>
              {dot(option.value)}
              <Text size="xs" fw={600}>
                {option.label}
              </Text>
            </Group>
            <Text size="xs" c="dimmed">
              {definition.options.find((each) => each.value === option.value)?.explanation}
            </Text>
          </div>
        )}
      />
      <VisuallyHidden id={`${id}-about`}>
        {definition.explanation} {chosen?.explanation}
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
