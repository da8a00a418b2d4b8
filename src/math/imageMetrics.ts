/**
 * How near an image is to a reference, in float64. Images are [channels, height, width], values in [-1, 1]; values outside
 * count as they are, so clip samples first.
 *
 *     PSNR = 10 log10(4 / mean (x - r)²)   in dB, 4 = (range of the data)²
 *     SSIM = mean (2 μ_x μ_r + C1)(2 σ_xr + C2) / ((μ_x² + μ_r² + C1)(σ_x² + σ_r² + C2)),   C1 = (0.01 · 2)², C2 = (0.03 · 2)²
 *
 * with Gaussian-weighted means, variances and covariance of 11 × 11 windows (standard deviation 1.5). Only windows that
 * lie inside the image count, so nothing is padded; that is also what scikit-image averages. Where a side has fewer than
 * 11 pixels, the window is the longest odd one that fits along it.
 *
 * Source: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity",
 * IEEE Transactions on Image Processing, 2004.
 */

interface Size {
  readonly channels: number
  readonly height: number
  readonly width: number
}

const RANGE = 2
const WINDOW = 11
const STANDARD_DEVIATION = 1.5
const C1 = (0.01 * RANGE) ** 2
const C2 = (0.03 * RANGE) ** 2

/** In dB; Infinity for equal images. Error: RangeError for different lengths, or none. */
export function psnr(image: ArrayLike<number>, reference: ArrayLike<number>): number {
  checkLengths(image, reference, reference.length)
  let sum = 0
  for (let i = 0; i < image.length; i++) sum += (image[i]! - reference[i]!) ** 2
  return 10 * Math.log10((RANGE * RANGE * image.length) / sum)
}

/** Mean over windows, then over channels; 1 for equal images. Error: RangeError where lengths do not fit the size. */
export function ssim(image: ArrayLike<number>, reference: ArrayLike<number>, size: Size): number {
  const { channels, height, width } = size
  checkLengths(image, reference, channels * height * width)
  const plane = height * width
  let sum = 0
  for (let channel = 0; channel < channels; channel++) {
    const at = (array: ArrayLike<number>, i: number) => array[channel * plane + i]!
    const mean = (value: (i: number) => number) =>
      windowMeans(
        Float64Array.from({ length: plane }, (_, i) => value(i)),
        height,
        width,
      )
    const meanX = mean((i) => at(image, i))
    const meanR = mean((i) => at(reference, i))
    const squareX = mean((i) => at(image, i) ** 2)
    const squareR = mean((i) => at(reference, i) ** 2)
    const product = mean((i) => at(image, i) * at(reference, i))
    let channelSum = 0
    for (let i = 0; i < meanX.length; i++) {
      const [x, r] = [meanX[i]!, meanR[i]!]
      const covariance = product[i]! - x * r
      const variances = squareX[i]! - x * x + squareR[i]! - r * r
      channelSum += ((2 * x * r + C1) * (2 * covariance + C2)) / ((x * x + r * r + C1) * (variances + C2))
    }
    sum += channelSum / meanX.length
  }
  return sum / channels
}

function checkLengths(image: ArrayLike<number>, reference: ArrayLike<number>, length: number): void {
  if (length === 0 || image.length !== length || reference.length !== length) {
    throw new RangeError(
      `Images of ${image.length} and ${reference.length} numbers cannot be compared as ${length}: give both the same size.`,
    )
  }
}

/** Weighted means of all windows inside the image, [height - rows + 1, width - columns + 1]. */
function windowMeans(values: Float64Array, height: number, width: number): Float64Array {
  const [rows, columns] = [gaussianWindow(height), gaussianWindow(width)]
  const outHeight = height - rows.length + 1
  const outWidth = width - columns.length + 1
  const narrow = new Float64Array(height * outWidth)
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < outWidth; j++) {
      let sum = 0
      for (let u = 0; u < columns.length; u++) sum += columns[u]! * values[i * width + j + u]!
      narrow[i * outWidth + j] = sum
    }
  }
  const means = new Float64Array(outHeight * outWidth)
  for (let i = 0; i < outHeight; i++) {
    for (let u = 0; u < rows.length; u++) {
      const weight = rows[u]!
      for (let j = 0; j < outWidth; j++) means[i * outWidth + j]! += weight * narrow[(i + u) * outWidth + j]!
    }
  }
  return means
}

/** Gaussian weights with sum 1, as many as fit along `side` pixels. */
function gaussianWindow(side: number): Float64Array {
  const length = Math.min(WINDOW, side - ((side + 1) % 2))
  const weights = Float64Array.from({ length }, (_, i) =>
    Math.exp(-(((i - (length - 1) / 2) / STANDARD_DEVIATION) ** 2) / 2),
  )
  const sum = weights.reduce((total, w) => total + w, 0)
  return weights.map((w) => w / sum)
}
