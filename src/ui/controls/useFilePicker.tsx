/** A hidden file input and the function that opens it; choosing the same file twice counts twice. */
import { useCallback, useRef, type ReactNode } from 'react'

interface FilePickerOptions {
  readonly accept: string
  readonly label: string
  readonly testId: string
  /** Several can be chosen at once. */
  readonly multiple?: boolean
  readonly onFile: (file: File, ...others: readonly File[]) => void
}

export function useFilePicker({ accept, label, testId, multiple = false, onFile }: FilePickerOptions): {
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
      multiple={multiple}
      aria-label={label}
      data-testid={testId}
      tabIndex={-1}
      style={{ display: 'none' }}
      onChange={(event) => {
        const [file, ...others] = event.currentTarget.files ?? []
        event.currentTarget.value = ''
        if (file) onFile(file, ...others)
      }}
    />
  )
  return { input, open }
}
