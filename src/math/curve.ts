/**
 * A smooth random curve, one harmonic series per coordinate, scaled to a box:
 *
 *     raw_j(z) = Σ_k a_jk k^-α sin(2π (k b_jk z + c_jk)),  k = 1..K,  z in [0, 1]
 *     x_j = 2 bound (raw_j - low_j)/(high_j - low_j) - bound
 *
 * Source: Zeghal et al. 2022 and the paper's appendix on the manifold experiment (α = 3, K = 10, bound 2).
 */

export interface CurveCoefficients {
  readonly features: number
  readonly harmonics: number
  /** Amplitudes a, frequencies b and phases c, each [features, harmonics]. */
  readonly a: Float64Array
  readonly b: Float64Array
  readonly c: Float64Array
}

/** Unscaled points of the curve at latents z [count] → [count, features]. `exponent` is α. */
export function curvePoints(
  { features, harmonics, a, b, c }: CurveCoefficients,
  z: Float64Array,
  exponent: number,
): Float64Array {
  const decay = Float64Array.from({ length: harmonics }, (_, k) => (k + 1) ** -exponent)
  const points = new Float64Array(z.length * features)
  for (let i = 0; i < z.length; i++) {
    for (let j = 0; j < features; j++) {
      let sum = 0
      for (let k = 0; k < harmonics; k++) {
        const at = j * harmonics + k
        sum += a[at]! * decay[k]! * Math.sin(2 * Math.PI * ((k + 1) * b[at]! * z[i]! + c[at]!))
      }
      points[i * features + j] = sum
    }
  }
  return points
}

/** Smallest and largest value of each coordinate of points [count, features]. */
export function coordinateRange(
  points: Float64Array,
  features: number,
): { low: Float64Array; high: Float64Array } {
  const low = new Float64Array(features).fill(Infinity)
  const high = new Float64Array(features).fill(-Infinity)
  for (let i = 0; i < points.length; i++) {
    const j = i % features
    if (points[i]! < low[j]!) low[j] = points[i]!
    if (points[i]! > high[j]!) high[j] = points[i]!
  }
  return { low, high }
}

/**
 * Maps [low_j, high_j] to [-bound, bound] in each coordinate; points beyond the range land beyond the box. A
 * coordinate without extent goes to 0.
 */
export function scaleToBox(
  points: Float64Array,
  { low, high }: { readonly low: Float64Array; readonly high: Float64Array },
  bound: number,
): Float64Array {
  const features = low.length
  return points.map((value, i) => {
    const j = i % features
    const extent = high[j]! - low[j]!
    return extent > 0 ? (2 * bound * (value - low[j]!)) / extent - bound : 0
  })
}
