/** Export of the pictures, numbers, film, settings, the link and the command line. */
import { Menu } from '@mantine/core'
import { IconFileExport, IconLink, IconMovie, IconPhotoDown, IconTerminal2 } from '@tabler/icons-react'
import { useState } from 'react'
import { useStore } from 'zustand'
import type { ExportedPicture } from '../../store/images/types'
import type { ExportMenuOptions } from '../ExportButton'
import { fileSaver } from '../exportFailure'
import { ExportMenu } from '../ExportMenu'
import { SharedTextModal } from '../SharedTextModal'
import { FilmDialog } from './FilmDialog'
import { fileStem } from './fileNames'
import type { ImagesStore } from './stores'

interface PictureItem {
  readonly which: ExportedPicture
  readonly label: string
  readonly needs: 'result' | 'several' | 'observation'
}

const PICTURES: readonly PictureItem[] = [
  { which: 'restoration', label: 'Restoration (sample 1), PNG', needs: 'result' },
  { which: 'observation', label: 'Observation, PNG', needs: 'observation' },
  { which: 'original', label: 'Original, PNG', needs: 'observation' },
  { which: 'deviation', label: 'Deviation, PNG', needs: 'several' },
  { which: 'mean', label: 'Mean of the samples, PNG', needs: 'several' },
  { which: 'sheet', label: 'All three side by side, PNG', needs: 'result' },
]

export interface ImagesMenuProps extends ExportMenuOptions {
  readonly lab: ImagesStore
}

export function ImagesMenu({ lab, onFailure, defaultOpened }: ImagesMenuProps) {
  const has = {
    result: useStore(lab, (state) => state.run.result !== null),
    several: useStore(lab, (state) => state.run.result !== null && state.run.result.deviation !== null),
    observation: useStore(lab, (state) => state.observation !== null),
  }
  const hasFilm = useStore(lab, (state) => state.run.film.length > 1)
  const own = useStore(lab, (state) => state.source !== null && state.source.kind !== 'bundled')
  const ownModel = useStore(lab, (state) => state.settings.model === 'own')
  const [link, setLink] = useState<string | null>(null)
  const [command, setCommand] = useState<string | null>(null)
  const [filming, setFilming] = useState(false)
  const save = fileSaver(() => fileStem(lab.getState()), onFailure)
  return (
    <>
      <ExportMenu defaultOpened={defaultOpened} width={260}>
        <Menu.Label>Pictures</Menu.Label>
        {PICTURES.map(({ which, label, needs }) => (
          <Menu.Item
            key={which}
            leftSection={<IconPhotoDown size={16} />}
            disabled={!has[needs]}
            onClick={save(which, `-${which}.png`, () => lab.getState().exportPicture(which))}
            data-testid={`export-${which}`}
          >
            {label}
          </Menu.Item>
        ))}
        <Menu.Item
          leftSection={<IconMovie size={16} />}
          disabled={!hasFilm}
          onClick={() => setFilming(true)}
          data-testid="export-film"
        >
          Film of the sampling, WebM…
        </Menu.Item>
        <Menu.Label>Numbers</Menu.Label>
        <Menu.Item
          leftSection={<IconFileExport size={16} />}
          disabled={!has.result}
          onClick={save('numbers', '.csv', () => lab.getState().exportCsv())}
          data-testid="export-csv"
        >
          Numbers of each step, CSV
        </Menu.Item>
        <Menu.Item
          leftSection={<IconFileExport size={16} />}
          onClick={save('settings', '-settings.json', () => lab.getState().exportSettings())}
          data-testid="export-settings"
        >
          Settings, JSON
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>Reproduce</Menu.Label>
        <Menu.Item
          leftSection={<IconLink size={16} />}
          onClick={() => setLink(window.location.href)}
          data-testid="copy-link"
        >
          Link…
        </Menu.Item>
        <Menu.Item
          leftSection={<IconTerminal2 size={16} />}
          onClick={() => setCommand(lab.getState().commandLine())}
          data-testid="copy-command"
        >
          Command line…
        </Menu.Item>
      </ExportMenu>
      {filming && <FilmDialog lab={lab} onClose={() => setFilming(false)} />}
      <SharedTextModal title="Link to these settings" text={link} onClose={() => setLink(null)}>
        Same seeds and settings: the same pictures.
        {own && ' Your own image is not in the link: it never leaves this device.'}
      </SharedTextModal>
      <SharedTextModal
        title="Command line of this restoration"
        text={command}
        onClose={() => setCommand(null)}
      >
        Same seeds and settings: the same pictures, up to rounding. With --compare mmps,dps it compares
        methods.
        {(own || ownModel) &&
          ` Put in the path of your own ${[own && 'picture', ownModel && 'model'].filter(Boolean).join(' and ')}.`}
      </SharedTextModal>
    </>
  )
}
