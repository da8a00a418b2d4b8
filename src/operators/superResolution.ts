/**
 * Super-resolution: A shrinks each axis by a factor f with the antialiased bicubic filter (src/math/scaling.ts),
 * y = B_h x B_wᵀ; the same numbers as PyTorch's `interpolate(mode='bicubic', antialias=True)`.
 */
import { bicubicRows } from '../math/scaling'
import { alongBothAxes } from './alongBothAxes'
import { type AxisMatrix, realMatrix } from './axisMatrix'
import type { ImagePrimitives } from './primitives'
import { type DescriptionOf, type ImageShape, type MeasuredMap, sizeOf } from './types'

/** Error: RangeError for a factor that is no integer above 1 or does not divide both sides. */
export function createSuperResolution(
  { factor }: DescriptionOf<'superResolution'>,
  shape: ImageShape,
  batch: number,
  primitives: ImagePrimitives,
): MeasuredMap {
  const { channels, height, width } = shape
  if (!Number.isInteger(factor) || factor < 2) {
    throw new RangeError(
      `The factor of super-resolution must be an integer from 2 on, not ${factor}: use 2 or 4.`,
    )
  }
  if (height % factor !== 0 || width % factor !== 0) {
    throw new RangeError(
      `The factor ${factor} does not divide an image of ${width} × ${height} pixels: choose another factor, or sides that are multiples of ${factor}.`,
    )
  }
  const output = { channels, height: height / factor, width: width / factor }
  return {
    map: alongBothAxes(
      'super-resolution',
      shrinking(height, output.height),
      shrinking(width, output.width),
      shape,
      batch,
      primitives,
    ),
    output,
    observed: sizeOf(output),
  }
}

function shrinking(from: number, to: number): AxisMatrix {
  const rows = bicubicRows(from, to)
  return realMatrix(to, from, (row, column) => {
    const { first, weights } = rows[row]!
    return weights[column - first] ?? 0
  })
}
