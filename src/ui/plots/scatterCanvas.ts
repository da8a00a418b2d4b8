/**
 * Draws a scatter plot of Figure 1 on a canvas: the prior's curve, the set A x = y, exact draws and a method's samples
 * over them, and the covariances at one sample. Points are rectangles on whole device pixels, without a path each:
 * 4,096 samples over 4,096 exact draws take about 3 ms.
 */
import { drawBox, drawPlaneAxes, drawSpaceAxes, type AxesStyle } from './scatterAxes'
import {
  boxOf,
  clipLine,
  clipPlane,
  cross,
  extentOf,
  project,
  projectedEllipse,
  projectPoints,
  toPixel,
  type Projection,
  type View,
} from './scatterGeometry'

export interface ScatterContent {
  readonly projection: Projection
  /** Half-width of the coordinates in view. */
  readonly reach: number
  readonly curve: {
    /** [components, features], neighbours in order. */
    readonly means: Float32Array
    /** Indices at which a new stroke begins. */
    readonly breaks: readonly number[]
    readonly thickness: number
  } | null
  /** Exact draws points + sigma noise, [count, features] both. */
  readonly exact: {
    readonly points: Float32Array
    readonly noise: Float32Array
    readonly sigma: number
  } | null
  /** [count, features]. */
  readonly samples: Float32Array | null
  /** Orthonormal rows A [observed, features] and y [observed], in R^2 or R^3. */
  readonly constraint: {
    readonly A: Float64Array
    readonly y: ArrayLike<number>
    readonly sigmaY: number
  } | null
  readonly probe: ScatterProbe | null
  /** sigma_t of what is shown, 0 at the end; null while nothing is. */
  readonly sigma: number | null
}

/** One sample, where it came from, and Gaussians at its denoised point. */
export interface ScatterProbe {
  /** x_t, [features]. */
  readonly point: Float32Array
  /** From x_1 to x_t, [steps, features]. */
  readonly path: Float32Array
  readonly gaussians: {
    /** E[x | x_t], [features]. */
    readonly mean: Float64Array
    readonly ellipses: readonly {
      /** [features, features]. */
      readonly covariance: Float64Array
      readonly colour: string
      /** Pixels. */
      readonly width: number
    }[]
  } | null
}

export interface ScatterStyle extends AxesStyle {
  readonly truth: string
  readonly samples: string
  readonly observation: string
  readonly panel: string
}

const EXACT = { side: 4, opacity: 0.2 }
const SAMPLES = { side: 3, opacity: 0.7 }
/** In space, points behind the middle of the box are smaller and paler. */
const BEHIND = { side: 0.8, opacity: 0.6 }

/** Where a plane's stem ends and a line in space, in half-widths of the box. */
export const STEM = 1.3
export const LINE_IN_SPACE = 1.15

/** Where the square of the plot lies on a canvas of `size` × `scatterHeight(size)` pixels. */
export function scatterView(size: number, reach: number, dimensions: number): View {
  const small = size < 420
  const margin = dimensions === 3 ? 4 : small ? 24 : 30
  const side = size - margin - 6
  return { left: margin, top: 6, side, extent: extentOf(reach, dimensions) }
}

export function scatterHeight(size: number): number {
  return size
}

/** What a drawing tells the pointer: samples in pixels, [count, 3] with their depth. */
export interface ScatterPixels {
  readonly samples: Float32Array
  count: number
  /** Samples beyond the edge of the plot. */
  outside: number
}

/** Draws onto a context that is scaled to CSS pixels by `scale`. */
export function drawScatter(
  context: CanvasRenderingContext2D,
  size: number,
  scale: number,
  content: ScatterContent,
  style: ScatterStyle,
  pixels?: ScatterPixels,
): void {
  const { projection, reach } = content
  const dimensions = projection.axes.length
  const view = scatterView(size, reach, dimensions)
  const box = boxOf(reach, dimensions)
  context.clearRect(0, 0, size, scatterHeight(size))
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
  if (content.exact) {
    const { points, noise, sigma } = content.exact
    const count = projectPoints(
      projection,
      view,
      points,
      scratchFor(points.length / projection.features),
      noise,
      sigma,
    )
    drawPoints(context, scratch, count, scale, dimensions, style.truth, EXACT)
  }
  if (content.samples) {
    const target = pixels?.samples ?? scratchFor(content.samples.length / projection.features)
    const count = projectPoints(projection, view, content.samples, target)
    drawPoints(context, target, count, scale, dimensions, style.samples, SAMPLES)
    if (pixels) {
      pixels.count = count
      pixels.outside = countOutside(target, count, view)
    }
  } else if (pixels) {
    pixels.count = 0
    pixels.outside = 0
  }
  if (dimensions === 3) drawBox(context, view, projection, box, style, 'front')
  if (content.probe) drawProbe(context, view, projection, content.probe, style)
  if (dimensions === 3) drawSpaceAxes(context, view, projection, box, style)
  context.restore()
  context.strokeStyle = style.frame
  context.lineWidth = 1
  context.strokeRect(view.left, view.top, view.side, view.side)
  if (content.sigma !== null) drawTime(context, view, content.sigma, style)
}

let scratch = new Float32Array(0)

/** Room for the pixels of `count` points, kept between drawings. */
function scratchFor(count: number): Float32Array {
  if (scratch.length < 3 * count) scratch = new Float32Array(3 * count)
  return scratch.subarray(0, 3 * count)
}

function countOutside(pixels: Float32Array, count: number, { left, top, side }: View): number {
  let outside = 0
  for (let k = 0; k < count; k += 1) {
    const [x, y] = [pixels[3 * k]!, pixels[3 * k + 1]!]
    if (!(x >= left && x <= left + side && y >= top && y <= top + side)) outside += 1
  }
  return outside
}

function drawPoints(
  context: CanvasRenderingContext2D,
  pixels: Float32Array,
  count: number,
  scale: number,
  dimensions: number,
  colour: string,
  { side, opacity }: { side: number; opacity: number },
): void {
  context.save()
  context.setTransform(1, 0, 0, 1, 0, 0)
  context.fillStyle = colour
  for (const behind of dimensions === 3 ? [true, false] : [false]) {
    const pixelSide = Math.max(1, Math.round(side * scale * (behind ? BEHIND.side : 1)))
    context.globalAlpha = opacity * (behind ? BEHIND.opacity : 1)
    for (let k = 0; k < count; k += 1) {
      if (dimensions === 3 && pixels[3 * k + 2]! < 0 !== behind) continue
      context.fillRect(
        Math.round(pixels[3 * k]! * scale - pixelSide / 2),
        Math.round(pixels[3 * k + 1]! * scale - pixelSide / 2),
        pixelSide,
        pixelSide,
      )
    }
  }
  context.restore()
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

/** The line or plane A x = y, and what lies within sigma_y of it. */
function drawConstraint(
  context: CanvasRenderingContext2D,
  view: View,
  projection: Projection,
  box: number,
  { A, y, sigmaY }: NonNullable<ScatterContent['constraint']>,
  style: ScatterStyle,
): void {
  const { features } = projection
  const first = A.subarray(0, features)
  const bandWidth = (sigmaY * view.side) / view.extent
  context.strokeStyle = style.observation
  context.fillStyle = style.observation
  if (features === 3 && y.length === 1) {
    for (const [offset, opacity] of bandWidth > 1 ? SLAB : SHEET) {
      const corners = clipPlane(first, y[0]! + offset * sigmaY, box)
      if (corners.length < 3) continue
      context.beginPath()
      for (const corner of corners) context.lineTo(...toPixel(view, project(projection, corner)))
      context.closePath()
      context.globalAlpha = opacity
      context.fill()
      context.globalAlpha = offset === 0 ? 0.8 : 0.3
      context.lineWidth = offset === 0 ? 1.25 : 0.75
      context.stroke()
    }
    context.globalAlpha = 1
    drawStem(context, view, projection, box, first, y[0]!)
    return
  }
  const second = features === 3 ? A.subarray(features, 2 * features) : null
  const foot = first.map((value, i) => value * y[0]! + (second ? second[i]! * y[1]! : 0))
  const direction = second ? cross(first, second) : Float64Array.of(-first[1]!, first[0]!)
  const ends = second ? [-LINE_IN_SPACE * box, LINE_IN_SPACE * box] : clipLine(foot, direction, 1.1 * box)
  if (!ends) return
  context.beginPath()
  for (const t of ends) {
    context.lineTo(
      ...toPixel(
        view,
        project(
          projection,
          foot.map((value, i) => value + t * direction[i]!),
        ),
      ),
    )
  }
  context.lineCap = 'butt'
  if (bandWidth > 1) {
    context.globalAlpha = 0.16
    context.lineWidth = bandWidth
    context.stroke()
    context.globalAlpha = 1
  }
  context.lineWidth = 1.75
  context.stroke()
}

/** From the plane's foot y a along its normal to where it is turned. */
function drawStem(
  context: CanvasRenderingContext2D,
  view: View,
  projection: Projection,
  box: number,
  a: Float64Array,
  y: number,
): void {
  context.setLineDash([2, 3])
  context.lineWidth = 1.25
  context.beginPath()
  for (const t of [y, STEM * box]) {
    context.lineTo(
      ...toPixel(
        view,
        project(
          projection,
          a.map((value) => value * t),
        ),
      ),
    )
  }
  context.stroke()
  context.setLineDash([])
}

/** Planes to draw, each with its distance in sigma_y and the opacity of its face. */
const SHEET = [[0, 0.13]] as const
const SLAB = [
  [-1, 0.05],
  [1, 0.05],
  [0, 0.08],
] as const

function drawProbe(
  context: CanvasRenderingContext2D,
  view: View,
  projection: Projection,
  { point, path, gaussians }: ScatterProbe,
  style: ScatterStyle,
): void {
  context.lineJoin = 'round'
  context.strokeStyle = style.samples
  context.globalAlpha = 0.45
  context.lineWidth = 1
  context.beginPath()
  for (let k = 0; k < path.length / projection.features; k += 1) {
    context.lineTo(...toPixel(view, project(projection, path, k)))
  }
  context.stroke()
  context.globalAlpha = 1
  const at = toPixel(view, project(projection, point))
  if (gaussians) {
    const mean = toPixel(view, project(projection, gaussians.mean))
    const scale = view.side / 2 / view.extent
    for (const { covariance, colour, width } of gaussians.ellipses) {
      const { major, minor, angle } = projectedEllipse(projection, covariance)
      context.strokeStyle = colour
      for (const deviations of [1, 2]) {
        context.lineWidth = deviations === 1 ? width : width / 2
        context.beginPath()
        context.ellipse(
          ...mean,
          Math.max(0.5, deviations * major * scale),
          Math.max(0.5, deviations * minor * scale),
          -angle,
          0,
          2 * Math.PI,
        )
        context.stroke()
      }
    }
    context.setLineDash([4, 3])
    context.strokeStyle = style.text
    context.lineWidth = 1
    context.beginPath()
    context.moveTo(...at)
    context.lineTo(...mean)
    context.stroke()
    context.setLineDash([])
    drawDisc(context, mean, 3, style.truth, style.panel)
  }
  drawDisc(context, at, 5, style.samples, style.text)
}

function drawDisc(
  context: CanvasRenderingContext2D,
  [x, y]: readonly [number, number],
  radius: number,
  fill: string,
  rim: string,
): void {
  context.beginPath()
  context.arc(x, y, radius, 0, 2 * Math.PI)
  context.fillStyle = fill
  context.fill()
  context.strokeStyle = rim
  context.lineWidth = 1.5
  context.stroke()
}

/** sigma_t in the corner, as large as it is. */
function drawTime(
  context: CanvasRenderingContext2D,
  view: View,
  sigma: number,
  { text, panel, fontFamily }: ScatterStyle,
): void {
  const [x, y] = [view.left + 8, view.top + 16]
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
  const symbol = '"Times New Roman", "Liberation Serif", serif'
  const afterSymbol = write(sigma === 0 ? 'x' : 'σ', `italic 15px KaTeX_Math, ${symbol}`, x, y)
  const afterIndex = write(sigma === 0 ? '0' : 't', `italic 11px KaTeX_Math, ${symbol}`, afterSymbol, y + 4)
  write(value, `12px ${fontFamily}`, afterIndex, y)
}
