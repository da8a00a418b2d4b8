/**
 * Generalised minimal residual from zero, without restarts, for maps that need not be symmetric.
 *
 * Arnoldi by modified Gram-Schmidt, least squares by Givens rotations. Ends early where the Krylov space is
 * exhausted; a singular triangular factor gives zero components instead of a division by zero.
 * Source: Saad & Schultz 1986; Saad, "Iterative methods for sparse linear systems", 2nd ed., Algorithm 6.9, 6.5.3.
 */
import { dot } from '../math/matrix'
import { RESIDUAL_FLOOR, type LinearMap } from './cg'

/** The x in the Krylov space of dimension `iterations` with the least ‖b - A x‖, [size] → [size]. */
export function gmres(apply: LinearMap, b: Float64Array, iterations: number): Float64Array {
  const size = b.length
  const x = new Float64Array(size)
  const norm = Math.sqrt(dot(b, 0, b, 0, size))
  if (norm === 0 || iterations === 0) return x
  const basis = [b.map((value) => value / norm)]
  /** Column j of the triangular factor R. */
  const triangle: Float64Array[] = []
  const cosines: number[] = []
  const sines: number[] = []
  /** Right side of the least-squares problem; its last entry is the residual. */
  const right = [norm]
  for (let j = 0; j < iterations; j++) {
    const w = apply(basis[j]!).slice()
    const length = Math.sqrt(dot(w, 0, w, 0, size))
    const column = new Float64Array(j + 1)
    for (let i = 0; i <= j; i++) {
      const q = basis[i]!
      const projection = dot(q, 0, w, 0, size)
      column[i] = projection
      for (let k = 0; k < size; k++) w[k]! -= projection * q[k]!
    }
    const remainder = Math.sqrt(dot(w, 0, w, 0, size))
    const exhausted = remainder <= RESIDUAL_FLOOR * length
    for (let i = 0; i < j; i++) {
      const upper = column[i]!
      const lower = column[i + 1]!
      column[i] = cosines[i]! * upper + sines[i]! * lower
      column[i + 1] = cosines[i]! * lower - sines[i]! * upper
    }
    const radius = Math.hypot(column[j]!, exhausted ? 0 : remainder)
    const cosine = radius === 0 ? 1 : column[j]! / radius
    const sine = radius === 0 || exhausted ? 0 : remainder / radius
    column[j] = radius
    triangle.push(column)
    cosines.push(cosine)
    sines.push(sine)
    right.push(-sine * right[j]!)
    right[j]! *= cosine
    if (exhausted || Math.abs(right[j + 1]!) <= RESIDUAL_FLOOR * norm) break
    basis.push(w.map((value) => value / remainder))
  }
  for (let j = triangle.length - 1; j >= 0; j--) {
    let sum = right[j]!
    for (let k = j + 1; k < triangle.length; k++) sum -= triangle[k]![j]! * right[k]!
    const diagonal = triangle[j]![j]!
    right[j] = diagonal === 0 ? 0 : sum / diagonal
    for (let k = 0; k < size; k++) x[k]! += right[j]! * basis[j]![k]!
  }
  return x
}
