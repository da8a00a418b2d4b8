/**
 * Stabilised bi-conjugate gradient from zero, for maps that need not be symmetric; two products an iteration.
 *
 * Stops, keeping the iterate so far, where one of its denominators vanishes and at a residual that is zero to
 * rounding.
 * Source: van der Vorst 1992; Saad, "Iterative methods for sparse linear systems", 2nd ed., Algorithm 7.7.
 */
import { dot } from '../math/matrix'
import { RESIDUAL_FLOOR, type LinearMap } from './cg'

/** At most `iterations` steps on A x = b, [size] → [size]. */
export function bicgstab(apply: LinearMap, b: Float64Array, iterations: number): Float64Array {
  const size = b.length
  const x = new Float64Array(size)
  const shadow = b.slice()
  const r = b.slice()
  const p = b.slice()
  let rho = dot(shadow, 0, r, 0, size)
  const floor = RESIDUAL_FLOOR ** 2 * rho
  for (let k = 0; k < iterations; k++) {
    if (rho === 0 || dot(r, 0, r, 0, size) <= floor) break
    // Copied, because the map may own what it returns and is applied again below.
    const v = apply(p).slice()
    const denominator = dot(shadow, 0, v, 0, size)
    if (denominator === 0) break
    const alpha = rho / denominator
    for (let i = 0; i < size; i++) {
      x[i]! += alpha * p[i]!
      r[i]! -= alpha * v[i]!
    }
    if (dot(r, 0, r, 0, size) <= floor) break
    const t = apply(r)
    const square = dot(t, 0, t, 0, size)
    if (square === 0) break
    const omega = dot(t, 0, r, 0, size) / square
    for (let i = 0; i < size; i++) {
      x[i]! += omega * r[i]!
      r[i]! -= omega * t[i]!
    }
    if (omega === 0) break
    const next = dot(shadow, 0, r, 0, size)
    const beta = (next / rho) * (alpha / omega)
    for (let i = 0; i < size; i++) p[i] = r[i]! + beta * (p[i]! - omega * v[i]!)
    rho = next
  }
  return x
}
