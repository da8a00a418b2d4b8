/** Saves a table as CSV. */
import { Button } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { download } from '../download'

interface CsvButtonProps {
  readonly content: () => Blob
  readonly fileName: () => string
  readonly testId: string
}

export function CsvButton({ content, fileName, testId }: CsvButtonProps) {
  return (
    <Button
      variant="subtle"
      size="compact-xs"
      leftSection={<IconDownload size={14} />}
      onClick={() => download(content(), fileName())}
      data-testid={testId}
    >
      CSV
    </Button>
  )
}
