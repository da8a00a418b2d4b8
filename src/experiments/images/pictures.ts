/**
 * Between pictures (RGBA bytes, as a canvas has them) and images (planes of numbers in [-1, 1], as models have them).
 *
 *     byte = 127.5 (value + 1), rounded and clipped
 *
 * All is computed here and not by a canvas, so that every browser makes the same numbers. Transparent parts lie on white.
 */
import { areaRows, bicubicRows } from '../../math/scaling'
import { LUMA } from '../../operators/gray'
import type { ImageShape } from '../../operators/types'

/** RGBA, 4 · width · height bytes. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly data: Uint8ClampedArray<ArrayBuffer>
}

/** A square of a picture, in its pixels. */
interface Square {
  readonly x: number
  readonly y: number
  readonly side: number
}

/** [channels, height, width] of a picture: its colours for 3 channels, its luma for 1. */
export function imageOfPicture({ width, height, data }: Picture, channels: number): Float32Array {
  requireChannels(channels)
  const pixels = width * height
  const image = new Float32Array(channels * pixels)
  for (let i = 0; i < pixels; i++) {
    let luma = 0
    for (let c = 0; c < 3; c++) {
      const value = onWhite(data, 4 * i, c) / 127.5 - 1
      if (channels === 3) image[c * pixels + i] = value
      else luma += LUMA[c]! * value
    }
    if (channels === 1) image[i] = luma
  }
  return image
}

/**
 * The picture of an image [channels, height, width] with 1 (gray) or 3 channels; pixels where `visible` [height, width]
 * is 0 are transparent. Values outside of [-1, 1] are clipped, and what is not a number is black.
 */
export function pictureOfImage(image: ArrayLike<number>, shape: ImageShape, visible?: Uint8Array): Picture {
  const { channels, height, width } = shape
  requireChannels(channels)
  const pixels = width * height
  const data = new Uint8ClampedArray(4 * pixels)
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) {
      data[4 * i + c] = 127.5 * (image[channels === 3 ? c * pixels + i : i]! + 1)
    }
    data[4 * i + 3] = visible?.[i] === 0 ? 0 : 255
  }
  return { width, height, data }
}

/**
 * A square of a picture, scaled to `side` pixels: means over areas where it shrinks, bicubic where it grows.
 * Error: RangeError where the square is not inside the picture.
 */
export function scaledSquare({ width, height, data }: Picture, square: Square, side: number): Picture {
  const { x, y, side: from } = square
  if (!(from >= 1 && x >= 0 && y >= 0 && x + from <= width && y + from <= height)) {
    throw new RangeError(
      `A square of ${from} pixels at (${x}, ${y}) does not lie in a picture of ${width} × ${height}: move it inside.`,
    )
  }
  const rows = side < from ? areaRows(from, side) : bicubicRows(from, side)
  const scaled = new Uint8ClampedArray(4 * side * side)
  const source = new Float64Array(3 * from)
  const sums = new Float64Array(3 * side)
  rows.forEach((row, i) => {
    sums.fill(0)
    row.weights.forEach((rowWeight, k) => {
      const begin = 4 * ((y + row.first + k) * width + x)
      for (let j = 0; j < from; j++) {
        for (let c = 0; c < 3; c++) source[3 * j + c] = onWhite(data, begin + 4 * j, c)
      }
      for (let j = 0; j < side; j++) {
        const { first, weights } = rows[j]!
        for (let u = 0; u < weights.length; u++) {
          const weight = rowWeight * weights[u]!
          const at = 3 * (first + u)
          sums[3 * j]! += weight * source[at]!
          sums[3 * j + 1]! += weight * source[at + 1]!
          sums[3 * j + 2]! += weight * source[at + 2]!
        }
      }
    })
    for (let j = 0; j < side; j++) {
      const to = 4 * (i * side + j)
      for (let c = 0; c < 3; c++) scaled[to + c] = sums[3 * j + c]!
      scaled[to + 3] = 255
    }
  })
  return { width: side, height: side, data: scaled }
}

/** Channel `c` of the pixel at byte `at`, on white paper. */
function onWhite(data: Uint8ClampedArray, at: number, c: number): number {
  const alpha = data[at + 3]!
  return alpha === 255 ? data[at + c]! : 255 + (alpha / 255) * (data[at + c]! - 255)
}

function requireChannels(channels: number): void {
  if (channels !== 1 && channels !== 3) {
    throw new RangeError(`An image with ${channels} channels is no picture: 1 (gray) or 3 (RGB) are.`)
  }
}
