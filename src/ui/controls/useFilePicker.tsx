/** A hidden file input and the function that opens it; choosing the same file twice counts twice. */
import { useCallback, useRef, type ReactNode } from 'react'

interface FilePickerOptions {
  readonly accept: string
  readonly label: string
  readonly testId: string
  readonly onFile: (file: File) => void
}

export function useFilePicker({ accept, label, testId, onFile }: FilePickerOptions): {
  readonly input: ReactNode
  readonly open: () => void
} {
  const element = useRef<HTMLInputElement>(null)
  const open = useCallback(() => element.current?.click(), [])
  const input = (
    <input
      ref={element}
      type="file"
      accept={accept}
      aria-label={label}
      data-testid={testId}
      tabIndex={-1}
      style={{ display: 'none' }}
      onChange={(event) => {
        const file = event.currentTarget.files?.[0]
        event.currentTarget.value = ''
        if (file) onFile(file)
      }}
    />
  )
  return { input, open }
}
