/**
 * Small multivariate normals, without allocation: Cholesky factors in place, log N and solves.
 *
 *     C = L Lᵀ,   log N(r | 0, C) = -‖L⁻¹ r‖²/2 - Σ_i log L_ii - m/2 log 2π
 *
 * Source: Golub & Van Loan, "Matrix Computations", 4th ed., 4.2.
 */

/**
 * Replaces the lower triangle of a symmetric matrix [size, size] by its Cholesky factor; the upper one is not read.
 * Returns false where the matrix is not positive definite; its contents are then of no use.
 */
export function factorInPlace(matrix: Float64Array, size: number): boolean {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j]!
      for (let k = 0; k < j; k++) sum -= matrix[i * size + k]! * matrix[j * size + k]!
      if (i > j) matrix[i * size + j] = sum / matrix[j * size + j]!
      else if (sum > 0) matrix[i * size + i] = Math.sqrt(sum)
      else return false
    }
  }
  return true
}

/** v ← L⁻¹ v for the vector at `at` of `v`. */
export function forward(factor: Float64Array, size: number, v: Float64Array, at = 0): void {
  for (let i = 0; i < size; i++) {
    let sum = v[at + i]!
    for (let k = 0; k < i; k++) sum -= factor[i * size + k]! * v[at + k]!
    v[at + i] = sum / factor[i * size + i]!
  }
}

/** v ← L⁻ᵀ v, [size]. */
export function backward(factor: Float64Array, size: number, v: Float64Array): void {
  for (let i = size - 1; i >= 0; i--) {
    let sum = v[i]!
    for (let k = i + 1; k < size; k++) sum -= factor[k * size + i]! * v[k]!
    v[i] = sum / factor[i * size + i]!
  }
}

/** -Σ_i log L_ii - m/2 log 2π. */
export function logNormalizer(factor: Float64Array, size: number): number {
  let sum = (-size / 2) * Math.log(2 * Math.PI)
  for (let i = 0; i < size; i++) sum -= Math.log(factor[i * size + i]!)
  return sum
}

/** ‖v‖² of the vector at `at` of `v`. */
export function squaredNorm(v: Float64Array, size: number, at = 0): number {
  let sum = 0
  for (let i = 0; i < size; i++) sum += v[at + i]! ** 2
  return sum
}
