/** What a file of observations looks like. */
import { List, Modal, Text } from '@mantine/core'

export function FileFormatDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Files of (A, y) pairs" size="lg">
      <Text size="sm" mb="xs">
        Observations y = A x + noise of points x that you never see. The file stays on this device. Choose it
        with “File…”, or drop it on these buttons. n is 2 to 8 and m is 1 to n; scale your data so that x lies
        within about ±2. Set the observation noise σ<sub>y</sub> to that of your data.
      </Text>
      <List size="sm" spacing="xs">
        <List.Item>
          <b>.csv</b>: one pair a line, the m × n numbers of A row by row, then the m numbers of y. A first
          line may name the columns A11, A12, …, y1, …; without it, set n and m on this page first.
        </List.Item>
        <List.Item>
          <b>.json</b>: {'{ "A": [[[…], …], …], "y": [[…], …] }'} with A of shape [N, m, n] and y of shape [N,
          m].
        </List.Item>
        <List.Item>
          <b>.safetensors</b>: tensors A [N, m, n] and y [N, m], 32 or 64 bit.
        </List.Item>
      </List>
    </Modal>
  )
}
