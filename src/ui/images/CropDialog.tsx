/** Which square of the original is taken, with a preview in the model's own pixels. */
import { Button, Group, Modal, Text } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { ReactCrop } from 'react-image-crop'
import 'react-image-crop/dist/ReactCrop.css'
import { useStore } from 'zustand'
import type { Crop, ImageSource, Picture } from '../../store/images/types'
import { SMALLEST_CROP, toCrop, toPercent } from './cropGeometry'
import classes from './images.module.css'
import { PictureCanvas } from './PictureCanvas'
import type { ImagesStore } from './stores'

interface CropDialogProps {
  readonly lab: ImagesStore
  readonly onClose: () => void
}

export function CropDialog({ lab, onClose }: CropDialogProps) {
  const source = useStore(lab, (state) => state.source)
  return (
    <Modal opened={source !== null} onClose={onClose} title="Choose a square" size="lg" centered>
      {source && (
        <Cropping
          key={source.name}
          source={source}
          onUse={(crop) => {
            lab.getState().setCrop(crop)
            onClose()
          }}
          onClose={onClose}
        />
      )}
    </Modal>
  )
}

interface CroppingProps {
  readonly source: ImageSource
  readonly onUse: (crop: Crop) => void
  readonly onClose: () => void
}

function Cropping({ source, onUse, onClose }: CroppingProps) {
  const { original, truth } = source
  const [square, setSquare] = useState(() => toPercent(source.crop, original))
  const crop = toCrop(square, original)
  return (
    <>
      <div className={classes.cropping}>
        <ReactCrop
          crop={square}
          aspect={1}
          keepSelection
          minWidth={24}
          ruleOfThirds
          onChange={(_, percent) => {
            if (percent.width > 0) setSquare({ ...percent, unit: '%' })
          }}
          className={classes.cropArea}
        >
          <PictureCanvas picture={original} label={`${source.name}, whole`} className={classes.cropCanvas} />
        </ReactCrop>
        <div className={classes.cropPreview}>
          <CropPreview original={original} crop={crop} side={truth.width} gray={isGray(truth)} />
          <Text size="xs" c="dimmed" ta="center" mt={4}>
            {truth.width} × {truth.height} pixels
          </Text>
        </div>
      </div>
      <Text size="xs" c="dimmed" mt="xs">
        {crop.side} × {crop.side} of {original.width} × {original.height} pixels. With the keyboard: Tab to
        the square or one of its handles, then the arrow keys (with Shift and Ctrl in larger steps).
      </Text>
      <Group justify="flex-end" mt="sm">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          onClick={() => onUse(crop)}
          disabled={Math.min(original.width, original.height) < SMALLEST_CROP}
          data-testid="use-crop"
          data-autofocus
        >
          Use this square
        </Button>
      </Group>
    </>
  )
}

interface CropPreviewProps {
  readonly original: Picture
  readonly crop: Crop
  readonly side: number
  readonly gray: boolean
}

/** By the browser's own scaling: near enough to choose by. */
function CropPreview({ original, crop, side, gray }: CropPreviewProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const whole = useRef<OffscreenCanvas | null>(null)
  useEffect(() => {
    const { width, height, data } = original
    const drawn = new OffscreenCanvas(width, height)
    drawn.getContext('2d')?.putImageData(new ImageData(data, width, height), 0, 0)
    whole.current = drawn
  }, [original])
  useEffect(() => {
    const context = canvas.current!.getContext('2d')
    if (!context || !whole.current) return
    context.imageSmoothingQuality = 'high'
    context.filter = gray ? 'grayscale(1)' : 'none'
    context.clearRect(0, 0, side, side)
    context.drawImage(whole.current, crop.x, crop.y, crop.side, crop.side, 0, 0, side, side)
  }, [crop.x, crop.y, crop.side, side, gray, original])
  return (
    <canvas
      ref={canvas}
      width={side}
      height={side}
      role="img"
      aria-label="The chosen square as the model sees it"
      style={{ width: '100%', display: 'block', imageRendering: 'pixelated' }}
    />
  )
}

function isGray({ data }: Picture): boolean {
  for (let k = 0; k < data.length; k += 4) {
    if (data[k] !== data[k + 1] || data[k] !== data[k + 2]) return false
  }
  return true
}
