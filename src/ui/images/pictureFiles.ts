/** Pictures of the page as PNG: one in its own pixels, or all samples on a sheet of white paper. */
import { drawEnlarged } from '../../store/images/exports'
import type { Picture, RunResult } from '../../store/images/types'
import { fontFamily } from '../theme'
import { decibels } from './pictureText'
import { formatMeasure } from '../format'

export async function picturePng(picture: Picture): Promise<Blob> {
  const canvas = new OffscreenCanvas(picture.width, picture.height)
  drawEnlarged(contextOf(canvas), picture, 0, 0, Math.max(picture.width, picture.height))
  return await canvas.convertToBlob({ type: 'image/png' })
}

const SIDE = 256
const GAP = 12
const LABEL = 26
const COLUMNS = 6

/** Every sample with its PSNR, their mean, and the deviation with the value that is white. */
export async function samplesPng({ samples, psnr, mean, meanPsnr, deviation }: RunResult): Promise<Blob> {
  const parts = samples.map((picture, k) => ({ picture, label: `sample ${k + 1}, ${decibels(psnr[k]!)}` }))
  if (samples.length > 1) parts.push({ picture: mean, label: `mean, ${decibels(meanPsnr)}` })
  if (deviation) {
    parts.push({
      picture: deviation.picture,
      label: `deviation, white: ${formatMeasure(deviation.maximum)}`,
    })
  }
  const columns = Math.min(COLUMNS, parts.length)
  const rows = Math.ceil(parts.length / columns)
  const canvas = new OffscreenCanvas(columns * (SIDE + GAP) + GAP, rows * (SIDE + LABEL + GAP) + GAP)
  const context = contextOf(canvas)
  context.fillStyle = '#ffffff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.fillStyle = '#1c2430'
  context.font = `14px ${fontFamily}`
  context.textBaseline = 'middle'
  parts.forEach(({ picture, label }, k) => {
    const x = GAP + (k % columns) * (SIDE + GAP)
    const y = GAP + Math.floor(k / columns) * (SIDE + LABEL + GAP)
    drawEnlarged(context, picture, x, y, SIDE)
    context.fillText(label, x, y + SIDE + LABEL / 2, SIDE)
  })
  return await canvas.convertToBlob({ type: 'image/png' })
}

function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext('2d')
  if (!context) throw new Error('The browser gave no canvas: close other tabs and try again.')
  return context
}
