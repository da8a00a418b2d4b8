/**
 * The symmetric matrix nearest to a matrix (Frobenius norm) whose eigenvalues lie in an interval: its symmetric part with
 * the eigenvalues clamped. Source: Higham, "Computing a nearest symmetric positive semidefinite matrix", 1988.
 */
import { fromEigen, symmetricEigen } from '../math/matrix'

/** matrix [size, size] → the nearest symmetric one with eigenvalues in [low, high]. */
export function clampSpectrum(matrix: Float64Array, size: number, low: number, high: number): Float64Array {
  const symmetric = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      symmetric[i * size + j] = (matrix[i * size + j]! + matrix[j * size + i]!) / 2
    }
  }
  const eigen = symmetricEigen(symmetric, size)
  if (eigen.values[0]! >= low && eigen.values[size - 1]! <= high) return symmetric
  return fromEigen(eigen, (value) => Math.min(Math.max(value, low), high))
}
