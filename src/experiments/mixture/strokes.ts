/**
 * Points at even spacing along strokes: polylines in R^n, one after the other.
 *
 *     point i of K lies (i + 1/2)/K of the way along the total length of all strokes
 *
 * so that K equal weights make a uniform density along the curve, whatever the speed of a parametrisation or a hand.
 */
import type { DrawnStroke } from '../manifold/dataset'

/** Vertices of a polyline, [vertices, features]. */
export type Polyline = Float64Array

export interface Placed {
  /** [count, features]. */
  readonly points: Float64Array
  /** Indices of points, above 0, that begin another stroke than the point before. */
  readonly breaks: readonly number[]
}

/** Vertices of a parametrised stroke in each unit of its parameter. */
const VERTICES = 2048

/** The polyline of a curve t in [0, 1] → R^features. */
export function trace(features: number, curve: (t: number) => readonly number[]): Polyline {
  const polyline = new Float64Array((VERTICES + 1) * features)
  for (let k = 0; k <= VERTICES; k++) {
    const point = curve(k / VERTICES)
    for (let i = 0; i < features; i++) polyline[k * features + i] = point[i] ?? 0
  }
  return polyline
}

/**
 * A stroke drawn in a plane of R^features; its other coordinates are 0. Undefined where the plane lies outside, or the
 * stroke has no two points.
 */
export function strokePolyline(
  { plane: [first, second], points }: DrawnStroke,
  features: number,
): Polyline | undefined {
  if (first >= features || second >= features || points.length < 2) return undefined
  const polyline = new Float64Array(points.length * features)
  points.forEach(([a, b], k) => {
    polyline[k * features + first] = a
    polyline[k * features + second] = b
  })
  return polyline
}

/** `count` points at even spacing. Error: RangeError where the strokes have no length. */
export function placeAlong(strokes: readonly Polyline[], features: number, count: number): Placed {
  let total = 0
  for (const stroke of strokes) {
    for (let at = features; at < stroke.length; at += features) total += segmentLength(stroke, at, features)
  }
  if (!(total > 0)) throw new RangeError('The curve has no length: draw at least one stroke.')
  const points = new Float64Array(count * features)
  const breaks: number[] = []
  let travelled = 0
  let placed = 0
  for (const stroke of strokes) {
    if (placed > 0 && breaks.at(-1) !== placed) breaks.push(placed)
    for (let at = features; at < stroke.length; at += features) {
      const length = segmentLength(stroke, at, features)
      for (; placed < count; placed++) {
        const distance = ((placed + 0.5) / count) * total - travelled
        if (distance > length) break
        const weight = length > 0 ? distance / length : 0
        for (let i = 0; i < features; i++) {
          const from = stroke[at - features + i]!
          points[placed * features + i] = from + weight * (stroke[at + i]! - from)
        }
      }
      travelled += length
    }
  }
  // Rounding of the lengths may leave the last point just beyond the end.
  for (; placed < count; placed++) points.set(strokes.at(-1)!.subarray(-features), placed * features)
  return { points, breaks: breaks.filter((index) => index < count) }
}

/** Length of the segment that ends at the vertex at `at`. */
function segmentLength(stroke: Polyline, at: number, features: number): number {
  let sum = 0
  for (let i = 0; i < features; i++) sum += (stroke[at + i]! - stroke[at - features + i]!) ** 2
  return Math.sqrt(sum)
}
