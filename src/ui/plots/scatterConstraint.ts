/** The set A x = y in a scatter plot: a line in R^2, a plane or a line in R^3, with what lies within sigma_y of it. */
import { clipLine, clipPlane, cross, project, toPixel, type Projection, type View } from './scatterGeometry'
import type { ScatterContent, ScatterStyle } from './scatterTypes'

/** Where a plane's stem ends and a line in space, in half-widths of the box. */
export const STEM = 1.3
export const LINE_IN_SPACE = 1.15

/** The line or plane A x = y, and what lies within sigma_y of it. */
export function drawConstraint(
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
