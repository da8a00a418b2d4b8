/**
 * What dragging the constraint A x = y means. In R^2 and R^3 it has two handles: one moves it along A's rows (y), one
 * turns A (azimuth, and in R^3 elevation). Pointers are in picture coordinates, see scatterGeometry.ts.
 */
import { measurement } from '../../experiments/mixture/scene'
import { mixtureDefinitions, type MixtureSettings } from '../../experiments/mixture/settings'
import { LINE_IN_SPACE, STEM } from '../plots/scatterConstraint'
import {
  along,
  boxOf,
  clipLine,
  cross,
  project,
  wrapDegrees,
  type Projection,
} from '../plots/scatterGeometry'

type Point = readonly [number, number]

/** The constraint's handles and where they lie in R^n. */
export interface ConstraintHandles {
  /** Moves the constraint. */
  readonly move: Float64Array
  /** Turns it. */
  readonly turn: Float64Array
}

const DEGREES = 180 / Math.PI
/** Share of the picture's half-width at which a line's handles stand. */
const LINE_HANDLES = 0.9
/** A direction seen nearly end on moves no faster than one whose image has this squared length. */
const LEAST_FORESHORTENING = 0.1
const TURN_ITERATIONS = 8

/** In R^2 at the line's ends, in R^3 on the plane's foot and normal, or at the ends of the line. */
export function constraintHandles(settings: MixtureSettings, reach: number): ConstraintHandles {
  const A = measurement(settings)
  const { features, y1, y2 } = settings
  const first = A.subarray(0, features)
  const foot = first.map((value) => y1 * value)
  if (features === 2) {
    const direction = Float64Array.of(-first[1]!, first[0]!)
    const ends = clipLine(foot, direction, LINE_HANDLES * reach) ?? [-0.3 * reach, 0.3 * reach]
    return { move: at(foot, ends[0], direction), turn: at(foot, ends[1], direction) }
  }
  const box = boxOf(reach, 3)
  if (settings.observed === 1) return { move: foot, turn: first.map((value) => STEM * box * value) }
  const second = A.subarray(features, 2 * features)
  const origin = at(foot, y2, second)
  const direction = cross(first, second)
  return {
    move: at(origin, -LINE_IN_SPACE * box, direction),
    turn: at(origin, LINE_IN_SPACE * box, direction),
  }
}

function at(point: Float64Array, t: number, direction: ArrayLike<number>): Float64Array {
  return point.map((value, i) => value + t * direction[i]!)
}

/** Moves the constraint by a pointer's way (du, dv): y follows along the rows of A, within its range. */
export function movedConstraint(
  settings: MixtureSettings,
  projection: Projection,
  [du, dv]: Point,
): Partial<MixtureSettings> {
  const A = measurement(settings)
  const { features, observed, y1, y2 } = settings
  const rows = Array.from({ length: observed }, (_, r) => {
    const [pu, pv] = project(projection, A.subarray(r * features, (r + 1) * features))
    return { way: pu * du + pv * dv, length: pu * pu + pv * pv }
  })
  if (observed === 1) {
    const { way, length } = rows[0]!
    return { y1: limited('y1', y1 + way / Math.max(length, LEAST_FORESHORTENING)) }
  }
  return { y1: limited('y1', y1 + rows[0]!.way), y2: limited('y2', y2 + rows[1]!.way) }
}

/** Turns A so that the turning handle comes under the pointer, or as near to it as A's angles allow. */
export function turnedConstraint(
  settings: MixtureSettings,
  projection: Projection,
  reach: number,
  pointer: Point,
): Partial<MixtureSettings> {
  if (settings.features === 2) {
    // The line touches the circle of radius |y|; of its two tangents through the pointer this keeps the handle's.
    const [u, v] = pointer
    const way = Math.sqrt(Math.max(0, u * u + v * v - settings.y1 ** 2))
    return { azimuth: wrapped((Math.atan2(v, u) - Math.atan2(way, settings.y1)) * DEGREES) }
  }
  return nearestAngles(settings, projection, reach, pointer)
}

/** Levenberg-Marquardt on the two angles for the squared distance of the handle's image from the pointer. */
function nearestAngles(
  settings: MixtureSettings,
  projection: Projection,
  reach: number,
  pointer: Point,
): Partial<MixtureSettings> {
  const step = 0.01
  let damping = 1e-3 * reach ** 2
  let { azimuth, elevation } = settings
  const miss = (azimuth: number, elevation: number): Point => {
    const [u, v] = project(projection, constraintHandles({ ...settings, azimuth, elevation }, reach).turn)
    return [u - pointer[0], v - pointer[1]]
  }
  let now = miss(azimuth, elevation)
  for (let k = 0; k < TURN_ITERATIONS; k += 1) {
    const [byAzimuth, byElevation] = [miss(azimuth + step, elevation), miss(azimuth, elevation + step)]
    const scale = DEGREES / step
    const [au, av] = [(byAzimuth[0] - now[0]) * scale, (byAzimuth[1] - now[1]) * scale]
    const [eu, ev] = [(byElevation[0] - now[0]) * scale, (byElevation[1] - now[1]) * scale]
    const [aa, ae, ee] = [au * au + av * av + damping, au * eu + av * ev, eu * eu + ev * ev + damping]
    const [ga, ge] = [au * now[0] + av * now[1], eu * now[0] + ev * now[1]]
    const determinant = aa * ee - ae * ae
    const next = {
      azimuth: azimuth - ((ee * ga - ae * ge) / determinant) * DEGREES,
      elevation: limited('elevation', elevation - ((aa * ge - ae * ga) / determinant) * DEGREES),
    }
    const then = miss(next.azimuth, next.elevation)
    if (Math.hypot(...then) < Math.hypot(...now)) {
      ;({ azimuth, elevation } = next)
      now = then
      damping /= 4
    } else damping *= 8
  }
  return { azimuth: wrapped(azimuth), elevation }
}

/** Moves by keys: steps of y in units of x, angles in degrees. */
export function steppedConstraint(
  settings: MixtureSettings,
  change: Partial<Pick<MixtureSettings, 'y1' | 'y2' | 'azimuth' | 'elevation'>>,
): Partial<MixtureSettings> {
  const next: Partial<MixtureSettings> = {}
  for (const key of ['y1', 'y2', 'elevation'] as const) {
    if (change[key] !== undefined) next[key] = limited(key, settings[key] + change[key])
  }
  if (change.azimuth !== undefined) next.azimuth = wrapped(settings.azimuth + change.azimuth)
  return next
}

/** As fine as the page shows it, so that the URL stays short. */
function limited(key: 'y1' | 'y2' | 'elevation', value: number): number {
  const { minimum, maximum } = rangeOf(key)
  const digits = key === 'elevation' ? 10 : 1000
  return Math.max(minimum, Math.min(maximum, Math.round(value * digits) / digits))
}

/** Smallest and largest value of a number among the settings. */
export function rangeOf(key: 'y1' | 'y2' | 'azimuth' | 'elevation'): { minimum: number; maximum: number } {
  const definition = mixtureDefinitions[key]
  if (definition.kind !== 'number') throw new TypeError(`${key} is not a number.`)
  return definition
}

function wrapped(degrees: number): number {
  return Math.round(wrapDegrees(degrees) * 10) / 10
}

/** A's first row in words: its angles, in degrees. */
export function directionText({ features, azimuth, elevation }: MixtureSettings): string {
  return features === 2 ? `${azimuth}°` : `azimuth ${azimuth}°, elevation ${elevation}°`
}

/** y in words. */
export function observationText({ observed, y1, y2 }: MixtureSettings): string {
  return observed === 1 ? `y = ${y1}` : `y = (${y1}, ${y2})`
}

/** Distance of a point from the constraint along A, the root mean square over its rows. */
export function constraintDistance(A: Float64Array, y: Float64Array, x: ArrayLike<number>, k = 0): number {
  const features = A.length / y.length
  let sum = 0
  for (let r = 0; r < y.length; r += 1) {
    const row = A.subarray(r * features, (r + 1) * features)
    sum += (along(row, x, k) - y[r]!) ** 2
  }
  return Math.sqrt(sum / y.length)
}
