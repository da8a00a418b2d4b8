/** Export and import of a run, its settings, samples and pictures; its link and its command line. */
import { Menu } from '@mantine/core'
import { IconFileImport, IconFileExport, IconLink, IconTerminal2 } from '@tabler/icons-react'
import { useState } from 'react'
import { useStore } from 'zustand'
import { useRestartGuard } from '../controls/RestartGuard'
import { useFilePicker } from '../controls/useFilePicker'
import type { ExportMenuOptions } from '../ExportButton'
import { fileSaver } from '../exportFailure'
import { ExportMenu } from '../ExportMenu'
import { isBusy, useShownLabs, type LabStore } from '../labs'
import { SharedTextModal } from '../SharedTextModal'
import { runFileStem } from './fileNames'

export interface RunMenuProps extends ExportMenuOptions {
  readonly lab: LabStore
}

export function RunMenu({ lab, onFailure, label, defaultOpened }: RunMenuProps) {
  const shownLabs = useShownLabs()
  const fromFile = useStore(lab, (each) => each.dataSource.kind === 'file')
  const busy = useStore(lab, isBusy)
  const hasSamples = useStore(lab, (state) => state.iterations.length > 0)
  const guard = useRestartGuard()
  const [shared, setShared] = useState<{ title: string; text: string } | null>(null)
  const state = lab.getState
  const save = fileSaver(() => runFileStem(state()), onFailure)
  const importing = (file: File, load: (file: File) => Promise<void>) =>
    guard({
      labs: state().slot === 'a' ? shownLabs : [lab],
      action: `Import ${file.name}`,
      apply: () => void load(file),
    })
  const runPicker = useFilePicker({
    accept: '.safetensors',
    label: 'Import a run',
    testId: 'import-run',
    onFile: (file) => importing(file, state().importRun),
  })
  const settingsPicker = useFilePicker({
    accept: '.json',
    label: 'Import settings',
    testId: 'import-settings',
    onFile: (file) => importing(file, state().importSettings),
  })
  return (
    <>
      {runPicker.input}
      {settingsPicker.input}
      <ExportMenu label={label} defaultOpened={defaultOpened} width={280}>
        <Menu.Label>Save the shown iteration</Menu.Label>
        <Menu.Item
          leftSection={<IconFileExport size={16} />}
          disabled={!hasSamples}
          onClick={save('run', '.safetensors', () => state().exportRun())}
          data-testid="export-run"
        >
          Run: weights, samples, numbers
        </Menu.Item>
        <Menu.Item
          leftSection={<IconFileExport size={16} />}
          disabled={!hasSamples}
          onClick={save('samples', '-samples.csv', () => state().exportSamples('csv'))}
          data-testid="export-csv"
        >
          Samples, CSV
        </Menu.Item>
        <Menu.Item
          leftSection={<IconFileExport size={16} />}
          disabled={!hasSamples}
          onClick={save('samples', '-samples.npy', () => state().exportSamples('npy'))}
          data-testid="export-npy"
        >
          Samples, NumPy
        </Menu.Item>
        <Menu.Item
          leftSection={<IconFileExport size={16} />}
          onClick={save('settings', '-settings.json', () => state().exportSettings())}
          data-testid="export-settings"
        >
          Settings, JSON
        </Menu.Item>
        <Menu.Label>Pictures: the arrow beside each plot</Menu.Label>
        <Menu.Divider />
        <Menu.Label>{busy ? 'Pause the run to import' : 'Load'}</Menu.Label>
        <Menu.Item
          leftSection={<IconFileImport size={16} />}
          disabled={busy}
          onClick={runPicker.open}
          data-testid="import-run-item"
        >
          Import a run…
        </Menu.Item>
        <Menu.Item
          leftSection={<IconFileImport size={16} />}
          disabled={busy}
          onClick={settingsPicker.open}
          data-testid="import-settings-item"
        >
          Import settings…
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>Reproduce</Menu.Label>
        <Menu.Item
          leftSection={<IconLink size={16} />}
          onClick={() => setShared({ title: 'Link to this run', text: window.location.href })}
          data-testid="copy-link"
        >
          Link…
        </Menu.Item>
        <Menu.Item
          leftSection={<IconTerminal2 size={16} />}
          onClick={() => setShared({ title: 'Command line of this run', text: state().commandLine() })}
          data-testid="copy-command"
        >
          Command line…
        </Menu.Item>
      </ExportMenu>
      <SharedTextModal title={shared?.title} text={shared?.text ?? null} onClose={() => setShared(null)}>
        Same seed, settings and adapter: the same numbers to the bit.
        {fromFile && ' The data file has to be there as well: only an exported run contains it.'}
      </SharedTextModal>
    </>
  )
}
