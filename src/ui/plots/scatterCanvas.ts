/**
 * Draws a scatter plot of Figure 1 on a canvas: the prior's curve, the set A x = y, exact draws and a method's samples
 * over them, and the covariances at one sample.
 */
import { formatCount } from '../format'
import { drawBox, drawPlaneAxes, drawSpaceAxes } from './scatterAxes'
import { drawConstraint } from './scatterConstraint'
import { boxOf, extentOf, project, toPixel, type Projection, type View } from './scatterGeometry'
import { countOutside, drawPointSets, exactPoints, samplePoints, type ScatterPixels } from './scatterPoints'
import { drawProbe } from './scatterProbe'
import type { ScatterContent, ScatterStyle } from './scatterTypes'

/** Where the square of the plot lies on a canvas of `size` × `size` pixels. */
export function scatterView(size: number, reach: number, dimensions: number): View {
  const small = size < 420
  const margin = dimensions === 3 ? 4 : small ? 24 : 30
  const side = size - margin - 6
  return { left: margin, top: 6, side, extent: extentOf(reach, dimensions) }
}

/** Samples that a drawing needs room for. */
export function sampleCount({ samples, projection }: Pick<ScatterContent, 'samples' | 'projection'>): number {
  return (samples?.length ?? 0) / projection.features
}

/** Draws onto a context that is scaled to CSS pixels by `scale`. */
export function drawScatter(
  context: CanvasRenderingContext2D,
  size: number,
  scale: number,
  content: ScatterContent,
  style: ScatterStyle,
  pixels: ScatterPixels,
): void {
  const { projection, reach } = content
  const dimensions = projection.axes.length
  const view = scatterView(size, reach, dimensions)
  const box = boxOf(reach, dimensions)
  context.clearRect(0, 0, size, size)
  context.fillStyle = style.panel
  context.fillRect(view.left, view.top, view.side, view.side)
  if (dimensions === 2) drawPlaneAxes(context, view, style)
  context.save()
  context.beginPath()
  context.rect(view.left, view.top, view.side, view.side)
  context.clip()
  if (dimensions === 3) drawBox(context, view, projection, box, style, 'behind')
  if (content.constraint) drawConstraint(context, view, projection, box, content.constraint, style)
  if (content.curve) drawCurve(context, view, projection, content.curve, style)
  pixels.count = 0
  const samples = content.samples && samplePoints(projection, view, content.samples, style.samples, pixels)
  const exact = content.exact && exactPoints(projection, view, content.exact, style.truth)
  const sets = [exact, samples].filter((set) => set !== null)
  drawPointSets(context, sets, scale, dimensions)
  if (dimensions === 3) drawBox(context, view, projection, box, style, 'front')
  if (content.probe) drawProbe(context, view, projection, content.probe, style)
  if (dimensions === 3) drawSpaceAxes(context, view, projection, box, style)
  context.restore()
  context.strokeStyle = style.frame
  context.lineWidth = 1
  context.strokeRect(view.left, view.top, view.side, view.side)
  if (content.sigma !== null) drawTime(context, view, content.sigma, style)
  if (content.sigma === 0 && samples) drawOutside(context, view, countOutside(samples, view), style)
}

/** A translucent band of two standard deviations of the components to either side, with a thin line through their means. */
function drawCurve(
  context: CanvasRenderingContext2D,
  view: View,
  projection: Projection,
  { means, breaks, thickness }: NonNullable<ScatterContent['curve']>,
  style: ScatterStyle,
): void {
  const strokes = new Set(breaks)
  context.beginPath()
  for (let k = 0; k < means.length / projection.features; k += 1) {
    const [x, y] = toPixel(view, project(projection, means, k))
    if (k === 0 || strokes.has(k)) context.moveTo(x, y)
    else context.lineTo(x, y)
  }
  context.strokeStyle = style.truth
  context.lineJoin = 'round'
  context.lineCap = 'round'
  context.lineWidth = Math.max(3, (2 * thickness * view.side) / view.extent)
  context.globalAlpha = 0.16
  context.stroke()
  context.globalAlpha = 0.75
  context.lineWidth = 1
  context.stroke()
  context.globalAlpha = 1
}

/** sigma_t in the corner, as large as it is; x_0 at the end. */
function drawTime(
  context: CanvasRenderingContext2D,
  view: View,
  sigma: number,
  { text, panel, fontFamily }: ScatterStyle,
): void {
  const [x, y] = [view.left + 8, view.top + 17]
  const value = sigma === 0 ? '' : ` = ${sigma.toPrecision(sigma < 1 ? 2 : 3)}`
  context.textAlign = 'left'
  context.textBaseline = 'alphabetic'
  context.lineJoin = 'round'
  const write = (label: string, font: string, left: number, base: number) => {
    context.font = font
    context.strokeStyle = panel
    context.lineWidth = 4
    context.strokeText(label, left, base)
    context.fillStyle = text
    context.fillText(label, left, base)
    return left + context.measureText(label).width
  }
  const serif = '"Times New Roman", "Liberation Serif", serif'
  const afterSymbol = write(sigma === 0 ? 'x' : 'σ', `italic 16px KaTeX_Math, ${serif}`, x, y)
  const index = sigma === 0 ? `11px KaTeX_Main, ${serif}` : `italic 11px KaTeX_Math, ${serif}`
  const afterIndex = write(sigma === 0 ? '0' : 't', index, afterSymbol, y + 4)
  write(value, `12px ${fontFamily}`, afterIndex, y)
}

/** How many of the final samples the picture does not show. */
function drawOutside(
  context: CanvasRenderingContext2D,
  view: View,
  outside: number,
  { dimmed, panel, fontFamily }: ScatterStyle,
): void {
  if (outside === 0) return
  const label = `${formatCount(outside)} outside the picture`
  const [x, y] = [view.left + 8, view.top + view.side - 10]
  context.font = `11px ${fontFamily}`
  context.strokeStyle = panel
  context.lineWidth = 4
  context.strokeText(label, x, y)
  context.fillStyle = dimmed
  context.fillText(label, x, y)
}
