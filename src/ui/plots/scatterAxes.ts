/** Axes of a scatter plot: ticks and symbols around a square in R^2, on the edges of a box in R^3. */
import { drawSymbol } from './cornerCanvas'
import { project, ticksWithin, toPixel, type Projection, type View } from './scatterGeometry'

export interface AxesStyle {
  readonly text: string
  readonly dimmed: string
  readonly frame: string
  readonly grid: string
  readonly fontFamily: string
}

/** Grid inside the square, numbers and symbols outside it. */
export function drawPlaneAxes(context: CanvasRenderingContext2D, view: View, style: AxesStyle): void {
  const { left, top, side, extent } = view
  const small = side < 390
  const ticks = ticksWithin(extent)
  context.strokeStyle = style.grid
  context.lineWidth = 0.75
  context.beginPath()
  for (const tick of ticks) {
    const [x, y] = toPixel(view, [tick, tick])
    context.moveTo(x, top)
    context.lineTo(x, top + side)
    context.moveTo(left, y)
    context.lineTo(left + side, y)
  }
  context.stroke()
  context.font = `${small ? 9 : 10}px ${style.fontFamily}`
  context.textBaseline = 'middle'
  context.fillStyle = style.dimmed
  for (const tick of ticks) {
    const [x, y] = toPixel(view, [tick, tick])
    // The symbols stand in the middle, where the number 0 would be.
    if (tick === 0) continue
    context.textAlign = 'center'
    context.fillText(numberText(tick), x, top + side + 11)
    context.textAlign = 'right'
    context.fillText(numberText(tick), left - 5, y)
  }
  drawSymbol(context, left + side / 2, top + side + 13, 1, small, style)
  drawSymbol(context, left - 16, top + side / 2, 2, small, style)
}

/** The twelve edges of the cube |x_i| ≤ half: those that meet at its far corner, or the others. */
export function drawBox(
  context: CanvasRenderingContext2D,
  view: View,
  projection: Projection,
  half: number,
  style: AxesStyle,
  part: 'behind' | 'front',
): void {
  const { axes, features, toward } = projection
  const far = axes.map((axis) => (toward[axis]! > 0 ? -half : half))
  context.strokeStyle = part === 'behind' ? style.frame : style.grid
  context.lineWidth = part === 'behind' ? 1 : 0.75
  context.beginPath()
  for (let edge = 0; edge < 12; edge += 1) {
    const axis = edge >> 2
    const sides = [(edge & 1) * 2 - 1, (edge & 2) - 1]
    const corner = new Float64Array(features)
    let touchesFar = true
    axes.forEach((feature, k) => {
      if (k === axis) return
      const value = half * sides[k > axis ? k - 1 : k]!
      corner[feature] = value
      touchesFar &&= value === far[k]
    })
    if (touchesFar !== (part === 'behind')) continue
    corner[axes[axis]!] = -half
    context.moveTo(...toPixel(view, project(projection, corner)))
    corner[axes[axis]!] = half
    context.lineTo(...toPixel(view, project(projection, corner)))
  }
  context.stroke()
}

/** Numbers and symbols along the lowest edge of each horizontal axis and the leftmost edge of the vertical one. */
export function drawSpaceAxes(
  context: CanvasRenderingContext2D,
  view: View,
  projection: Projection,
  half: number,
  style: AxesStyle,
): void {
  const { axes, features } = projection
  const small = view.side < 390
  const centre = toPixel(view, [0, 0])
  const ticks = ticksWithin(half)
  axes.forEach((feature, k) => {
    const edge = outerEdge(projection, half, k)
    const pixelAt = (value: number) => {
      const point = new Float64Array(features)
      axes.forEach((other, j) => (point[other] = j === k ? value : edge[j]!))
      return toPixel(view, project(projection, point))
    }
    const [from, to] = [pixelAt(-half), pixelAt(half)]
    const length = Math.hypot(to[0] - from[0], to[1] - from[1])
    // An axis seen end on has no room for numbers.
    if (length < 36) return
    const middle = pixelAt(0)
    let normal = [(to[1] - from[1]) / length, (from[0] - to[0]) / length] as const
    if (normal[0] * (middle[0] - centre[0]) + normal[1] * (middle[1] - centre[1]) < 0) {
      normal = [-normal[0], -normal[1]]
    }
    context.font = `${small ? 9 : 10}px ${style.fontFamily}`
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    context.fillStyle = style.dimmed
    context.strokeStyle = style.frame
    context.lineWidth = 1
    context.beginPath()
    for (const tick of ticks) {
      const [x, y] = pixelAt(tick)
      context.moveTo(x, y)
      context.lineTo(x + 4 * normal[0], y + 4 * normal[1])
      // The middle is the symbol's, and at the ends two axes meet.
      if (tick !== 0 && Math.abs(tick) < 0.9 * half)
        context.fillText(numberText(tick), x + 13 * normal[0], y + 12 * normal[1])
    }
    context.stroke()
    const away = small ? 14 : 18
    const [x, y] = [middle[0] + away * normal[0], middle[1] + away * normal[1]]
    drawSymbol(context, x, y, feature + 1, small, style)
  })
}

/** For each shown axis the side (±half) of the box on which axis k is drawn. */
function outerEdge({ axes, right, up }: Projection, half: number, k: number): number[] {
  const outwards = axes.map((feature) => (k === 2 ? right[feature]! : up[feature]!))
  return outwards.map((slope) => (slope > 0 ? -half : half))
}

function numberText(value: number): string {
  return String(Number(value.toPrecision(6))).replace('-', '−')
}
