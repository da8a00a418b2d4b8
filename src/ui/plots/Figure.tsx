/** A plot with its title, a button that exports it, and a caption in words. */
import { ActionIcon, Group, Text, Title, Tooltip } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'

interface FigureProps {
  readonly title: ReactNode
  /** What to see in it, one to three sentences. */
  readonly caption: ReactNode
  readonly children: ReactNode
  /** Between title and export button. */
  readonly tools?: ReactNode
  /** Saves the picture; undefined while there is none. */
  readonly onExport?: (() => Promise<void>) | undefined
  /** For the export button's name. */
  readonly exportLabel?: string
  readonly testId?: string
}

export function Figure({ title, caption, children, tools, onExport, exportLabel, testId }: FigureProps) {
  const [failure, setFailure] = useState<string | null>(null)
  const save = async () => {
    setFailure(null)
    try {
      await onExport?.()
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <figure style={{ margin: 0 }} data-testid={testId}>
      <Group justify="space-between" wrap="nowrap" mb={4} gap="xs" mih={28}>
        <Title order={3} size="sm">
          {title}
        </Title>
        <Group gap={4} wrap="nowrap">
          {tools}
          {onExport && (
            <Tooltip label={exportLabel ?? 'Save as PNG'}>
              <ActionIcon
                variant="subtle"
                size="sm"
                aria-label={exportLabel ?? 'Save as PNG'}
                onClick={() => void save()}
              >
                <IconDownload size={16} />
              </ActionIcon>
            </Tooltip>
          )}
        </Group>
      </Group>
      {failure !== null && (
        <Text size="xs" c="var(--mantine-color-error)" role="alert">
          The picture could not be saved: {failure} Try again, or take a screenshot.
        </Text>
      )}
      {children}
      <Text component="figcaption" size="xs" c="dimmed" mt={4} lh={1.45}>
        {caption}
      </Text>
    </figure>
  )
}
