/**
 * Gaussian blur, separable, the image reflected at its borders (edge pixel not repeated):
 *
 *     y = G_h x G_wᵀ,   (G x)[i] = Σ_u g[u] x[reflect(i + u)],   g[u] ∝ exp(-u² / (2 s²)),   Σ g = 1
 */
import { alongBothAxes } from './alongBothAxes'
import { type AxisMatrix, realMatrix } from './axisMatrix'
import { checkKernelSize } from './blur'
import { type ImagePrimitives, reflected } from './primitives'
import { type DescriptionOf, type ImageShape, type MeasuredMap, sizeOf } from './types'

/** Errors: RangeError for a standard deviation that is not above 0, or a kernel that is even or too wide. */
export function createGaussianBlur(
  { standardDeviation, size }: DescriptionOf<'gaussianBlur'>,
  shape: ImageShape,
  batch: number,
  primitives: ImagePrimitives,
): MeasuredMap {
  const { height, width } = shape
  checkKernelSize(size, shape)
  const weights = gaussianWeights(standardDeviation, size)
  return {
    map: alongBothAxes(
      'Gaussian blur',
      reflectedCorrelation(weights, height),
      reflectedCorrelation(weights, width),
      shape,
      batch,
      primitives,
    ),
    output: shape,
    observed: sizeOf(shape),
  }
}

/** g, [size], with sum 1. Error: RangeError for a standard deviation that is not above 0. */
export function gaussianWeights(standardDeviation: number, size: number): Float64Array {
  if (!(standardDeviation > 0 && Number.isFinite(standardDeviation))) {
    throw new RangeError(
      `The standard deviation of a Gaussian blur must be a number of pixels above 0, not ${standardDeviation}.`,
    )
  }
  const g = Float64Array.from({ length: size }, (_, i) =>
    Math.exp(-(((i - (size - 1) / 2) / standardDeviation) ** 2) / 2),
  )
  const sum = g.reduce((total, weight) => total + weight, 0)
  return g.map((weight) => weight / sum)
}

/** G with the reflection in it: weights that meet the same pixel are added. */
function reflectedCorrelation(weights: Float64Array, length: number): AxisMatrix {
  const margin = (weights.length - 1) / 2
  const places = reflected(length, margin)
  const data = new Float64Array(length * length)
  for (let i = 0; i < length; i++) {
    weights.forEach((weight, u) => {
      data[i * length + places[i + u]!]! += weight
    })
  }
  return realMatrix(length, length, (row, column) => data[row * length + column]!)
}
