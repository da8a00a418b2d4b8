/** The dialog of a link or a command line, loaded before it is first needed. */
import { lazyDialog } from './lazyPart'

export const SharedTextModal = lazyDialog(
  async () => (await import('./SharedTextDialog')).SharedTextDialog,
  ({ text }) => text !== null,
)
