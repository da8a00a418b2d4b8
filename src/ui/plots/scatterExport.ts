/** A scatter plot's look in a theme, and the plot as a PNG of its own. */
import { colours, fontFamily, type ColourScheme } from '../theme'
import { drawScatter, sampleCount, scatterHeight } from './scatterCanvas'
import type { ScatterContent, ScatterStyle } from './scatterTypes'

/** `samples`: the colour of the method that made them. */
export function scatterStyle(scheme: ColourScheme, samples: string): ScatterStyle {
  const { truth, observation, text, dimmed, frame, grid, panel } = colours[scheme]
  return { truth, samples, observation, text, dimmed, frame, grid, panel, fontFamily }
}

export interface ExportLegend {
  readonly colour: string
  readonly label: string
}

const SIDE = 900
const SCALE = 2
const LINE = 24

/** The plot on white paper below its legend. Errors: the browser cannot encode so large a picture. */
export async function scatterToPng(
  content: ScatterContent,
  style: ScatterStyle,
  legend: readonly ExportLegend[],
): Promise<Blob> {
  const head = LINE * legend.length + 14
  const canvas = document.createElement('canvas')
  canvas.width = SIDE * SCALE
  canvas.height = (scatterHeight(SIDE) + head) * SCALE
  const context = canvas.getContext('2d')!
  context.fillStyle = '#ffffff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.setTransform(SCALE, 0, 0, SCALE, 0, 0)
  context.font = `14px ${fontFamily}`
  context.textBaseline = 'middle'
  legend.forEach(({ colour, label }, k) => {
    const y = 12 + LINE * (k + 0.5)
    context.fillStyle = colour
    context.fillRect(34, y - 7, 13, 13)
    context.fillStyle = style.text
    context.fillText(label, 54, y)
  })
  // A layer of its own, because points are drawn on device pixels from the layer's corner.
  const layer = document.createElement('canvas')
  layer.width = SIDE * SCALE
  layer.height = scatterHeight(SIDE) * SCALE
  const layerContext = layer.getContext('2d')!
  layerContext.setTransform(SCALE, 0, 0, SCALE, 0, 0)
  const pixels = { samples: new Float32Array(3 * sampleCount(content)), count: 0 }
  drawScatter(layerContext, SIDE, SCALE, content, style, pixels)
  context.drawImage(layer, 0, head, SIDE, scatterHeight(SIDE))
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture could not be encoded.'))))
  })
}
