/**
 * Separable maps of images: one matrix along the rows, one along the columns of every channel.
 */
import { type AxisMatrix } from './axisMatrix'
import type { ImagePrimitives } from './primitives'
import { sequence } from './sequence'
import type { ImageShape, LinearMap } from './types'

/** x [batch, channels, height, width] → [batch, channels, vertical.rows, horizontal.rows]; real matrices. */
export function alongBothAxes(
  label: string,
  vertical: AxisMatrix,
  horizontal: AxisMatrix,
  { channels, height }: ImageShape,
  batch: number,
  primitives: ImagePrimitives,
): LinearMap {
  const outer = batch * channels
  return sequence(
    primitives.space,
    batch,
    [
      primitives.product(`${label} along rows`, horizontal, { outer, before: height, after: 1 }),
      primitives.product(`${label} along columns`, vertical, { outer, before: 1, after: horizontal.rows }),
    ],
    [channels * height * horizontal.rows],
  )
}
