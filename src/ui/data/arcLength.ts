/**
 * A hand-drawn stroke, made smooth: neighbours are averaged, then the stroke is resampled at equal arc length, so
 * that the speed of the hand does not matter.
 */

export type Point = readonly [number, number]

/** Lengths along the polyline at each of its points. */
function arcLengths(points: readonly Point[]): number[] {
  const lengths = [0]
  for (let k = 1; k < points.length; k += 1) {
    const [x0, y0] = points[k - 1]!
    const [x1, y1] = points[k]!
    lengths.push(lengths[k - 1]! + Math.hypot(x1 - x0, y1 - y0))
  }
  return lengths
}

/** `count` points at equal arc length, ends included. A stroke without length gives copies of its first point. */
export function resampleByArcLength(points: readonly Point[], count: number): Point[] {
  if (points.length === 0) throw new RangeError('A stroke needs at least one point.')
  const lengths = arcLengths(points)
  const total = lengths.at(-1)!
  const resampled: Point[] = []
  let segment = 1
  for (let k = 0; k < count; k += 1) {
    const target = (total * k) / Math.max(1, count - 1)
    while (segment < points.length - 1 && lengths[segment]! < target) segment += 1
    const end = points[segment] ?? points[0]!
    const start = points[segment - 1]!
    const span = (lengths[segment] ?? 0) - lengths[segment - 1]!
    const fraction = span > 0 ? Math.min(1, (target - lengths[segment - 1]!) / span) : 0
    resampled.push([start[0] + fraction * (end[0] - start[0]), start[1] + fraction * (end[1] - start[1])])
  }
  return resampled
}

/** The stroke with the jitter of the hand averaged away, at `count` points of equal arc length; ends stay. */
export function smoothStroke(points: readonly Point[], count: number, rounds = 4): Point[] {
  let stroke = resampleByArcLength(points, count)
  for (let round = 0; round < rounds; round += 1) {
    const before = stroke
    stroke = before.map((point, k) => {
      const left = before[k - 1]
      const right = before[k + 1]
      if (!left || !right) return point
      return [(left[0] + 2 * point[0] + right[0]) / 4, (left[1] + 2 * point[1] + right[1]) / 4]
    })
  }
  return resampleByArcLength(stroke, count)
}

/** Length of a stroke. */
export function strokeLength(points: readonly Point[]): number {
  return points.length === 0 ? 0 : arcLengths(points).at(-1)!
}
