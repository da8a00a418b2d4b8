/** The manifold lab as the page's frame sees it: the lab itself, and its tools in the header. */
import { Group, Switch } from '@mantine/core'
import { useStore } from 'zustand'
import type { ExportFailure } from '../exportFailure'
import { lazyMenu } from '../ExportButton'
import { Adapter } from '../Header'
import { LabsContext, useComparing, useLabs, useShownLabs } from '../labs'
import { ManifoldLab } from './ManifoldLab'
import type { RunMenuProps } from './RunMenu'
import { manifoldLabs } from './stores'

const RunMenu = lazyMenu<RunMenuProps>(async () => (await import('./RunMenu')).RunMenu)

export function ManifoldPage({ onHelp }: { onHelp: () => void }) {
  return (
    <LabsContext value={manifoldLabs()}>
      <ManifoldLab onHelp={onHelp} />
    </LabsContext>
  )
}

export function ManifoldTools({ onFailure }: { onFailure: ExportFailure }) {
  return (
    <LabsContext value={manifoldLabs()}>
      <Tools onFailure={onFailure} />
    </LabsContext>
  )
}

function Tools({ onFailure }: { onFailure: ExportFailure }) {
  const { a, compare, hidden } = useLabs()
  const labs = useShownLabs()
  const comparing = useComparing()
  const adapter = useStore(a, (state) => state.adapter)
  const gflops = useStore(a, (state) => state.progress?.gflops)
  return (
    <>
      <Adapter adapter={adapter} gflops={gflops} />
      <Switch
        size="sm"
        label="Compare two runs"
        checked={comparing}
        onChange={(event) => compare.getState().setEnabled(event.currentTarget.checked)}
        data-testid="compare"
      />
      {!hidden.has('export') && (
        <Group gap={6}>
          {labs.map((lab) => (
            <RunMenu
              key={lab.getState().slot}
              lab={lab}
              label={comparing ? `Export ${lab.getState().slot.toUpperCase()}` : 'Export'}
              onFailure={onFailure}
            />
          ))}
        </Group>
      )}
    </>
  )
}
