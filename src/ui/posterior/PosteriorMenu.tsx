/** Export of the pictures, samples, settings and the link. */
import { Menu } from '@mantine/core'
import { IconFileExport, IconLink } from '@tabler/icons-react'
import { useState } from 'react'
import { useStore } from 'zustand'
import type { PanelName } from '../../store/posteriorTypes'
import type { ExportMenuOptions } from '../ExportButton'
import { fileSaver } from '../exportFailure'
import { ExportMenu } from '../ExportMenu'
import { SharedTextModal } from '../SharedTextModal'
import { fileStem } from './fileNames'
import type { PosteriorStore } from './stores'

const PANELS: readonly { readonly panel: PanelName; readonly side: string }[] = [
  { panel: 'a', side: 'left' },
  { panel: 'b', side: 'right' },
]

export interface PosteriorMenuProps extends ExportMenuOptions {
  readonly lab: PosteriorStore
}

export function PosteriorMenu({ lab, onFailure, defaultOpened }: PosteriorMenuProps) {
  const hasA = useStore(lab, (state) => state.panels.a.result !== null)
  const hasB = useStore(lab, (state) => state.panels.b.result !== null)
  const [link, setLink] = useState<string | null>(null)
  const has = { a: hasA, b: hasB }
  const save = fileSaver(() => fileStem(lab.getState()), onFailure)
  return (
    <>
      <ExportMenu defaultOpened={defaultOpened} width={250}>
        <Menu.Label>Shown frame</Menu.Label>
        {PANELS.map(({ panel, side }) => (
          <Menu.Item
            key={panel}
            leftSection={<IconFileExport size={16} />}
            disabled={!has[panel]}
            onClick={save('samples', `-${panel}-samples.csv`, () => lab.getState().exportSamples(panel))}
            data-testid={`export-samples-${panel}`}
          >
            Samples of the {side} panel, CSV
          </Menu.Item>
        ))}
        <Menu.Label>Pictures: the arrow beside each plot</Menu.Label>
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconFileExport size={16} />}
          onClick={save('settings', '-settings.json', () => lab.getState().exportSettings())}
          data-testid="export-settings"
        >
          Settings, JSON
        </Menu.Item>
        <Menu.Item
          leftSection={<IconLink size={16} />}
          onClick={() => setLink(window.location.href)}
          data-testid="copy-link"
        >
          Link…
        </Menu.Item>
      </ExportMenu>
      <SharedTextModal title="Link to this picture" text={link} onClose={() => setLink(null)}>
        Same seed and settings: the same picture. A learned prior is not in the link.
      </SharedTextModal>
    </>
  )
}
