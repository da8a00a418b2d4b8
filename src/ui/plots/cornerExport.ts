/** The corner plot's look in a theme, and the plot as a PNG of its own. */
import { colours, fontFamily, sequentialRamp, type ColourScheme } from '../theme'
import { drawCorner, type CornerContent, type CornerStyle } from './cornerCanvas'

const styles = new Map<string, CornerStyle>()

/** `learned`: the colour of the run that is drawn below the diagonal. The same arguments give the same object. */
export function cornerStyle(scheme: ColourScheme, learned: string): CornerStyle {
  const key = `${scheme} ${learned}`
  const known = styles.get(key)
  if (known) return known
  const { truth, observation, text, dimmed, frame, grid, panel } = colours[scheme]
  const style = {
    truthRamp: sequentialRamp(truth, scheme),
    learnedRamp: sequentialRamp(learned, scheme),
    truth,
    learned,
    points: observation,
    text,
    dimmed,
    frame,
    grid,
    panel,
    fontFamily,
  }
  styles.set(key, style)
  return style
}

const EXPORT_SIDE = 900
const EXPORT_SCALE = 2
const TITLE_HEIGHT = 40

/** The plot on white paper, with a legend above it. Errors: the browser cannot encode so large a picture. */
export function cornerToPng(
  content: CornerContent,
  style: CornerStyle,
  title: readonly string[],
): Promise<Blob> {
  const canvas = document.createElement('canvas')
  canvas.width = EXPORT_SIDE * EXPORT_SCALE
  canvas.height = (EXPORT_SIDE + TITLE_HEIGHT) * EXPORT_SCALE
  const context = canvas.getContext('2d')!
  context.fillStyle = '#ffffff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.setTransform(EXPORT_SCALE, 0, 0, EXPORT_SCALE, 0, 0)
  context.font = `14px ${fontFamily}`
  context.textBaseline = 'middle'
  let x = 36
  for (const [colour, label] of [
    [style.learned, 'learned'],
    [style.truth, 'truth'],
  ] as const) {
    if (label === 'truth' && !content.truth) continue
    context.fillStyle = colour
    context.fillRect(x, 16, 13, 13)
    context.fillStyle = style.text
    context.fillText(label, x + 20, 23)
    x += 36 + context.measureText(label).width
  }
  context.textAlign = 'right'
  context.fillText(title.join(', '), EXPORT_SIDE - 36, 23)
  // A layer of its own, because drawing a corner clears its ground.
  const layer = document.createElement('canvas')
  layer.width = EXPORT_SIDE * EXPORT_SCALE
  layer.height = layer.width
  const layerContext = layer.getContext('2d')!
  layerContext.scale(EXPORT_SCALE, EXPORT_SCALE)
  drawCorner(layerContext, EXPORT_SIDE, content, style)
  context.drawImage(layer, 0, TITLE_HEIGHT, EXPORT_SIDE, EXPORT_SIDE)
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture could not be encoded.'))))
  })
}
