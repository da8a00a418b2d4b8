/** Moments of a set of points [count, features]: mean and 1/N covariance. */

/** Mean of each column, [features]. */
export function mean(points: Float64Array | Float32Array, features: number): Float64Array {
  const count = points.length / features
  const result = new Float64Array(features)
  for (let i = 0; i < points.length; i += features) {
    for (let j = 0; j < features; j++) result[j]! += points[i + j]!
  }
  for (let j = 0; j < features; j++) result[j]! /= count
  return result
}

/** Covariance Σ_i (x_i - mean)(x_i - mean)ᵀ / N, [features, features]. */
export function covariance(points: Float64Array | Float32Array, features: number): Float64Array {
  const count = points.length / features
  const center = mean(points, features)
  const result = new Float64Array(features * features)
  const row = new Float64Array(features)
  for (let i = 0; i < points.length; i += features) {
    for (let j = 0; j < features; j++) row[j] = points[i + j]! - center[j]!
    for (let j = 0; j < features; j++) {
      for (let k = 0; k <= j; k++) result[j * features + k]! += row[j]! * row[k]!
    }
  }
  for (let j = 0; j < features; j++) {
    for (let k = 0; k <= j; k++) {
      result[j * features + k]! /= count
      result[k * features + j] = result[j * features + k]!
    }
  }
  return result
}
