/** What went wrong, why, and the next step, beside the thing that failed. */
import { Alert, Button, Group, Text } from '@mantine/core'
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { useStore } from 'zustand'
import type { Lab, Problem } from '../store/labTypes'
import { useRestartGuard } from './controls/RestartGuard'
import type { LabStore } from './labs'
import type { ReadableStore } from './readableStore'

interface ProblemAlertProps {
  readonly lab: LabStore
  /** Shows the problem only if it belongs to one of these. */
  readonly places: readonly Problem['place'][]
}

export function ProblemAlert({ lab, places }: ProblemAlertProps) {
  const problem = useStore(lab, (state) => state.problem)
  const guard = useRestartGuard()
  if (!problem || !places.includes(problem.place)) return null
  const { run, reset, dismissProblem, slot } = lab.getState()
  return (
    <ProblemCard
      problem={problem}
      title={slot === 'b' ? `Run B: ${problem.title}` : problem.title}
      onDismiss={dismissProblem}
    >
      {(problem.action === 'retry' || problem.action === 'reset') && (
        <Group mt="xs" gap="xs">
          {problem.action === 'retry' && (
            <Button size="xs" onClick={run} data-testid="retry">
              Resume from the last good iteration
            </Button>
          )}
          <Button
            size="xs"
            variant={problem.action === 'reset' ? 'filled' : 'default'}
            onClick={() => guard({ labs: [lab], action: 'Reset', apply: reset })}
            data-testid="problem-reset"
          >
            Reset the run
          </Button>
        </Group>
      )}
    </ProblemCard>
  )
}

interface ProblemCardProps {
  readonly problem: Problem
  readonly title?: string
  readonly onDismiss?: (() => void) | undefined
  /** Buttons that do the next step. */
  readonly children?: ReactNode
}

export function ProblemCard({ problem, title = problem.title, onDismiss, children }: ProblemCardProps) {
  return (
    <Alert
      color="red"
      variant="light"
      role="alert"
      title={title}
      icon={<IconAlertTriangle />}
      withCloseButton={onDismiss !== undefined}
      closeButtonLabel="Dismiss"
      onClose={onDismiss}
      data-testid="problem"
    >
      <Text size="sm">{problem.message}</Text>
      <Text size="sm" fw={500} mt={4}>
        {problem.nextStep}
      </Text>
      {children}
    </Alert>
  )
}

/** Why the CPU computes, and which browser or setting helps. */
export function FallbackBanner({ lab }: { lab: ReadableStore<Pick<Lab, 'fallback'>> }) {
  const fallback = useStore(lab, (state) => state.fallback)
  const [dismissed, setDismissed] = useState<Problem | null>(null)
  if (!fallback || fallback === dismissed) return null
  return (
    <Alert
      variant="default"
      withCloseButton
      closeButtonLabel="Dismiss"
      onClose={() => setDismissed(fallback)}
      title={fallback.title}
      icon={<IconInfoCircle />}
      data-testid="fallback"
    >
      <Text size="sm">{fallback.message}</Text>
      <Text size="sm" fw={500} mt={4}>
        {fallback.nextStep}
      </Text>
    </Alert>
  )
}

/** Things worth knowing that need no action. */
export function Notices({ lab }: { lab: ReadableStore<Pick<Lab, 'notices' | 'dismissNotice'>> }) {
  const notices = useStore(lab, (state) => state.notices)
  return notices.map((notice, index) => (
    <Alert
      key={notice}
      color="gray"
      variant="light"
      py={6}
      icon={<IconInfoCircle />}
      withCloseButton
      closeButtonLabel="Dismiss"
      onClose={() => lab.getState().dismissNotice(index)}
      data-testid="notice"
    >
      <Text size="sm">{notice}</Text>
    </Alert>
  ))
}
