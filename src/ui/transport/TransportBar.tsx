/**
 * The bar at the bottom of every lab: Run or Pause, single steps, Reset, progress with the time left, and a scrubber
 * over what was computed. It knows nothing of any lab.
 */
import { Button, Group, Progress, Slider, Text, Tooltip } from '@mantine/core'
import {
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconPlayerSkipForward,
  IconRefresh,
} from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { formatDuration } from '../format'
import { Subscripts } from '../math/Subscripts'
import classes from './transport.module.css'

export interface TransportStep {
  readonly label: string
  readonly hint: string
  readonly testId: string
  /** Why it cannot be done now. */
  readonly unavailable?: string | undefined
  readonly icon?: ReactNode
  /** Only the icon is shown; the label is its name. */
  readonly iconOnly?: boolean
  readonly onClick: () => void
}

export interface TransportProgress {
  readonly label: string
  /** 0..1; undefined while it is unknown. */
  readonly fraction: number | undefined
  readonly secondsLeft: number | undefined
}

export interface TransportScrubber {
  /** Largest position that was computed; -1 for none. */
  readonly newest: number
  /** Position that a whole run ends at. */
  readonly last: number
  /** Null follows the newest. */
  readonly selected: number | null
  /** What a position is: "Iteration". */
  readonly name: string
  /** A position in words: "Iteration 3 of 8". */
  readonly label: (position: number) => string
  /** Shown while nothing was computed. */
  readonly empty: string
  /** For the button that follows the newest again, and what is said beside the newest. */
  readonly newestLabel: string
  readonly atNewest: string
  readonly onSelect: (position: number | null) => void
}

interface TransportBarProps {
  readonly running: boolean
  /** For the main button: "Run", "Resume". */
  readonly runLabel: string
  /** What the main button does. */
  readonly runHint: string
  readonly runUnavailable?: string | undefined
  readonly onRun: () => void
  readonly onPause: () => void
  readonly steps: readonly TransportStep[]
  readonly reset: TransportStep
  /** Stops the step under way at once; undefined while there is none. */
  readonly onCancel?: (() => void) | undefined
  /** What cancelling does. */
  readonly cancelHint?: string
  /** The step under way cannot be paused, only cancelled. */
  readonly unpausable?: boolean
  /** One short sentence, announced to screen readers. */
  readonly status: string
  readonly progress: TransportProgress | null
  readonly scrubber: TransportScrubber
}

export function TransportBar(props: TransportBarProps) {
  const { running, runLabel, runHint, runUnavailable, onRun, onPause, unpausable, onCancel } = props
  const { steps, reset, status, progress, scrubber } = props
  const { cancelHint = 'Stop the step under way at once; complete iterations stay.' } = props
  return (
    <div
      className={classes.bar}
      role="region"
      aria-label="Transport"
      data-testid="transport"
      data-tour="transport"
    >
      <Group gap={6} wrap="nowrap" className={classes.buttons}>
        {running && !unpausable ? (
          <Button
            onClick={onPause}
            leftSection={<IconPlayerPauseFilled size={16} />}
            w={126}
            px="xs"
            data-testid="pause"
          >
            Pause
          </Button>
        ) : (
          <ReasonedButton
            step={{
              label: runLabel,
              hint: runHint,
              testId: 'run',
              unavailable: runUnavailable,
              onClick: onRun,
            }}
            leftSection={<IconPlayerPlayFilled size={16} />}
            w={126}
            px="xs"
          />
        )}
        {steps.map((step) => (
          <ReasonedButton
            key={step.testId}
            step={step}
            variant="default"
            px="xs"
            sectionClassName={step.iconOnly ? undefined : classes.stepIcon}
            className={onCancel ? classes.wideOnly : undefined}
            leftSection={step.icon ?? <IconPlayerSkipForward size={15} />}
          />
        ))}
        {onCancel && (
          <ReasonedButton
            step={{
              label: 'Cancel',
              hint: cancelHint,
              testId: 'cancel',
              onClick: onCancel,
            }}
            variant="default"
            px="xs"
          />
        )}
        <ReasonedButton
          step={reset}
          variant="subtle"
          px="xs"
          sectionClassName={classes.stepIcon}
          leftSection={reset.icon ?? <IconRefresh size={16} />}
        />
      </Group>
      <div className={classes.progress}>
        <Group justify="space-between" wrap="nowrap" gap="xs">
          <Text size="xs" truncate role="status" data-testid="status">
            {status}
          </Text>
          <Text size="xs" c="dimmed" className={classes.numbers} data-testid="time-left">
            {progress?.secondsLeft !== undefined && `${formatDuration(progress.secondsLeft)} left`}
          </Text>
        </Group>
        <Progress
          value={100 * (progress?.fraction ?? 0)}
          size="sm"
          mt={4}
          animated={running && progress?.fraction === undefined}
          aria-label="Progress"
          transitionDuration={150}
        />
      </div>
      <Scrubber {...scrubber} />
    </div>
  )
}

/** More marks than this run together. */
const MOST_MARKS = 33

interface ReasonedButtonProps {
  readonly step: TransportStep
  readonly variant?: string
  readonly leftSection?: ReactNode
  readonly w?: number
  readonly px?: string
  readonly className?: string | undefined
  /** For the icon beside the label. */
  readonly sectionClassName?: string | undefined
}

/** A button that can be focused while it is unavailable, to say why. */
function ReasonedButton({ step, sectionClassName, ...rest }: ReasonedButtonProps) {
  const unavailable = step.unavailable !== undefined
  return (
    <Tooltip label={step.unavailable ?? step.hint} openDelay={300}>
      <Button
        {...rest}
        classNames={sectionClassName ? { section: sectionClassName } : undefined}
        data-testid={step.testId}
        data-disabled={unavailable || undefined}
        aria-disabled={unavailable}
        aria-label={step.label}
        onClick={(event) => (unavailable ? event.preventDefault() : step.onClick())}
      >
        {step.iconOnly ? null : step.label}
      </Button>
    </Tooltip>
  )
}

function Scrubber(scrubber: TransportScrubber) {
  const { newest, last, selected, onSelect, name, label, empty, newestLabel, atNewest } = scrubber
  const position = selected ?? Math.max(0, newest)
  return (
    <div className={classes.scrubber} data-testid="scrubber">
      <Group justify="space-between" wrap="nowrap" gap="xs" h={22}>
        <Text size="xs" className={classes.numbers} data-testid="scrubber-label">
          <Subscripts text={newest < 0 ? empty : label(position)} />
        </Text>
        {newest >= 0 &&
          (selected === null ? (
            <Text size="xs" c="dimmed" className={classes.numbers} data-testid="following">
              {atNewest}
            </Text>
          ) : (
            <Button variant="light" size="compact-xs" onClick={() => onSelect(null)} data-testid="newest">
              {newestLabel}
            </Button>
          ))}
      </Group>
      <Slider
        size="sm"
        mt={4}
        min={0}
        max={Math.max(1, last, newest)}
        step={1}
        disabled={newest < 1}
        value={position}
        thumbSize={16}
        marks={newest < MOST_MARKS ? Array.from({ length: newest + 1 }, (_, value) => ({ value })) : []}
        label={null}
        thumbLabel={name}
        thumbValueText={newest < 0 ? empty : label(position)}
        onChange={(to) => onSelect(to >= newest ? null : to)}
      />
    </div>
  )
}
