/**
 * Which pixels, or columns of the spectrum, a task measures: 1 measured, 0 not.
 *
 * Random ones come from one shuffled order per seed, so that a mask that keeps more holds all that one with fewer has.
 */
import { DOMAIN, RandomStream, uniformIndex, unit } from '../../math/philox'

/** A polyline in units of the side (0..1), and its width in the same units; `erase` makes pixels visible again. */
export interface BrushStroke {
  readonly points: readonly (readonly [number, number])[]
  readonly width: number
  readonly erase: boolean
}

interface Size {
  readonly height: number
  readonly width: number
}

/** Steps of the random addresses, so that the uses of one seed differ. */
const USE = { pixels: 0, columns: 1, box: 2 } as const

/** [height, width]; a square hole with its centre at (x, y), all in units of the side, whole inside the image. */
export function boxMask({ height, width }: Size, x: number, y: number, side: number): Uint8Array {
  const shorter = Math.min(height, width)
  // A pixel at least is hidden, and one row at least is seen.
  const hole = Math.max(1, Math.min(shorter - 1, Math.round(side * shorter)))
  const left = clamp(Math.round(x * width - hole / 2), 0, width - hole)
  const top = clamp(Math.round(y * height - hole / 2), 0, height - hole)
  return maskOf({ height, width }, (i, j) => i < top || i >= top + hole || j < left || j >= left + hole)
}

/** Centre (x, y) of a hole, uniform where the hole stays `margin` away from every edge; all in units of the side. */
export function randomBoxCentre(side: number, margin: number, seed: number): readonly [number, number] {
  const words = new RandomStream(seed, 0).block(0, USE.box, 0, DOMAIN.imageMask)
  const nearest = side / 2 + margin
  const place = (word: number) => nearest + (1 - 2 * nearest) * unit(word)
  return [place(words[0]!), place(words[1]!)]
}

/** [height, width]; pixels whose centre lies under a round brush are hidden, stroke after stroke. */
export function brushMask({ height, width }: Size, strokes: readonly BrushStroke[]): Uint8Array {
  const mask = new Uint8Array(height * width).fill(1)
  for (const stroke of strokes) {
    // The finest brush still meets a pixel wherever it is.
    const radius = Math.max((stroke.width * Math.min(height, width)) / 2, Math.SQRT1_2)
    const points = stroke.points.map(([x, y]) => [x * width, y * height] as const)
    points.forEach((to, k) => {
      const from = points[Math.max(0, k - 1)]!
      paint(mask, { height, width }, from, to, radius, stroke.erase ? 1 : 0)
    })
  }
  return mask
}

/** Gives the pixels within `radius` of a segment the value. */
function paint(
  mask: Uint8Array,
  { height, width }: Size,
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
  radius: number,
  value: number,
): void {
  const [dx, dy] = [x1 - x0, y1 - y0]
  const squared = dx * dx + dy * dy
  const low = (a: number, b: number) => Math.max(0, Math.floor(Math.min(a, b) - radius - 0.5))
  const high = (a: number, b: number, length: number) =>
    Math.min(length - 1, Math.ceil(Math.max(a, b) + radius - 0.5))
  for (let i = low(y0, y1); i <= high(y0, y1, height); i++) {
    for (let j = low(x0, x1); j <= high(x0, x1, width); j++) {
      const [px, py] = [j + 0.5 - x0, i + 0.5 - y0]
      const along = squared > 0 ? clamp((px * dx + py * dy) / squared, 0, 1) : 0
      if (Math.hypot(px - along * dx, py - along * dy) <= radius) mask[i * width + j] = value
    }
  }
}

/** [height, width]; exactly round(kept · pixels) are seen, one at least. */
export function randomMask({ height, width }: Size, kept: number, seed: number): Uint8Array {
  const pixels = height * width
  const count = clamp(Math.round(kept * pixels), 1, pixels)
  const mask = new Uint8Array(pixels)
  for (const pixel of shuffled(pixels, seed, USE.pixels).subarray(0, count)) mask[pixel] = 1
  return mask
}

/**
 * [width], column 0 is frequency 0; exactly round(width / acceleration) are measured: those of the whole centre, which
 * takes the part `centre` of all columns, and random others.
 */
export function columnMask(width: number, acceleration: number, centre: number, seed: number): Uint8Array {
  const count = clamp(Math.round(width / acceleration), 1, width)
  const whole = Math.min(count, Math.round(centre * width))
  const columns = new Uint8Array(width)
  for (let k = 0; k < whole; k++) columns[(k - Math.floor(whole / 2) + width) % width] = 1
  let left = count - whole
  for (const column of shuffled(width, seed, USE.columns)) {
    if (left === 0) break
    if (columns[column] === 1) continue
    columns[column] = 1
    left--
  }
  return columns
}

/** 0 .. count - 1 in random order (Fisher and Yates). */
function shuffled(count: number, seed: number, use: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  const random = new RandomStream(seed, 0)
  for (let i = 0; i < count - 1; i++) {
    const other = i + uniformIndex(random.block(i, use, 0, DOMAIN.imageMask)[0]!, count - i)
    const kept = order[i]!
    order[i] = order[other]!
    order[other] = kept
  }
  return order
}

function maskOf({ height, width }: Size, seen: (row: number, column: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: height * width }, (_, at) =>
    seen(Math.floor(at / width), at % width) ? 1 : 0,
  )
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
