/**
 * The measurement of a task, y = A x + sigma_y ε: from settings to the description of A, its noise, and pictures of both.
 *
 * Sizes in the settings are parts of the image's side, after the paper's at 256 × 256 (61 × 61 blurs, deviation 3).
 */
import type { Vector, VectorSpace } from '../../linalg/vectorSpace'
import { DOMAIN } from '../../math/philox'
import { largestKernelSize } from '../../operators/blur'
import { gaussianWeights } from '../../operators/gaussianBlur'
import { type ImageOperator, type ImageShape, type OperatorDescription, sizeOf } from '../../operators/types'
import { type BrushStroke, boxMask, brushMask, columnMask, randomMask } from './masks'
import { drawnMotionKernel, randomMotionKernel } from './motionKernel'
import { type Picture, pictureOfImage } from './pictures'
import type { ImagesSettings } from './settings'

/** A Gaussian kernel reaches this many standard deviations far, as 61 taps do with deviation 3. */
const REACH = 10

/** What belongs to a task beside its settings: drawn by hand. */
export interface Drawings {
  readonly strokes: readonly BrushStroke[]
  /** A motion kernel's path, a polyline in -1..1; null, or without a point, takes the random one of the task seed. */
  readonly drawnKernel: readonly (readonly [number, number])[] | null
}

/** A for images of this shape. Whether it can be made of it, createImageOperator says. */
export function describeMeasurement(
  settings: ImagesSettings,
  shape: ImageShape,
  { strokes, drawnKernel }: Drawings,
): OperatorDescription {
  const side = Math.min(shape.height, shape.width)
  switch (settings.task) {
    case 'box': {
      const { boxX, boxY, boxSide } = settings
      return { kind: 'inpainting', mask: boxMask(shape, boxX, boxY, boxSide) }
    }
    case 'brush':
      return { kind: 'inpainting', mask: brushMask(shape, strokes) }
    case 'random':
      return { kind: 'inpainting', mask: randomMask(shape, settings.kept, settings.taskSeed) }
    case 'motion': {
      const { kernelSide, intensity, taskSeed } = settings
      const size = Math.min(largestKernelSize(shape), Math.max(3, nearestOdd(kernelSide * side)))
      const kernel = drawnKernel?.length
        ? drawnMotionKernel(size, drawnKernel)
        : randomMotionKernel(size, intensity, taskSeed)
      return { kind: 'blur', kernel, size }
    }
    case 'gaussian': {
      const standardDeviation = settings.blur * side
      const size = Math.min(largestKernelSize(shape), 2 * Math.ceil(REACH * standardDeviation) + 1)
      return { kind: 'gaussianBlur', standardDeviation, size }
    }
    case 'superres':
      return { kind: 'superResolution', factor: settings.factor }
    case 'mri': {
      const { acceleration, centre, taskSeed } = settings
      return { kind: 'mri', columns: columnMask(shape.width, acceleration, centre, taskSeed) }
    }
    case 'gray':
      return { kind: 'gray' }
  }
}

function nearestOdd(value: number): number {
  return 2 * Math.round((value - 1) / 2) + 1
}

/** y ← A x + sigma_y ε, ε of the task's seed and only where A measures; x and y as the operator has them. */
export function measure(
  space: VectorSpace,
  operator: ImageOperator,
  { sigmaY, taskSeed }: Pick<ImagesSettings, 'sigmaY' | 'taskSeed'>,
  x: Vector,
  y: Vector,
): void {
  operator.apply(x, y)
  const noise = space.vector('measurement noise', y.batch, y.size)
  const address = { seed: taskSeed, stream: 0, step: 0, domain: DOMAIN.measurementNoise }
  space.fillNormal(noise, address)
  const measured = measuredPart(operator)
  if (measured) {
    const mask = space.vector('measured part', 1, y.size)
    space.write(mask, measured)
    space.multiply(noise, noise, mask)
    space.release(mask)
  }
  space.combine(y, [
    { factor: 1, vector: y },
    { factor: sigmaY, vector: noise },
  ])
  space.release(noise)
}

/** 1 where y is measured and 0 elsewhere, of one image; null where all of it is. */
function measuredPart({ description, output }: ImageOperator): Float32Array | null {
  const length = sizeOf(output)
  switch (description.kind) {
    case 'inpainting': {
      const { mask } = description
      return Float32Array.from({ length }, (_, i) => (mask[i % mask.length] === 0 ? 0 : 1))
    }
    case 'mri':
      return Float32Array.from({ length }, (_, i) => (description.columns[i % output.width] === 0 ? 0 : 1))
    case 'blur':
    case 'gaussianBlur':
    case 'superResolution':
    case 'gray':
      return null
  }
}

/**
 * What the measurement y of one image [1, output] shows: hidden pixels transparent, the small picture of super-resolution,
 * Aᵀ y of MRI (the inverse transform with zeros for what is missing).
 */
export async function observationPicture(
  space: VectorSpace,
  operator: ImageOperator,
  y: Vector,
): Promise<Picture> {
  const { description, input, output } = operator
  if (description.kind === 'mri') {
    const filled = space.vector('zero-filled inverse', 1, sizeOf(input))
    operator.adjoint(y, filled)
    const picture = pictureOfImage(await space.read(filled), input)
    space.release(filled)
    return picture
  }
  const visible = description.kind === 'inpainting' ? description.mask : undefined
  return pictureOfImage(await space.read(y), output, visible)
}

/**
 * A itself: its mask or kernel, white where it weighs most, or the measured columns of the spectrum with frequency 0 in
 * the centre. Null where there is nothing to show.
 */
export function measurementPicture(description: OperatorDescription, shape: ImageShape): Picture | null {
  switch (description.kind) {
    case 'inpainting':
      return grayPicture(description.mask, shape.height, shape.width)
    case 'blur':
      return grayPicture(description.kernel, description.size, description.size)
    case 'gaussianBlur': {
      const { standardDeviation, size } = description
      const g = gaussianWeights(standardDeviation, size)
      const kernel = Float64Array.from(
        { length: size * size },
        (_, i) => g[Math.floor(i / size)]! * g[i % size]!,
      )
      return grayPicture(kernel, size, size)
    }
    case 'mri': {
      const { height, width } = shape
      const zero = Math.floor(width / 2)
      const columns = Uint8Array.from(
        { length: height * width },
        (_, i) => description.columns[((i % width) + width - zero) % width]!,
      )
      return grayPicture(columns, height, width)
    }
    case 'superResolution':
    case 'gray':
      return null
  }
}

/** From black (0) to white (the largest). */
function grayPicture(values: ArrayLike<number>, height: number, width: number): Picture {
  const numbers = Array.from(values)
  const largest = numbers.reduce((most, value) => Math.max(most, value), 0)
  return pictureOfImage(
    numbers.map((value) => (2 * value) / largest - 1),
    { channels: 1, height, width },
  )
}
