/** The list of keys of the lab that is shown. */
import { Group, Kbd, Modal, Table } from '@mantine/core'
import type { LabName } from '../../store/route'
import { shortcutHelp } from './shortcuts'

interface ShortcutHelpProps {
  readonly lab: LabName
  readonly opened: boolean
  readonly onClose: () => void
}

export function ShortcutHelp({ lab, opened, onClose }: ShortcutHelpProps) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" centered>
      <Table>
        <Table.Tbody>
          {shortcutHelp[lab].map(({ keys, action }) => (
            <Table.Tr key={action}>
              <Table.Td w={120}>
                <Group gap={4}>
                  {keys.map((key) => (
                    <Kbd key={key}>{key}</Kbd>
                  ))}
                </Group>
              </Table.Td>
              <Table.Td>{action}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  )
}
