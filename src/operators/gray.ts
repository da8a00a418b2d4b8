/**
 * Gray from colour: luma of ITU-R BT.601, y = 0.299 R + 0.587 G + 0.114 B.
 */
import { realMatrix } from './axisMatrix'
import type { ImagePrimitives } from './primitives'
import type { ImageShape, MeasuredMap } from './types'

/** Of R, G, B; their sum is 1. */
export const LUMA: readonly number[] = [0.299, 0.587, 0.114]

/** Error: RangeError for an image without three channels. */
export function createGray(
  { channels, height, width }: ImageShape,
  batch: number,
  primitives: ImagePrimitives,
): MeasuredMap {
  if (channels !== 3) {
    throw new RangeError(
      `Only an image with 3 channels has colours to lose, and this one has ${channels}: choose a colour model or another task.`,
    )
  }
  const luma = realMatrix(1, 3, (_, channel) => LUMA[channel]!)
  return {
    map: primitives.product('gray', luma, { outer: batch, before: 1, after: height * width }),
    output: { channels: 1, height, width },
    observed: height * width,
  }
}
