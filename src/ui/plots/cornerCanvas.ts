/**
 * Draws a corner plot on a canvas: all pair marginals as heat maps, learned below the diagonal and truth above it,
 * and both 1-D marginals on it. Column c has x_c across, row r has x_r up, above the diagonal as below, so the two
 * triangles are mirror images where the run has learned the truth. About 2 ms at n = 5 and 64 bins.
 */
import type { Histograms } from '../../diffusion/backend'

export interface CornerContent {
  readonly features: number
  /** Drawn above the diagonal and as outlines on it. */
  readonly truth: Histograms | null
  /** Drawn below the diagonal and filled on it. */
  readonly learned: Histograms | null
  /** Points over the learned heat maps, [count, features]. */
  readonly points?: Float32Array
  /** A single marked point, [features]. */
  readonly mark?: Float32Array
}

export interface CornerStyle {
  /** 256 RGBA entries each. */
  readonly truthRamp: Uint8ClampedArray
  readonly learnedRamp: Uint8ClampedArray
  readonly truth: string
  readonly learned: string
  readonly points: string
  readonly text: string
  readonly dimmed: string
  readonly frame: string
  readonly grid: string
  readonly panel: string
  readonly fontFamily: string
}

/** Densities are compressed with this power: thin curves have very peaked histograms. */
const DENSITY_POWER = 0.6
/** Level 0..255 of the colour map for a density relative to the peak, tabulated. */
const LEVELS = Uint8Array.from({ length: 2048 }, (_, k) => Math.ceil(255 * (k / 2047) ** DENSITY_POWER))
const TICKS = [-2, 0, 2]
const MARGIN = 36
const DEFAULT_RANGE = 3

/** Where the panels lie, in CSS pixels. */
export interface CornerGeometry {
  readonly margin: number
  readonly gap: number
  readonly panel: number
}

export function cornerGeometry(size: number, features: number): CornerGeometry {
  const gap = size < 420 ? 3 : 5
  const margin = size < 420 ? 27 : MARGIN
  return { margin, gap, panel: (size - 2 * margin - gap * (features - 1)) / features }
}

/** Height of a plot that is `size` wide: its labels below need less room than those at its sides. */
export function cornerHeight(size: number): number {
  return Math.round(size * (size < 420 ? 0.96 : 0.965))
}

/** Draws onto a context that is scaled to CSS pixels; `size` is the width of the plot. */
export function drawCorner(
  context: CanvasRenderingContext2D,
  size: number,
  content: CornerContent,
  style: CornerStyle,
): void {
  const { features, truth, learned } = content
  const { margin, gap, panel } = cornerGeometry(size, features)
  context.clearRect(0, 0, size, cornerHeight(size))
  const range = (truth ?? learned)?.range ?? DEFAULT_RANGE
  for (let row = 0; row < features; row += 1) {
    for (let column = 0; column < features; column += 1) {
      const left = margin + column * (panel + gap)
      const top = margin / 3 + row * (panel + gap)
      context.fillStyle = style.panel
      context.fillRect(left, top, panel, panel)
      drawGrid(context, left, top, panel, range, row === column, style.grid)
      if (row > column) {
        if (learned) drawHeatmap(context, left, top, panel, learned, column, row, style.learnedRamp)
        if (content.points) drawPoints(context, left, top, panel, content, column, row, range, style)
        if (content.mark) drawMark(context, left, top, panel, content.mark, column, row, range, style)
      } else if (row < column) {
        if (truth) drawHeatmap(context, left, top, panel, truth, column, row, style.truthRamp)
      } else {
        drawMarginals(context, left, top, panel, row, content, style)
      }
      context.strokeStyle = style.frame
      context.lineWidth = 1
      context.strokeRect(left, top, panel, panel)
    }
  }
  drawLabels(context, size, features, range, style)
}

function drawGrid(
  context: CanvasRenderingContext2D,
  left: number,
  top: number,
  panel: number,
  range: number,
  verticalOnly: boolean,
  colour: string,
): void {
  context.strokeStyle = colour
  context.lineWidth = 0.75
  context.beginPath()
  for (const tick of TICKS) {
    const offset = (panel * (tick + range)) / (2 * range)
    context.moveTo(left + offset, top)
    context.lineTo(left + offset, top + panel)
    if (verticalOnly) continue
    context.moveTo(left, top + panel - offset)
    context.lineTo(left + panel, top + panel - offset)
  }
  context.stroke()
}

/** Index of pair (i, j), i < j, in lexicographic order. */
function pairIndex(i: number, j: number, features: number): number {
  return i * features - (i * (i + 1)) / 2 + (j - i - 1)
}

let tile: { canvas: HTMLCanvasElement; image: ImageData; bins: number } | undefined

/** A canvas of bins × bins pixels, kept between panels. */
function tileOf(bins: number): { canvas: HTMLCanvasElement; image: ImageData } {
  if (tile?.bins !== bins) {
    const canvas = document.createElement('canvas')
    canvas.width = bins
    canvas.height = bins
    tile = { canvas, image: new ImageData(bins, bins), bins }
  }
  return tile
}

/** The pair marginal of x_across and x_up. */
function drawHeatmap(
  context: CanvasRenderingContext2D,
  left: number,
  top: number,
  panel: number,
  histograms: Histograms,
  across: number,
  up: number,
  ramp: Uint8ClampedArray,
): void {
  const { bins, features, joint } = histograms
  if (Math.max(across, up) >= features) return
  const mirrored = across > up
  const start = pairIndex(Math.min(across, up), Math.max(across, up), features) * bins * bins
  let peak = 0
  for (let k = 0; k < bins * bins; k += 1) peak = Math.max(peak, joint[start + k]!)
  if (peak === 0) return
  const { canvas, image } = tileOf(bins)
  const pixels = new Uint32Array(image.data.buffer)
  const colours = new Uint32Array(ramp.buffer)
  // A step of the third axis is the bin of the first coordinate of the pair.
  const acrossStride = mirrored ? bins : 1
  const upStride = mirrored ? 1 : bins
  const scale = (LEVELS.length - 1) / peak
  for (let y = 0; y < bins; y += 1) {
    let cell = start + (bins - 1 - y) * upStride
    for (let x = 0; x < bins; x += 1, cell += acrossStride) {
      const count = joint[cell]!
      // One sample is never invisible.
      pixels[y * bins + x] = count === 0 ? 0 : colours[LEVELS[Math.ceil(count * scale)]!]!
    }
  }
  canvas.getContext('2d')!.putImageData(image, 0, 0)
  context.imageSmoothingEnabled = true
  context.imageSmoothingQuality = 'low'
  context.drawImage(canvas, left, top, panel, panel)
}

function drawPoints(
  context: CanvasRenderingContext2D,
  left: number,
  top: number,
  panel: number,
  { points, features }: CornerContent,
  across: number,
  up: number,
  range: number,
  style: CornerStyle,
): void {
  if (!points) return
  const side = panel < 90 ? 1.4 : 2
  context.fillStyle = style.points
  context.globalAlpha = 0.65
  for (let k = 0; k < points.length; k += features) {
    const x = points[k + across]!
    const y = points[k + up]!
    if (Math.abs(x) >= range || Math.abs(y) >= range) continue
    context.fillRect(
      left + (panel * (x + range)) / (2 * range) - side / 2,
      top + panel - (panel * (y + range)) / (2 * range) - side / 2,
      side,
      side,
    )
  }
  context.globalAlpha = 1
}

/** A cross where the truth lies. */
function drawMark(
  context: CanvasRenderingContext2D,
  left: number,
  top: number,
  panel: number,
  mark: Float32Array,
  across: number,
  up: number,
  range: number,
  style: CornerStyle,
): void {
  const x = left + (panel * (mark[across]! + range)) / (2 * range)
  const y = top + panel - (panel * (mark[up]! + range)) / (2 * range)
  const arm = 4
  for (const [colour, width] of [
    [style.panel, 4],
    [style.truth, 2],
  ] as const) {
    context.strokeStyle = colour
    context.lineWidth = width
    context.beginPath()
    context.moveTo(x - arm, y - arm)
    context.lineTo(x + arm, y + arm)
    context.moveTo(x - arm, y + arm)
    context.lineTo(x + arm, y - arm)
    context.stroke()
  }
}

function density(histograms: Histograms | null, feature: number): Float64Array | undefined {
  if (!histograms || feature >= histograms.features) return undefined
  const { bins } = histograms
  const counts = histograms.marginal.subarray(feature * bins, (feature + 1) * bins)
  const total = counts.reduce((sum, value) => sum + value, 0)
  return total === 0 ? undefined : Float64Array.from(counts, (value) => value / total)
}

function drawMarginals(
  context: CanvasRenderingContext2D,
  left: number,
  top: number,
  panel: number,
  feature: number,
  { truth, learned }: CornerContent,
  style: CornerStyle,
): void {
  const truthDensity = density(truth, feature)
  const learnedDensity = density(learned, feature)
  // Bins may differ in number, so heights are compared per unit of length.
  const peak = 1.08 * Math.max(...heights(truthDensity), ...heights(learnedDensity))
  if (learnedDensity) {
    stepPath(context, left, top, panel, learnedDensity, peak, true)
    context.fillStyle = style.learned
    context.globalAlpha = 0.45
    context.fill()
    context.globalAlpha = 1
    stepPath(context, left, top, panel, learnedDensity, peak, false)
    context.strokeStyle = style.learned
    context.lineWidth = 1
    context.stroke()
  }
  if (truthDensity) {
    stepPath(context, left, top, panel, truthDensity, peak, false)
    context.strokeStyle = style.truth
    context.lineWidth = 1.5
    context.stroke()
  }
}

function heights(values: Float64Array | undefined): number[] {
  return values ? Array.from(values, (value) => value * values.length) : [0]
}

function stepPath(
  context: CanvasRenderingContext2D,
  left: number,
  top: number,
  panel: number,
  values: Float64Array,
  peak: number,
  closed: boolean,
): void {
  const bins = values.length
  context.beginPath()
  if (closed) context.moveTo(left, top + panel)
  values.forEach((value, k) => {
    const y = top + panel * (1 - (value * bins) / peak)
    context.lineTo(left + (panel * k) / bins, y)
    context.lineTo(left + (panel * (k + 1)) / bins, y)
  })
  if (closed) context.lineTo(left + panel, top + panel)
}

function drawLabels(
  context: CanvasRenderingContext2D,
  size: number,
  features: number,
  range: number,
  style: CornerStyle,
): void {
  const { margin, gap, panel } = cornerGeometry(size, features)
  const small = size < 420
  const tickFont = `${small ? 8 : 10}px ${style.fontFamily}`
  const bottom = margin / 3 + features * panel + (features - 1) * gap
  const right = margin + features * panel + (features - 1) * gap
  context.textBaseline = 'middle'
  for (let k = 0; k < features; k += 1) {
    const left = margin + k * (panel + gap)
    const top = margin / 3 + k * (panel + gap)
    drawSymbol(context, left + panel / 2, bottom + (small ? 20 : 27), k + 1, small, style)
    // The first row has no panel below the diagonal to label on the left, the last none above it on the right.
    if (k > 0) drawSymbol(context, small ? 5 : 7, top + panel / 2, k + 1, small, style)
    if (k < features - 1) drawSymbol(context, size - (small ? 7 : 8), top + panel / 2, k + 1, small, style)
    context.fillStyle = style.dimmed
    context.font = tickFont
    for (const tick of TICKS) {
      const label = String(tick).replace('-', '−')
      const offset = (panel * (tick + range)) / (2 * range)
      context.textAlign = 'center'
      context.fillText(label, left + offset, bottom + (small ? 8 : 11))
      if (k > 0) {
        context.textAlign = 'right'
        context.fillText(label, margin - 4, top + panel - offset)
      }
      if (k < features - 1) {
        context.textAlign = 'left'
        context.fillText(label, right + 4, top + panel - offset)
      }
    }
  }
}

/** The symbol x with a subscript, centred at (x, y). */
export function drawSymbol(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  subscript: number,
  small: boolean,
  style: Pick<CornerStyle, 'text'>,
): void {
  const fontSize = small ? 11 : 14
  context.fillStyle = style.text
  context.textAlign = 'center'
  context.font = `italic ${fontSize}px KaTeX_Math, "Times New Roman", "Liberation Serif", serif`
  context.fillText('x', x - 2, y)
  context.font = `${Math.round(0.7 * fontSize)}px KaTeX_Main, "Times New Roman", "Liberation Serif", serif`
  context.fillText(String(subscript), x + 0.4 * fontSize, y + 0.28 * fontSize)
}
