/**
 * Pair and single marginals of a sample on a regular grid: the twin of shaders/histogram.wgsl.
 *
 *     bin = min(⌊(x + range) · bins / (2 range)⌋, bins - 1) for |x| ≤ range, in float32 as on the GPU
 */
import type { Histograms } from './backend'

/** samples [count, features]; values outside [-range, range] and not-a-numbers are not counted. */
export function histograms(samples: Float32Array, features: number, bins: number, range: number): Histograms {
  const count = samples.length / features
  const joint = new Uint32Array(((features * (features - 1)) / 2) * bins * bins)
  const marginal = new Uint32Array(features * bins)
  const limit = Math.fround(range)
  const scale = Math.fround(bins / Math.fround(2 * limit))
  const row = new Int32Array(features)
  for (let s = 0; s < count; s++) {
    for (let i = 0; i < features; i++) {
      const x = samples[s * features + i]!
      // Written so that NaN is outside.
      const inside = Math.abs(x) <= limit
      row[i] = inside ? Math.min(Math.floor(Math.fround(Math.fround(x + limit) * scale)), bins - 1) : -1
      if (inside) marginal[i * bins + row[i]!]!++
    }
    let pair = 0
    for (let i = 0; i < features; i++) {
      for (let j = i + 1; j < features; j++, pair++) {
        if (row[i]! >= 0 && row[j]! >= 0) joint[(pair * bins + row[j]!) * bins + row[i]!]!++
      }
    }
  }
  return { features, bins, range, count, joint, marginal }
}
