/** All samples as PNG, on a sheet of white paper. */
import { canvasOf, drawEnlarged } from '../../store/images/exports'
import type { RunResult } from '../../store/images/types'
import { fontFamily } from '../theme'
import { decibels } from './pictureText'
import { formatMeasure } from '../format'

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
  const { canvas, context } = canvasOf(columns * (SIDE + GAP) + GAP, rows * (SIDE + LABEL + GAP) + GAP)
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
