/**
 * From the description of a measurement to the operator on a device.
 */
import type { Vector } from '../linalg/vectorSpace'
import { createBlur } from './blur'
import { createGaussianBlur } from './gaussianBlur'
import { createGray } from './gray'
import { createInpainting } from './inpainting'
import { createMri } from './mri'
import type { ImagePrimitives } from './primitives'
import { createSuperResolution } from './superResolution'
import {
  type ImageOperator,
  type ImageShape,
  type MeasuredMap,
  type OperatorDescription,
  sizeOf,
} from './types'

/**
 * A on a batch of images of one shape, on the device of `primitives`.
 * Error: RangeError where the description does not fit the shape, with what to change.
 */
export function createImageOperator(
  description: OperatorDescription,
  shape: ImageShape,
  batch: number,
  primitives: ImagePrimitives,
): ImageOperator {
  const { map, output, observed } = createMap(description, shape, batch, primitives)
  const inputSize = sizeOf(shape)
  const outputSize = sizeOf(output)
  return {
    description,
    input: shape,
    output,
    observed,
    apply(x, out) {
      checkVector(x, batch, inputSize)
      checkVector(out, batch, outputSize)
      map.apply(x, out)
    },
    adjoint(y, out) {
      checkVector(y, batch, outputSize)
      checkVector(out, batch, inputSize)
      map.adjoint(y, out)
    },
    release: () => map.release(),
  }
}

function createMap(
  description: OperatorDescription,
  shape: ImageShape,
  batch: number,
  primitives: ImagePrimitives,
): MeasuredMap {
  switch (description.kind) {
    case 'inpainting':
      return createInpainting(description, shape, primitives)
    case 'blur':
      return createBlur(description, shape, batch, primitives)
    case 'gaussianBlur':
      return createGaussianBlur(description, shape, batch, primitives)
    case 'superResolution':
      return createSuperResolution(description, shape, batch, primitives)
    case 'mri':
      return createMri(description, shape, batch, primitives)
    case 'gray':
      return createGray(shape, batch, primitives)
  }
}

function checkVector(vector: Vector, batch: number, size: number): void {
  if (vector.batch !== batch || vector.size !== size) {
    throw new RangeError(
      `The vector "${vector.label}" is [${vector.batch}, ${vector.size}], but the operator needs [${batch}, ${size}].`,
    )
  }
}
