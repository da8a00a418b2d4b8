/** The image itself: what nobody would have, were it measured in earnest. */
import { Text } from '@mantine/core'
import { useStore } from 'zustand'
import { download } from '../download'
import { Figure } from '../plots/Figure'
import { fileStem } from './fileNames'
import { PictureCanvas } from './PictureCanvas'
import pictures from './pictures.module.css'
import type { ImagesStore } from './stores'

export function OriginalFigure({ lab }: { lab: ImagesStore }) {
  const source = useStore(lab, (state) => state.source)
  const title = useStore(lab, ({ catalogue, source: shown }) =>
    shown?.kind === 'bundled'
      ? (catalogue.images.find(({ name }) => name === shown.name)?.title ?? shown.name)
      : shown?.name,
  )
  const hidden = useStore(lab, (state) => state.hidden.has('export'))
  const save = async () =>
    download(await lab.getState().exportPicture('original'), `${fileStem(lab.getState())}-original.png`)
  return (
    <Figure
      testId="figure-original"
      title="Original"
      onExport={source && !hidden ? save : undefined}
      exportLabel="Save the original as PNG"
      caption={
        source
          ? `${title}, ${source.truth.width} × ${source.truth.height} pixels. No method sees it; it is here to compare with.`
          : 'No method sees it; it is here to compare with.'
      }
    >
      <div className={pictures.frame}>
        {source ? (
          <PictureCanvas picture={source.truth} label={`Original: ${title}`} testId="original" />
        ) : (
          <div className={pictures.empty}>
            <Text size="xs" c="dimmed">
              Choose an image, or drop one here.
            </Text>
          </div>
        )}
      </div>
    </Figure>
  )
}
