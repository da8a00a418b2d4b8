/** A link or a command line in a dialog, to copy. */
import { Button, Code, CopyButton, Group, Modal, Text } from '@mantine/core'
import type { ReactNode } from 'react'

export interface SharedTextProps {
  readonly title: string | undefined
  /** Null while nothing is shared. */
  readonly text: string | null
  readonly onClose: () => void
  /** What it brings back, and what not. */
  readonly children: ReactNode
}

export function SharedTextDialog({ title, text, onClose, children }: SharedTextProps) {
  return (
    <Modal opened={text !== null} onClose={onClose} title={title} size="lg" centered>
      <Code block style={{ whiteSpace: 'pre-wrap', wordBreak: 'break-all' }} data-testid="shared-text">
        {text}
      </Code>
      <Group justify="space-between" mt="sm">
        <Text size="xs" c="dimmed">
          {children}
        </Text>
        <CopyButton value={text ?? ''}>
          {({ copied, copy }) => (
            <Button size="xs" onClick={copy} data-autofocus>
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </Group>
    </Modal>
  )
}
