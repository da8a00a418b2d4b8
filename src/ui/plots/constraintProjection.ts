/**
 * Planes in which one observation's constraint A x = y is a line. Row r of A fixes the coordinate p = a_r·x; every
 * other direction is free. So samples are drawn as (p, q), q = d·x along the unit direction d orthogonal to a_r in
 * which they vary most, and the constraint is the vertical line p = y_r.
 */
import { along } from './scatterGeometry'

export interface ConstraintPlane {
  /** Row r of A, from 0. */
  readonly row: number
  /** [features]: p = a·x. */
  readonly a: Float64Array
  /** [features], unit, orthogonal to a: q = d·x. */
  readonly d: Float64Array
  /** Observed value y_r, where the line p = y_r stands. */
  readonly y: number
  /** [count]. */
  readonly p: Float64Array
  readonly q: Float64Array
}

const POWER_ITERATIONS = 64

/** One plane for each row. A [observed, features], y [observed], samples [count, features]. */
export function constraintPlanes(
  A: ArrayLike<number>,
  y: ArrayLike<number>,
  samples: ArrayLike<number>,
  features: number,
): ConstraintPlane[] {
  const count = samples.length / features
  return Array.from({ length: y.length }, (_, row) => {
    const a = Float64Array.from({ length: features }, (_unused, i) => A[row * features + i]!)
    const d = widestDirection(samples, features, a)
    const p = new Float64Array(count)
    const q = new Float64Array(count)
    for (let k = 0; k < count; k += 1) {
      p[k] = along(a, samples, k)
      q[k] = along(d, samples, k)
    }
    return { row, a, d, y: y[row]!, p, q }
  })
}

/** Leading eigenvector of the samples' covariance restricted to the complement of `a`, by power iteration. */
function widestDirection(samples: ArrayLike<number>, features: number, a: Float64Array): Float64Array {
  const covariance = sampleCovariance(samples, features)
  let direction = anyOrthogonal(a)
  for (let iteration = 0; iteration < POWER_ITERATIONS; iteration += 1) {
    const next = new Float64Array(features)
    for (let i = 0; i < features; i += 1) {
      for (let j = 0; j < features; j += 1) next[i]! += covariance[i * features + j]! * direction[j]!
    }
    const unit = normalized(removed(next, a))
    if (!unit) return direction
    direction = unit
  }
  return direction
}

function sampleCovariance(samples: ArrayLike<number>, features: number): Float64Array {
  const count = Math.max(1, samples.length / features)
  const mean = new Float64Array(features)
  for (let k = 0; k < samples.length; k += 1) mean[k % features]! += samples[k]! / count
  const covariance = new Float64Array(features * features)
  for (let k = 0; k < samples.length; k += features) {
    for (let i = 0; i < features; i += 1) {
      const xi = samples[k + i]! - mean[i]!
      for (let j = 0; j < features; j += 1) {
        covariance[i * features + j]! += (xi * (samples[k + j]! - mean[j]!)) / count
      }
    }
  }
  return covariance
}

/** A unit vector orthogonal to `a`, with a share of every direction so that power iteration can find any. */
function anyOrthogonal(a: Float64Array): Float64Array {
  const start = a.map((_, i) => 1 + 0.37 * i)
  const unit = normalized(removed(start, a))
  if (unit) return unit
  const smallest = a.reduce((best, value, i) => (Math.abs(value) < Math.abs(a[best]!) ? i : best), 0)
  const axis = new Float64Array(a.length)
  axis[smallest] = 1
  return normalized(removed(axis, a)) ?? axis
}

/** v without its component along a. */
function removed(v: Float64Array, a: Float64Array): Float64Array {
  const squared = along(a, a)
  if (squared === 0) return v
  const share = along(a, v) / squared
  return v.map((value, i) => value - share * a[i]!)
}

function normalized(v: Float64Array): Float64Array | undefined {
  const norm = Math.hypot(...v)
  return norm > 1e-9 ? v.map((value) => value / norm) : undefined
}
