/** One sample of a scatter plot looked into: its way so far, its denoised point and the covariances around that. */
import { project, projectedEllipse, toPixel, type Projection, type View } from './scatterGeometry'
import type { ScatterProbe, ScatterStyle } from './scatterTypes'

/** The ellipses of one and two standard deviations of each Gaussian. */
export function drawProbe(
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
