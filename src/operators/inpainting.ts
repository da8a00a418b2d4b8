/**
 * Inpainting: A = diag(mask), the same pixels of every channel, so A = Aᵀ.
 */
import type { ImagePrimitives } from './primitives'
import type { DescriptionOf, ImageShape, MeasuredMap } from './types'

/** Errors: RangeError where the mask has another size than the image, or hides all of it. */
export function createInpainting(
  { mask }: DescriptionOf<'inpainting'>,
  shape: ImageShape,
  { space }: ImagePrimitives,
): MeasuredMap {
  const { channels, height, width } = shape
  const pixels = height * width
  if (mask.length !== pixels) {
    throw new RangeError(
      `The mask has ${mask.length} pixels, but the image has ${width} × ${height} = ${pixels}: give one number a pixel.`,
    )
  }
  const seen = mask.reduce((count, m) => count + (m === 0 ? 0 : 1), 0)
  if (seen === 0) {
    throw new RangeError('The mask hides every pixel, so nothing is measured: leave at least one to be seen.')
  }
  const diagonal = space.vector('inpainting mask', 1, channels * pixels)
  space.write(
    diagonal,
    Float32Array.from({ length: channels * pixels }, (_, i) => (mask[i % pixels] === 0 ? 0 : 1)),
  )
  return {
    map: {
      apply: (x, out) => space.multiply(out, x, diagonal),
      adjoint: (y, out) => space.multiply(out, y, diagonal),
      release: () => space.release(diagonal),
    },
    output: shape,
    observed: channels * seen,
  }
}
