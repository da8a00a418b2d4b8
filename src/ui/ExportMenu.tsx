/** The header's export button, and the menu that it opens. */
import { Button, Menu } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import type { ReactNode } from 'react'

interface ExportMenuProps {
  readonly label?: string
  readonly width: number
  /** Menu.Item, Menu.Label, Menu.Divider. */
  readonly children: ReactNode
}

export function ExportMenu({ label = 'Export', width, children }: ExportMenuProps) {
  return (
    <Menu position="bottom-end" width={width}>
      <Menu.Target>
        <Button
          variant="default"
          size="xs"
          rightSection={<IconChevronDown size={14} />}
          data-testid="export-menu"
        >
          {label}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  )
}
