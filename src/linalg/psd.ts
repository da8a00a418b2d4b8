/** The covariance nearest to a matrix: symmetric part, negative eigenvalues set to zero (Higham 1988). */
import { fromEigen, symmetricEigen } from '../math/matrix'

/** Replaces matrix [size, size] by the positive semi-definite matrix nearest to it in the Frobenius norm. */
export function projectPsd(matrix: Float64Array, size: number): Float64Array {
  const symmetric = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      symmetric[i * size + j] = (matrix[i * size + j]! + matrix[j * size + i]!) / 2
    }
  }
  const eigen = symmetricEigen(symmetric, size)
  if (eigen.values[0]! >= 0) return symmetric
  return fromEigen(eigen, (value) => Math.max(value, 0))
}
