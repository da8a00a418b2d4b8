/**
 * Thousands of points on a canvas as rectangles on whole device pixels, without a path each. Two sets are drawn in
 * turn, a few points of each: where they lie together their colours mix, and neither hides the other.
 */
import { projectPoints, type Projection, type View } from './scatterGeometry'

/** What a drawing tells the pointer: samples in pixels, [count, 3] with their depth. */
export interface ScatterPixels {
  readonly samples: Float32Array
  count: number
}

interface PointSet {
  /** [count, 3]. */
  readonly pixels: Float32Array
  readonly count: number
  readonly colour: string
  /** CSS pixels. */
  readonly side: number
  readonly opacity: number
}

const EXACT = { side: 4, opacity: 0.14 }
const SAMPLES = { side: 3, opacity: 0.72 }
/** In space, points behind the middle of the box are smaller and paler. */
const BEHIND = { side: 0.8, opacity: 0.55 }
/** Points of the larger set drawn before the other's turn. */
const TURN = 24

let scratch = new Float32Array(0)

/** Room for the pixels of `count` points, kept between drawings. */
function scratchFor(count: number): Float32Array {
  if (scratch.length < 3 * count) scratch = new Float32Array(3 * count)
  return scratch.subarray(0, 3 * count)
}

/** Exact draws points + sigma noise, below. All [count, features]. */
export function exactPoints(
  projection: Projection,
  view: View,
  { points, noise, sigma }: { points: Float32Array; noise: Float32Array; sigma: number },
  colour: string,
): PointSet {
  const pixels = scratchFor(points.length / projection.features)
  return { pixels, count: projectPoints(projection, view, points, pixels, noise, sigma), colour, ...EXACT }
}

/** A method's samples [count, features], above. Their pixels stay in `known`. */
export function samplePoints(
  projection: Projection,
  view: View,
  samples: Float32Array,
  colour: string,
  known: ScatterPixels,
): PointSet {
  const count = projectPoints(projection, view, samples, known.samples)
  known.count = count
  return { pixels: known.samples, count, colour, ...SAMPLES }
}

/** Draws sets in turn, each spread evenly over the turns, the later ones on top. `scale`: device pixels in a CSS pixel. */
export function drawPointSets(
  context: CanvasRenderingContext2D,
  sets: readonly PointSet[],
  scale: number,
  dimensions: number,
): void {
  const turns = Math.ceil(sets.reduce((most, set) => Math.max(most, set.count), 0) / TURN)
  context.save()
  context.setTransform(1, 0, 0, 1, 0, 0)
  for (const behind of dimensions === 3 ? [true, false] : [false]) {
    for (let turn = 0; turn < turns; turn += 1) {
      for (const { pixels, count, colour, side, opacity } of sets) {
        const pixelSide = Math.max(1, Math.round(side * scale * (behind ? BEHIND.side : 1)))
        context.fillStyle = colour
        context.globalAlpha = opacity * (behind ? BEHIND.opacity : 1)
        const end = Math.floor(((turn + 1) * count) / turns)
        for (let k = Math.floor((turn * count) / turns); k < end; k += 1) {
          if (dimensions === 3 && pixels[3 * k + 2]! < 0 !== behind) continue
          context.fillRect(
            Math.round(pixels[3 * k]! * scale - pixelSide / 2),
            Math.round(pixels[3 * k + 1]! * scale - pixelSide / 2),
            pixelSide,
            pixelSide,
          )
        }
      }
    }
  }
  context.restore()
}

/** Points that are beyond the edge of the plot or not finite. */
export function countOutside({ pixels, count }: PointSet, { left, top, side }: View): number {
  let outside = 0
  for (let k = 0; k < count; k += 1) {
    const [x, y] = [pixels[3 * k]!, pixels[3 * k + 1]!]
    if (!(x >= left && x <= left + side && y >= top && y <= top + side)) outside += 1
  }
  return outside
}
