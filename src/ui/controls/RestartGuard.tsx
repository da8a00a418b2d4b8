/** Asks before a change throws iterations away. One dialog for the page; controls call `useRestartGuard`. */
import { Button, Group, Modal, Text } from '@mantine/core'
import { createContext, useCallback, useContext, useState, type ReactNode } from 'react'
import type { LabStore } from '../labs'

export interface RestartRequest {
  /** Runs that would lose their iterations. */
  readonly labs: readonly LabStore[]
  /** What would happen, for the button: "Set σ_y to 0.02". */
  readonly action: string
  readonly apply: () => void
  /** The control shows the present value again. */
  readonly cancel?: () => void
}

type Guard = (request: RestartRequest) => void

const GuardContext = createContext<Guard | null>(null)

export function useRestartGuard(): Guard {
  const guard = useContext(GuardContext)
  if (!guard) throw new Error('RestartGuard has no provider.')
  return guard
}

export function RestartGuard({ children }: { children: ReactNode }) {
  const [pending, setPending] = useState<RestartRequest | null>(null)
  const [opened, setOpened] = useState(false)
  const guard = useCallback<Guard>((request) => {
    if (request.labs.every((lab) => !hasWork(lab))) {
      request.apply()
      return
    }
    setPending(request)
    setOpened(true)
  }, [])
  const close = () => {
    setOpened(false)
    pending?.cancel?.()
  }
  const confirm = () => {
    setOpened(false)
    pending?.apply()
  }
  const lost = pending?.labs.reduce((sum, lab) => sum + lab.getState().iterations.length, 0) ?? 0
  return (
    <GuardContext value={guard}>
      {children}
      <Modal opened={opened} onClose={close} title="This restarts the run" centered size="sm">
        <Text size="sm">
          {lost === 0
            ? 'The step that was paused is forgotten.'
            : `The ${lost === 1 ? 'iteration' : `${lost} iterations`} computed so far ${lost === 1 ? 'is' : 'are'} forgotten.`}{' '}
          Export the run first if you want to keep it.
        </Text>
        <Group mt="md" justify="flex-end">
          <Button variant="default" onClick={close} data-testid="restart-cancel">
            Keep the run
          </Button>
          <Button onClick={confirm} data-testid="restart-confirm" data-autofocus>
            {pending?.action}
          </Button>
        </Group>
      </Modal>
    </GuardContext>
  )
}

/** Whether something would be lost by a restart. */
function hasWork(lab: LabStore): boolean {
  const { iterations, status } = lab.getState()
  return iterations.length > 0 || status === 'paused' || status === 'running'
}
