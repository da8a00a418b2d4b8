/** Solvers of one small dense system by name: the table that MMPS chooses from. */
import { solveDense } from '../math/matrix'
import { bicgstab } from './bicgstab'
import { cg, type LinearMap } from './cg'
import { gmres } from './gmres'

/** matrix [size, size], b [size], iterations (unused by `exact`) → x [size]. */
type SmallSolver = (matrix: Float64Array, b: Float64Array, iterations: number) => Float64Array

export const smallSolvers = {
  exact: (matrix, b) => solveDense(matrix, b, b.length),
  cg: (matrix, b, iterations) => cg(product(matrix, b.length), b, iterations),
  gmres: (matrix, b, iterations) => gmres(product(matrix, b.length), b, iterations),
  bicgstab: (matrix, b, iterations) => bicgstab(product(matrix, b.length), b, iterations),
} as const satisfies Record<string, SmallSolver>

/** v ↦ matrix · v; the result is overwritten by the next call. */
function product(matrix: Float64Array, size: number): LinearMap {
  const out = new Float64Array(size)
  return (v) => {
    for (let i = 0; i < size; i++) {
      let sum = 0
      for (let j = 0; j < size; j++) sum += matrix[i * size + j]! * v[j]!
      out[i] = sum
    }
    return out
  }
}
