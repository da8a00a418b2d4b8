/** Where the image comes from: a bundled one, a file, the clipboard, or the camera. It stays on the device. */
import { Button, Group, Text, UnstyledButton } from '@mantine/core'
import { IconCamera, IconCrop, IconLock, IconUpload } from '@tabler/icons-react'
import { useStore } from 'zustand'
import type { CatalogueEntry, ImageSource } from '../../store/images/types'
import { useFilePicker } from '../controls/useFilePicker'
import { ProblemCard } from '../ProblemAlert'
import { whyBusy } from './busy'
import classes from './images.module.css'
import { PictureCanvas } from './PictureCanvas'
import type { ImagesStore } from './stores'

export type OpenImage = (blob: Blob, kind: ImageSource['kind'], name: string) => void

interface ImageChooserProps {
  readonly lab: ImagesStore
  readonly onOpen: OpenImage
  readonly onCamera: () => void
  readonly onCrop: () => void
}

export function ImageChooser({ lab, onOpen, onCamera, onCrop }: ImageChooserProps) {
  const images = useStore(lab, (state) => state.catalogue.images)
  // Of the list, while the contract is on its way.
  const channels = useStore(
    lab,
    ({ model, catalogue, settings }) =>
      model.contract?.image.channels ??
      catalogue.models.find(({ name }) => name === settings.model)?.channels,
  )
  const chosen = useStore(lab, (state) => state.settings.image)
  const source = useStore(lab, (state) => state.source)
  const busy = useStore(lab, whyBusy)
  const problem = useStore(lab, ({ problem }) => (problem?.place === 'data' ? problem : null))
  const picker = useFilePicker({
    accept: 'image/*',
    label: 'Open an image',
    testId: 'image-file',
    onFile: (file) => onOpen(file, 'upload', file.name),
  })
  const fitting = images.filter((image) => channels === undefined || image.channels === channels)
  const own = source !== null && source.kind !== 'bundled' ? source : null
  const cropped = source !== null && source.original.width !== source.original.height
  const disabled = busy !== undefined
  return (
    <div>
      <div className={classes.thumbnails} role="group" aria-label="Image">
        {own && (
          <div className={classes.thumbnail} role="img" aria-label={`Your image: ${own.name}`} data-chosen>
            <PictureCanvas picture={own.truth} label="" />
          </div>
        )}
        {fitting.map((image) => (
          <Thumbnail
            key={image.name}
            image={image}
            checked={own === null && image.name === chosen}
            disabled={disabled}
            onChoose={() => void lab.getState().chooseBundledImage(image.name)}
          />
        ))}
      </div>
      {picker.input}
      <Group gap={6} mt={8}>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconUpload size={15} />}
          disabled={disabled}
          onClick={picker.open}
          data-testid="upload"
        >
          Your image…
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconCamera size={15} />}
          disabled={disabled}
          onClick={onCamera}
          data-testid="camera"
        >
          Camera
        </Button>
        {(own !== null || cropped) && (
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconCrop size={15} />}
            disabled={disabled}
            onClick={onCrop}
            data-testid="crop"
          >
            Crop
          </Button>
        )}
      </Group>
      {problem && (
        <div className={classes.problem}>
          <ProblemCard problem={problem} onDismiss={lab.getState().dismissProblem} />
        </div>
      )}
      <Text size="xs" c="dimmed" mt={6} className={classes.privacy}>
        <IconLock size={13} aria-hidden /> Your image never leaves this device. Drop one anywhere on the page,
        or paste it.
      </Text>
    </div>
  )
}

interface ThumbnailProps {
  readonly image: CatalogueEntry
  readonly checked: boolean
  readonly disabled: boolean
  readonly onChoose: () => void
}

function Thumbnail({ image, checked, disabled, onChoose }: ThumbnailProps) {
  const { name, title, file, author, licence, source, channels } = image
  return (
    <UnstyledButton
      aria-pressed={checked}
      aria-label={title}
      aria-disabled={disabled || undefined}
      title={`${title}. ${author ? `${author}, ` : ''}${licence}. ${source}`}
      className={classes.thumbnail}
      onClick={() => !disabled && onChoose()}
      data-testid={`image-${name}`}
    >
      <img
        src={`${import.meta.env.BASE_URL}images/${file}`}
        alt=""
        loading="lazy"
        draggable={false}
        data-pixelated={channels === 1 || undefined}
      />
    </UnstyledButton>
  )
}
