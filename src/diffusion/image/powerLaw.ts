/**
 * A stationary Gaussian fit to photographs: independent coefficients in the orthonormal DCT, with a power law of frequency,
 *
 *     variance(k, l) = C (1 + k² + l²)^(-exponent/2),   mean variance over frequencies = standardDeviation²
 *
 * k, l count the DCT's half periods along an axis, so that the law means the same at every image size. Channels are alike
 * and independent. Source of the law: Field, "Relations between the statistics of natural images and the response
 * properties of cortical cells", 1987 (power falls as 1/frequency², exponent 2).
 */
import type { ImageShape } from '../../operators/types'

export interface PowerLaw {
  /** Of a pixel, about its mean. */
  readonly standardDeviation: number
  readonly exponent: number
}

/** Photographs with values in [-1, 1]. */
export const PHOTOGRAPHS: PowerLaw = { standardDeviation: 0.5, exponent: 2 }

/** Variances of the DCT coefficients, [channels, height, width], frequency 0 first. */
export function powerLawVariances(
  { channels, height, width }: ImageShape,
  { standardDeviation, exponent }: PowerLaw,
): Float64Array {
  const plane = Float64Array.from({ length: height * width }, (_, i) => {
    const [k, l] = [Math.floor(i / width), i % width]
    return (1 + k * k + l * l) ** (-exponent / 2)
  })
  const scale = (standardDeviation ** 2 * plane.length) / plane.reduce((sum, value) => sum + value, 0)
  return Float64Array.from({ length: channels * plane.length }, (_, i) => scale * plane[i % plane.length]!)
}
