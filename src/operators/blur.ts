/**
 * Blur with any kernel k, as motion makes it, the image reflected at its borders (edge pixel not repeated):
 *
 *     y[i, j] = Σ_{u, v} k[u, v] x[reflect(i + u), reflect(j + v)],   u, v = -(size - 1)/2 .. (size - 1)/2
 */
import type { ImagePrimitives } from './primitives'
import { type DescriptionOf, type ImageShape, type MeasuredMap, sizeOf } from './types'

/** Errors: RangeError where the kernel is not square and odd, not finite, zero, or too wide to be reflected. */
export function createBlur(
  { kernel, size }: DescriptionOf<'blur'>,
  shape: ImageShape,
  batch: number,
  primitives: ImagePrimitives,
): MeasuredMap {
  const { channels, height, width } = shape
  checkKernelSize(size, shape)
  if (kernel.length !== size * size) {
    throw new RangeError(
      `The blur kernel has ${kernel.length} weights, but a side of ${size} needs ${size * size}: give one number a pixel.`,
    )
  }
  if (!kernel.every(Number.isFinite)) {
    throw new RangeError(
      'The blur kernel holds a weight that is not a finite number: check where it comes from.',
    )
  }
  if (kernel.every((weight) => weight === 0)) {
    throw new RangeError('All weights of the blur kernel are 0, so nothing is measured: draw a path in it.')
  }
  return {
    map: primitives.correlation(
      'blur',
      { rows: size, columns: size, weights: kernel },
      { count: batch * channels, height, width },
    ),
    output: shape,
    observed: sizeOf(shape),
  }
}

/** The widest kernel that reflection allows: it reaches to the far edge and no further. */
export function largestKernelSize({ height, width }: ImageShape): number {
  return 2 * Math.min(height, width) - 1
}

/** Errors: RangeError where `size` is even or too wide. */
export function checkKernelSize(size: number, shape: ImageShape): void {
  if (!Number.isInteger(size) || size < 1 || size % 2 === 0) {
    throw new RangeError(
      `A blur kernel has a pixel in its centre, so its side must be an odd number, not ${size}: use ${2 * Math.max(0, Math.floor(size / 2)) + 1}.`,
    )
  }
  const largest = largestKernelSize(shape)
  if (size > largest) {
    throw new RangeError(
      `A blur kernel of side ${size} reaches past the reflection of an image of ${shape.width} × ${shape.height} pixels: use at most ${largest}.`,
    )
  }
}
