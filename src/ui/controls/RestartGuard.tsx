/** Asks before a change throws iterations away. One dialog for the page; controls call `useRestartGuard`. */
import { createContext, useCallback, useContext, useState, type ReactNode } from 'react'
import type { LabStore } from '../labs'
import { lazyDialog } from '../lazyPart'

const RestartDialog = lazyDialog(
  async () => (await import('./RestartDialog')).RestartDialog,
  ({ opened }) => opened,
)

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
  return (
    <GuardContext value={guard}>
      {children}
      <RestartDialog
        opened={opened}
        iterations={pending?.labs.reduce((sum, lab) => sum + lab.getState().iterations.length, 0) ?? 0}
        action={pending?.action}
        onKeep={close}
        onRestart={confirm}
      />
    </GuardContext>
  )
}

/** Whether something would be lost by a restart. */
function hasWork(lab: LabStore): boolean {
  const { iterations, status } = lab.getState()
  return iterations.length > 0 || status === 'paused' || status === 'running'
}
