/**
 * Weights that scale a line of `from` samples to `to` samples: out[r] = Σ_i weights_r[i] x[first_r + i], Σ weights_r = 1.
 *
 * Both stretch their filter by the scale s = from / to where they shrink, so that nothing aliases.
 */

/** One sample of what comes out. */
export interface ScalingRow {
  readonly first: number
  readonly weights: Float64Array
}

/** Keys' cubic convolution kernel with a = -1/2, zero from distance 2 on. */
function cubic(distance: number): number {
  const d = Math.abs(distance)
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1
  if (d < 2) return ((-0.5 * d + 2.5) * d - 4) * d + 2
  return 0
}

/**
 * Antialiased bicubic: weights ∝ cubic((i + 1/2 - centre) / max(s, 1)), centre = (r + 1/2) s; what reaches past the ends
 * is left out and the rest scaled up to sum 1. Source: Pillow's Resample.c, which PyTorch's antialiased one follows.
 */
export function bicubicRows(from: number, to: number): readonly ScalingRow[] {
  const scale = from / to
  const stretch = Math.max(scale, 1)
  return Array.from({ length: to }, (_, r) => {
    const centre = (r + 0.5) * scale
    const first = Math.max(0, Math.floor(centre - 2 * stretch + 0.5))
    const end = Math.min(from, Math.floor(centre + 2 * stretch + 0.5))
    return normalised(first, end, (i) => cubic((i + 0.5 - centre) / stretch))
  })
}

/** Mean over the part of the line that sample r covers, [r s, (r + 1) s), pixels at its ends by the part inside. */
export function areaRows(from: number, to: number): readonly ScalingRow[] {
  const scale = from / to
  return Array.from({ length: to }, (_, r) => {
    const [low, high] = [r * scale, (r + 1) * scale]
    const first = Math.min(from - 1, Math.floor(low))
    const end = Math.max(first + 1, Math.min(from, Math.ceil(high)))
    return normalised(first, end, (i) => Math.max(0, Math.min(high, i + 1) - Math.max(low, i)))
  })
}

function normalised(first: number, end: number, weight: (i: number) => number): ScalingRow {
  const weights = Float64Array.from({ length: end - first }, (_, i) => weight(first + i))
  const sum = weights.reduce((total, w) => total + w, 0)
  return { first, weights: weights.map((w) => w / sum) }
}
