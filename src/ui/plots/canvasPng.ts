/** A square plot below its legend on white paper, as a PNG at twice the resolution. Units are CSS pixels. */
import { fontFamily } from '../theme'

/** Of the plot, and of the paper's width. */
const SIDE = 900
const SCALE = 2

export interface CanvasPicture {
  /** Height of the legend. */
  readonly head: number
  /** Draws the legend, its text by the middle of its height. `width`: of the paper. */
  readonly drawHead: (context: CanvasRenderingContext2D, width: number) => void
  /** Draws the plot on a layer of its own, from its corner. `scale`: device pixels in a CSS pixel. */
  readonly drawPlot: (layer: CanvasRenderingContext2D, side: number, scale: number) => void
}

/** Errors: the browser cannot encode so large a picture. */
export async function canvasToPng({ head, drawHead, drawPlot }: CanvasPicture): Promise<Blob> {
  const context = scaledContext(SIDE, SIDE + head)
  context.fillStyle = '#ffffff'
  context.fillRect(0, 0, SIDE, SIDE + head)
  context.font = `14px ${fontFamily}`
  context.textBaseline = 'middle'
  drawHead(context, SIDE)
  const layer = scaledContext(SIDE, SIDE)
  drawPlot(layer, SIDE, SCALE)
  context.drawImage(layer.canvas, 0, head, SIDE, SIDE)
  return new Promise((resolve, reject) => {
    context.canvas.toBlob((blob) =>
      blob ? resolve(blob) : reject(new Error('The picture could not be encoded.')),
    )
  })
}

/** Of a new canvas. */
function scaledContext(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement('canvas')
  canvas.width = width * SCALE
  canvas.height = height * SCALE
  const context = canvas.getContext('2d')!
  context.scale(SCALE, SCALE)
  return context
}
