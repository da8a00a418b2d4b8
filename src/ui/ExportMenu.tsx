/** The header's export button, and the menu that it opens. */
import { Menu } from '@mantine/core'
import type { ReactNode } from 'react'
import { ExportButton, type ExportMenuOptions } from './ExportButton'

interface ExportMenuProps extends Pick<ExportMenuOptions, 'label' | 'defaultOpened'> {
  readonly width: number
  /** Menu.Item, Menu.Label, Menu.Divider. */
  readonly children: ReactNode
}

export function ExportMenu({ label = 'Export', defaultOpened = false, width, children }: ExportMenuProps) {
  return (
    <Menu position="bottom-end" width={width} defaultOpened={defaultOpened}>
      <Menu.Target>
        <ExportButton>{label}</ExportButton>
      </Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  )
}
