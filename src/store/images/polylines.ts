/**
 * Brush strokes and a drawn kernel as text for a link: 12 bits a coordinate, two characters each, on a grid that is
 * finer than a pixel of the largest image. The lab computes with what the link holds, so that a link reproduces it.
 *
 *     strokes   p0240AABBCC….e01…       p paints or e erases, the width, then the points
 *     kernel    AABBCC…                 points in -1..1
 */
import type { BrushStroke } from './types'

type Point = readonly [number, number]

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const LEVELS = 4095
/** Points this near to the line of their neighbours are left out, in units of the side. */
const TOLERANCE = 1 / 1024
/** More in all do not fit an address: coarser lines are tried. */
const MOST_POINTS = 4096
const MOST_STROKES = 512

/** What a link can hold of strokes: on the grid, without points that do not matter, clipped to the image. */
export function quantizeBrush(strokes: readonly BrushStroke[]): BrushStroke[] {
  const drawn = strokes.filter(({ points }) => points.length > 0).slice(-MOST_STROKES)
  for (let tolerance = TOLERANCE; ; tolerance *= 2) {
    const simple = drawn.map(({ erase, width, points }) => ({
      erase,
      width,
      points: simplify(points, tolerance),
    }))
    const count = simple.reduce((sum, { points }) => sum + points.length, 0)
    if (count <= MOST_POINTS || tolerance > 1) return decodeBrush(encodeBrush(simple)) ?? []
  }
}

export function encodeBrush(strokes: readonly BrushStroke[]): string {
  return strokes
    .map(({ erase, width, points }) => (erase ? 'e' : 'p') + number(width) + pairs(points, 0, 1))
    .join('.')
}

/** Reads what `encodeBrush` wrote; undefined where it is damaged. */
export function decodeBrush(text: string): BrushStroke[] | undefined {
  if (text === '') return []
  const parts = text.split('.')
  if (parts.length > MOST_STROKES) return undefined
  const strokes: BrushStroke[] = []
  for (const part of parts) {
    const width = readNumbers(part.slice(1, 3))?.[0]
    const points = readPairs(part.slice(3), 0, 1)
    if (!/^[pe]/.test(part) || !width || !points || points.length === 0) return undefined
    strokes.push({ erase: part.startsWith('e'), width, points })
  }
  return strokes
}

/** As `quantizeBrush`, for a kernel's path; null where it has no length. */
export function quantizeKernel(points: readonly Point[]): readonly Point[] | null {
  for (let tolerance = 2 * TOLERANCE; ; tolerance *= 2) {
    const simple = simplify(points, tolerance)
    if (simple.length < 2) return null
    if (simple.length <= MOST_POINTS) return decodeKernel(encodeKernel(simple)) ?? null
  }
}

export function encodeKernel(points: readonly Point[]): string {
  return pairs(points, -1, 1)
}

/** Reads what `encodeKernel` wrote; undefined where it is damaged. */
export function decodeKernel(text: string): readonly Point[] | undefined {
  const points = readPairs(text, -1, 1)
  return points && points.length >= 2 ? points : undefined
}

function pairs(points: readonly Point[], low: number, high: number): string {
  const scale = (value: number) => (value - low) / (high - low)
  return points.map(([x, y]) => number(scale(x)) + number(scale(y))).join('')
}

function readPairs(text: string, low: number, high: number): Point[] | undefined {
  const values = readNumbers(text)
  if (!values || values.length % 2 !== 0 || values.length > 2 * MOST_POINTS) return undefined
  const scale = (value: number) => low + value * (high - low)
  return Array.from({ length: values.length / 2 }, (_, i) => [
    scale(values[2 * i]!),
    scale(values[2 * i + 1]!),
  ])
}

/** 0..1 in two characters. */
function number(value: number): string {
  const level = Math.round(Math.min(Math.max(value, 0), 1) * LEVELS)
  return DIGITS[level >> 6]! + DIGITS[level & 63]!
}

function readNumbers(text: string): number[] | undefined {
  const digits = Array.from(text, (digit) => DIGITS.indexOf(digit))
  if (digits.length % 2 !== 0 || digits.includes(-1)) return undefined
  return Array.from(
    { length: digits.length / 2 },
    (_, i) => ((digits[2 * i]! << 6) | digits[2 * i + 1]!) / LEVELS,
  )
}

/** Ramer, Douglas and Peucker: leaves out points nearer than `tolerance` to the line between those kept. */
function simplify(points: readonly Point[], tolerance: number): readonly Point[] {
  if (points.length < 3) return points
  const kept = new Set([0, points.length - 1])
  const open: (readonly [number, number])[] = [[0, points.length - 1]]
  for (let span = open.pop(); span; span = open.pop()) {
    const [first, last] = span
    let farthest = -1
    let distance = tolerance
    for (let i = first + 1; i < last; i++) {
      const d = distanceToSegment(points[i]!, points[first]!, points[last]!)
      if (d <= distance) continue
      distance = d
      farthest = i
    }
    if (farthest < 0) continue
    kept.add(farthest)
    open.push([first, farthest], [farthest, last])
  }
  return points.filter((_, i) => kept.has(i))
}

function distanceToSegment([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay]
  const length = dx * dx + dy * dy
  const along = length === 0 ? 0 : Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / length, 0), 1)
  return Math.hypot(x - ax - along * dx, y - ay - along * dy)
}
