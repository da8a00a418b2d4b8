/** Gives a file to the visitor. */
export function download(content: Blob, fileName: string): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = fileName
  document.body.append(link)
  link.click()
  link.remove()
  // Safari reads the address after the click returns.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
