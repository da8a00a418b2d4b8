/**
 * The geometry of a scatter plot in R^2 or, seen along parallel rays, in R^3: projection, zoom, clipping, ellipses and
 * what lies under the pointer. Picture coordinates (u, v) are in units of x, u to the right and v up; pixels count down.
 */

/** Parallel projection of R^n: u = right·x, v = up·x, and toward·x grows towards the viewer (zero in the plane). */
export interface Projection {
  readonly features: number
  /** The coordinates shown, from 0: two or three. */
  readonly axes: readonly number[]
  /** [features] each. */
  readonly right: Float64Array
  readonly up: Float64Array
  readonly toward: Float64Array
}

/** The square of pixels that shows |u|, |v| ≤ extent. */
export interface View {
  readonly left: number
  readonly top: number
  readonly side: number
  readonly extent: number
}

/** Data lie in [-2, 2]; this leaves a margin. */
const REST = 2.3
/** Standard deviations of the noise that are in view. */
const NOISE_SHOWN = 2.8
/** In space, the picture around a box is wider than the box. */
const SPACE_MARGIN = 1.62
/** Milliseconds in which the zoom goes 63 % of its way. */
const ZOOM_TIME = 90

const RADIANS = Math.PI / 180

/** The same angle in [-180, 180). */
export function wrapDegrees(degrees: number): number {
  return ((((degrees + 180) % 360) + 360) % 360) - 180
}

/** x_1 to the right, x_2 up. */
export function planeProjection(): Projection {
  return {
    features: 2,
    axes: [0, 1],
    right: Float64Array.of(1, 0),
    up: Float64Array.of(0, 1),
    toward: new Float64Array(2),
  }
}

/** Three coordinates of R^features seen from a direction given in degrees. */
export function spaceProjection(
  features: number,
  axes: readonly [number, number, number],
  azimuth: number,
  elevation: number,
): Projection {
  const [sinA, cosA] = [Math.sin(azimuth * RADIANS), Math.cos(azimuth * RADIANS)]
  const [sinE, cosE] = [Math.sin(elevation * RADIANS), Math.cos(elevation * RADIANS)]
  const embed = (vector: readonly [number, number, number]) => {
    const result = new Float64Array(features)
    axes.forEach((axis, k) => (result[axis] = vector[k]!))
    return result
  }
  return {
    features,
    axes,
    right: embed([-sinA, cosA, 0]),
    up: embed([-sinE * cosA, -sinE * sinA, cosE]),
    toward: embed([cosE * cosA, cosE * sinA, sinE]),
  }
}

/** Dot product of a direction [n] with point k of points [count, n]. */
export function along(direction: ArrayLike<number>, points: ArrayLike<number>, k = 0): number {
  let sum = 0
  for (let i = 0; i < direction.length; i += 1) sum += direction[i]! * points[k * direction.length + i]!
  return sum
}

export function project(projection: Projection, x: ArrayLike<number>, k = 0): [number, number] {
  return [along(projection.right, x, k), along(projection.up, x, k)]
}

export function toPixel(view: View, [u, v]: readonly [number, number]): [number, number] {
  return [
    view.left + (view.side / 2) * (1 + u / view.extent),
    view.top + (view.side / 2) * (1 - v / view.extent),
  ]
}

export function fromPixel(view: View, [x, y]: readonly [number, number]): [number, number] {
  return [
    view.extent * ((2 * (x - view.left)) / view.side - 1),
    view.extent * (1 - (2 * (y - view.top)) / view.side),
  ]
}

/** Pixels of points [count, n] + sigma noise [count, n], and their depth towards the viewer, [count, 3]. */
export function projectPoints(
  projection: Projection,
  view: View,
  points: ArrayLike<number>,
  target: Float32Array,
  noise?: ArrayLike<number>,
  sigma = 0,
): number {
  const { features, right, up, toward } = projection
  const count = Math.min(points.length / features, target.length / 3)
  const scale = view.side / 2 / view.extent
  const [x0, y0] = [view.left + view.side / 2, view.top + view.side / 2]
  const noisy = noise && sigma > 0
  for (let k = 0; k < count; k += 1) {
    let [u, v, depth] = [0, 0, 0]
    for (let i = 0; i < features; i += 1) {
      const at = k * features + i
      const x = noisy ? points[at]! + sigma * noise[at]! : points[at]!
      u += right[i]! * x
      v += up[i]! * x
      depth += toward[i]! * x
    }
    target[3 * k] = x0 + scale * u
    target[3 * k + 1] = y0 - scale * v
    target[3 * k + 2] = depth
  }
  return count
}

/** Half-width of the coordinates in view at noise level sigma: [-2.3, 2.3] without noise. */
export function reachAt(sigma: number): number {
  return Math.hypot(REST, NOISE_SHOWN * sigma)
}

/** Half-width of the picture that shows coordinates up to `reach`. */
export function extentOf(reach: number, dimensions: number): number {
  return dimensions === 3 ? SPACE_MARGIN * boxOf(reach, 3) : reach
}

/** Half-width of the box whose edges are the axes: the picture itself in the plane, the data's cube in space. */
export function boxOf(reach: number, dimensions: number): number {
  return dimensions === 3 ? (reach * 2) / REST : reach
}

/** The reach after `milliseconds` on the way to `target`, evenly in its logarithm. */
export function easeReach(current: number, target: number, milliseconds: number): number {
  const left = Math.log(current / target) * Math.exp(-milliseconds / ZOOM_TIME)
  return Math.abs(left) < 1e-3 ? target : target * Math.exp(left)
}

/** Multiples of 1, 2 or 5 times a power of ten in [-half, half], about five of them. */
export function ticksWithin(half: number): number[] {
  const power = 10 ** Math.floor(Math.log10(half / 1.5))
  const step = power * (half / 1.5 / power >= 5 ? 5 : half / 1.5 / power >= 2 ? 2 : 1)
  const last = Math.floor(half / step)
  return Array.from({ length: 2 * last + 1 }, (_, k) => (k - last) * step)
}

/** Where the line point + t direction is inside the cube |x_i| ≤ half: [t0, t1], or null where it misses it. */
export function clipLine(
  point: ArrayLike<number>,
  direction: ArrayLike<number>,
  half: number,
): readonly [number, number] | null {
  let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let i = 0; i < point.length; i += 1) {
    const slope = direction[i]!
    if (Math.abs(slope) < 1e-12) {
      if (Math.abs(point[i]!) > half) return null
      continue
    }
    const [one, other] = [(-half - point[i]!) / slope, (half - point[i]!) / slope]
    low = Math.max(low, Math.min(one, other))
    high = Math.min(high, Math.max(one, other))
  }
  return low < high ? [low, high] : null
}

/** Corners, in order, of the plane a·x = y inside the cube |x_i| ≤ half; empty where it misses it. a [3]. */
export function clipPlane(a: ArrayLike<number>, y: number, half: number): Float64Array[] {
  const corners: Float64Array[] = []
  for (let axis = 0; axis < 3; axis += 1) {
    if (Math.abs(a[axis]!) < 1e-12) continue
    const [second, third] = [(axis + 1) % 3, (axis + 2) % 3]
    for (const [s, t] of [
      [-half, -half],
      [-half, half],
      [half, -half],
      [half, half],
    ] as const) {
      const x = (y - a[second]! * s - a[third]! * t) / a[axis]!
      if (Math.abs(x) > half) continue
      const corner = new Float64Array(3)
      corner[axis] = x
      corner[second] = s
      corner[third] = t
      corners.push(corner)
    }
  }
  if (corners.length < 3) return []
  const centre = [0, 1, 2].map((i) => corners.reduce((sum, corner) => sum + corner[i]!, 0) / corners.length)
  const [e, f] = planeBasis(a)
  const angle = (corner: Float64Array) => {
    const offset = corner.map((value, i) => value - centre[i]!)
    return Math.atan2(along(f, offset), along(e, offset))
  }
  return corners.sort((one, other) => angle(one) - angle(other))
}

/** Two orthogonal directions, of no particular length, in the plane with normal a [3]. */
function planeBasis(a: ArrayLike<number>): [Float64Array, Float64Array] {
  const [x, y, z] = [a[0]!, a[1]!, a[2]!]
  const e = Math.abs(z) < 0.9 * Math.hypot(x, y, z) ? Float64Array.of(-y, x, 0) : Float64Array.of(0, -z, y)
  const f = cross(a, e)
  const norm = Math.hypot(...f) / Math.hypot(...e)
  return [e, f.map((value) => value / norm)]
}

/** a × b in R^3. */
export function cross(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  return Float64Array.of(
    a[1]! * b[2]! - a[2]! * b[1]!,
    a[2]! * b[0]! - a[0]! * b[2]!,
    a[0]! * b[1]! - a[1]! * b[0]!,
  )
}

/** Half-axes (standard deviations) and direction of the larger one, radians from u, of a covariance in the picture. */
export interface Ellipse {
  readonly major: number
  readonly minor: number
  readonly angle: number
}

/** The ellipse of one standard deviation of a covariance [n, n] as it appears in the picture. */
export function projectedEllipse(
  { features, right, up }: Projection,
  covariance: ArrayLike<number>,
): Ellipse {
  let [uu, uv, vv] = [0, 0, 0]
  for (let i = 0; i < features; i += 1) {
    for (let j = 0; j < features; j += 1) {
      const entry = (covariance[i * features + j]! + covariance[j * features + i]!) / 2
      uu += right[i]! * entry * right[j]!
      uv += right[i]! * entry * up[j]!
      vv += up[i]! * entry * up[j]!
    }
  }
  const middle = (uu + vv) / 2
  const radius = Math.hypot((uu - vv) / 2, uv)
  return {
    major: Math.sqrt(Math.max(0, middle + radius)),
    minor: Math.sqrt(Math.max(0, middle - radius)),
    angle: Math.atan2(2 * uv, uu - vv) / 2,
  }
}

/** The point of `pixels` [count, 3] nearest to a pixel, if nearer than `reach` pixels. */
export function nearestPoint(
  pixels: Float32Array,
  count: number,
  [x, y]: readonly [number, number],
  reach: number,
): number | null {
  let best: number | null = null
  let bestDistance = reach
  for (let k = 0; k < count; k += 1) {
    const distance = Math.hypot(pixels[3 * k]! - x, pixels[3 * k + 1]! - y)
    if (distance < bestDistance) {
      best = k
      bestDistance = distance
    }
  }
  return best
}

/** Distance of a pixel from the segment between two. */
export function distanceToSegment(
  [x, y]: readonly [number, number],
  [ax, ay]: readonly [number, number],
  [bx, by]: readonly [number, number],
): number {
  const squared = (bx - ax) ** 2 + (by - ay) ** 2
  const t = squared === 0 ? 0 : ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / squared
  const clamped = Math.max(0, Math.min(1, t))
  return Math.hypot(x - ax - clamped * (bx - ax), y - ay - clamped * (by - ay))
}
