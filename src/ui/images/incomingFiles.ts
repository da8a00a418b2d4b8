/** Files that are dropped or pasted anywhere on the page, sorted into an image or a model. */
import { useEffect, useState } from 'react'

export type IncomingFiles =
  | { readonly kind: 'image'; readonly file: File }
  | { readonly kind: 'model'; readonly files: readonly File[] }
  | { readonly kind: 'nothing' }

/** Parts of a model: the graph, its contract, and weights beside it. */
const MODEL = /\.(onnx|json|data|bin|weights|onnx_data|pb)$/i

/** A model where an .onnx (or its contract) is among the files; else the first file, whatever it claims to be. */
export function sortFiles(files: readonly File[]): IncomingFiles {
  const parts = files.filter(({ name }) => MODEL.test(name))
  if (parts.some(({ name }) => /\.(onnx|json)$/i.test(name))) return { kind: 'model', files: parts }
  const image = files.find(({ type }) => type.startsWith('image/')) ?? files[0]
  return image ? { kind: 'image', file: image } : { kind: 'nothing' }
}

/** Calls `onFiles` for files that are dropped or pasted; tells whether files are being dragged over the page. */
export function useIncomingFiles(onFiles: (files: readonly File[], how: 'drop' | 'paste') => void): boolean {
  const [over, setOver] = useState(false)
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true
    const onOver = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      setOver(true)
    }
    const onLeave = (event: DragEvent) => {
      // Leaving one element for another comes with the other; leaving the window comes with none.
      if (event.relatedTarget === null) setOver(false)
    }
    const onDrop = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      setOver(false)
      onFiles([...(event.dataTransfer?.files ?? [])], 'drop')
    }
    const onPaste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])]
      if (files.length === 0) return
      event.preventDefault()
      onFiles(files, 'paste')
    }
    document.addEventListener('dragover', onOver)
    document.addEventListener('dragleave', onLeave)
    document.addEventListener('drop', onDrop)
    document.addEventListener('paste', onPaste)
    return () => {
      document.removeEventListener('dragover', onOver)
      document.removeEventListener('dragleave', onLeave)
      document.removeEventListener('drop', onDrop)
      document.removeEventListener('paste', onPaste)
    }
  }, [onFiles])
  return over
}
