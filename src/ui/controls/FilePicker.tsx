/** A hidden file input behind any button; choosing the same file twice counts twice. */
import { useRef, type ReactNode } from 'react'

interface FilePickerProps {
  readonly accept: string
  readonly label: string
  readonly testId: string
  readonly onFile: (file: File) => void
  readonly children: (open: () => void) => ReactNode
}

export function FilePicker({ accept, label, testId, onFile, children }: FilePickerProps) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={input}
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
      {children(() => input.current!.click())}
    </>
  )
}
