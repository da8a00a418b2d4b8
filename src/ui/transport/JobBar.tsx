/** Buttons and progress of a long job inside the page: the methods table, Figure 2. */
import { Button, Progress, Text } from '@mantine/core'
import { IconPlayerPauseFilled, IconPlayerPlayFilled, IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { JobState } from '../../store/posteriorTypes'
import { formatDuration } from '../format'
import classes from './transport.module.css'

interface JobBarProps {
  readonly job: JobState
  /** Prefix of the test ids: "table", "figure2". */
  readonly name: string
  readonly runLabel: string
  readonly runUnavailable: boolean
  readonly onRun: () => void
  readonly onPause: () => void
  readonly onCancel: () => void
  /** Further buttons. */
  readonly children?: ReactNode
}

export function JobBar(props: JobBarProps) {
  const { job, name, runLabel, runUnavailable, onRun, onPause, onCancel, children } = props
  const running = job.status === 'running'
  const underWay = running || job.status === 'paused'
  return (
    <div className={classes.jobBar}>
      {running ? (
        <Button
          size="xs"
          leftSection={<IconPlayerPauseFilled size={14} />}
          onClick={onPause}
          data-testid={`${name}-pause`}
        >
          Pause
        </Button>
      ) : (
        <Button
          size="xs"
          leftSection={<IconPlayerPlayFilled size={14} />}
          disabled={runUnavailable}
          onClick={onRun}
          data-testid={`${name}-run`}
        >
          {job.status === 'paused' ? 'Resume' : runLabel}
        </Button>
      )}
      {underWay && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconX size={14} />}
          onClick={onCancel}
          data-testid={`${name}-cancel`}
        >
          Cancel
        </Button>
      )}
      {children}
      <div className={classes.jobProgress}>
        <Text size="xs" c="dimmed" role="status" data-testid={`${name}-status`}>
          {statusText(job)}
        </Text>
        {underWay && (
          <Progress
            size="xs"
            mt={3}
            value={100 * job.fraction}
            aria-label="Progress"
            transitionDuration={150}
          />
        )}
      </div>
    </div>
  )
}

function statusText({ status, label, secondsLeft }: JobState): string {
  const left = secondsLeft === undefined ? '' : ` · ${formatDuration(secondsLeft)} left`
  if (status === 'running') return `${label}${left}`
  if (status === 'paused') return `Paused: ${label}`
  return status === 'finished' ? 'Finished' : ''
}
