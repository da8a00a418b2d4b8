/** Exports that no store reports the errors of. */
import { download } from './download'

export type ExportFailure = (title: string, error: unknown) => void

/** What a menu item does: saves content as `stem()` with an ending, or tells why not. `what`: "settings". */
export function fileSaver(stem: () => string, onFailure: ExportFailure) {
  return (what: string, ending: string, content: () => Blob | Promise<Blob>) => async () => {
    try {
      download(await content(), `${stem()}${ending}`)
    } catch (error) {
      onFailure(`The ${what} could not be exported`, error)
    }
  }
}
