/**
 * Conjugate gradient from zero, for symmetric positive definite maps.
 *
 * Stops, keeping the iterate so far, at a curvature pᵀAp that is not positive (the map is not positive definite
 * along p, and the step would divide by it or go uphill) and at a residual that is zero to rounding.
 * Source: Hestenes & Stiefel 1952; Saad, "Iterative methods for sparse linear systems", 2nd ed., Algorithm 6.18.
 */
import { dot } from '../math/matrix'

/** v [size] → A v, a fresh array or one the map owns. */
export type LinearMap = (v: Float64Array) => Float64Array

/** A residual below this fraction of b is rounding: further iterations only amplify it. */
export const RESIDUAL_FLOOR = 1e-15

/** At most `iterations` steps on A x = b, [size] → [size]. */
export function cg(apply: LinearMap, b: Float64Array, iterations: number): Float64Array {
  const size = b.length
  const x = new Float64Array(size)
  const r = b.slice()
  const p = b.slice()
  let square = dot(r, 0, r, 0, size)
  const floor = RESIDUAL_FLOOR ** 2 * square
  for (let k = 0; k < iterations && square > floor; k++) {
    const ap = apply(p)
    const curvature = dot(p, 0, ap, 0, size)
    if (!(curvature > 0)) break
    const alpha = square / curvature
    for (let i = 0; i < size; i++) {
      x[i]! += alpha * p[i]!
      r[i]! -= alpha * ap[i]!
    }
    const next = dot(r, 0, r, 0, size)
    const beta = next / square
    for (let i = 0; i < size; i++) p[i] = r[i]! + beta * p[i]!
    square = next
  }
  return x
}
