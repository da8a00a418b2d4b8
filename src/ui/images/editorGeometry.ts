/** Where the handles of the editors on the image are, and what moving them means. Units are those of the side, 0..1. */
import { imageSettings } from '../../experiments/images/settings'
import type { NumberSetting } from '../../experiments/settings'

export type UnitPoint = readonly [number, number]

/** A square hole: its centre and side. */
export interface Hole {
  readonly x: number
  readonly y: number
  readonly side: number
}

export type Corner = 'nw' | 'ne' | 'sw' | 'se'

/** What the setting of a handle may be. */
export const range = (key: 'boxSide' | 'acceleration' | 'centre') => imageSettings[key] as NumberSetting
const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))

/** To what a link holds. */
export const rounded = (value: number): number => Number(value.toFixed(4))

/** A hole that has been moved, whole inside the image. */
export function movedHole({ x, y, side }: Hole, [dx, dy]: UnitPoint): Hole {
  return {
    x: rounded(clamp(x + dx, side / 2, 1 - side / 2)),
    y: rounded(clamp(y + dy, side / 2, 1 - side / 2)),
    side,
  }
}

export function cornerOf({ x, y, side }: Hole, corner: Corner): UnitPoint {
  const half = side / 2
  return [corner.endsWith('w') ? x - half : x + half, corner.startsWith('n') ? y - half : y + half]
}

const OPPOSITE: Readonly<Record<Corner, Corner>> = { nw: 'se', ne: 'sw', sw: 'ne', se: 'nw' }

/** A hole one of whose corners follows a point; the opposite corner stays, and the hole stays square and inside. */
export function resizedHole(hole: Hole, corner: Corner, [px, py]: UnitPoint): Hole {
  const [ox, oy] = cornerOf(hole, OPPOSITE[corner])
  const [right, down] = [corner.endsWith('e') ? 1 : -1, corner.startsWith('s') ? 1 : -1]
  const room = Math.min(right > 0 ? 1 - ox : ox, down > 0 ? 1 - oy : oy)
  const { minimum, maximum } = range('boxSide')
  const wanted = Math.max((px - ox) * right, (py - oy) * down)
  const side = rounded(clamp(wanted, minimum, Math.max(minimum, Math.min(maximum, room))))
  return movedHole({ x: ox + (right * side) / 2, y: oy + (down * side) / 2, side }, [0, 0])
}

/** Edges of the band of columns that are all measured. */
export function bandEdges(centre: number): UnitPoint {
  return [0.5 - centre / 2, 0.5 + centre / 2]
}

/** Part of the columns in the band whose edge lies at x. At most one column in R is measured. */
export function centreAt(x: number, acceleration: number): number {
  const { minimum, maximum } = range('centre')
  // Below, not above: the rounded number must still fit.
  const most = Math.floor(1e4 * Math.min(maximum, 1 / acceleration)) / 1e4
  return rounded(clamp(2 * Math.abs(x - 0.5), minimum, most))
}

/** Height of the acceleration's handle, from the top: logarithmic, the fastest scan above. */
export function accelerationHeight(acceleration: number): number {
  return 1 - Math.log(acceleration) / Math.log(range('acceleration').maximum)
}

/** The acceleration at a height; the centre has to fit into one column in R. */
export function accelerationAt(height: number, centre: number): number {
  const { minimum, maximum } = range('acceleration')
  const most = centre > 0 ? Math.min(maximum, 1 / centre) : maximum
  return Number(clamp(maximum ** (1 - height), minimum, Math.floor(100 * most) / 100).toFixed(2))
}

/** Points of a stroke closer than this to the one before say nothing. */
const CLOSEST = 0.006

/** A stroke with another point, unless that is where it already is. */
export function extendedStroke(points: readonly UnitPoint[], point: UnitPoint): readonly UnitPoint[] {
  const last = points.at(-1)
  if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < CLOSEST) return points
  return [...points, [rounded(point[0]), rounded(point[1])]]
}

/** A point of the pointer on an element, 0..1 from its upper left corner, inside. */
export function unitPoint(
  { clientX, clientY }: { readonly clientX: number; readonly clientY: number },
  element: Element,
): UnitPoint {
  const box = element.getBoundingClientRect()
  return [clamp((clientX - box.left) / box.width, 0, 1), clamp((clientY - box.top) / box.height, 0, 1)]
}

/** The direction of an arrow key; undefined for other keys. */
export function arrowDirection(key: string): UnitPoint | undefined {
  switch (key) {
    case 'ArrowLeft':
      return [-1, 0]
    case 'ArrowRight':
      return [1, 0]
    case 'ArrowUp':
      return [0, -1]
    case 'ArrowDown':
      return [0, 1]
    default:
      return undefined
  }
}

export function polyline(points: readonly UnitPoint[], scale: number): string {
  return points.map(([x, y]) => `${scale * x},${scale * y}`).join(' ')
}
