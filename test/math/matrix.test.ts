import { describe, expect, test } from 'vitest'
import {
  addTransposedProduct,
  cholesky,
  fromEigen,
  invert,
  multiply,
  multiplyTransposed,
  scaledIdentity,
  solveDense,
  symmetricEigen,
  transpose,
} from '../../src/math/matrix'
import { RandomStream } from '../../src/math/philox'
import { covariance, mean } from '../../src/math/statistics'

function normals(count: number, index: number): Float64Array {
  const out = new Float64Array(count)
  new RandomStream(8, 0).fillNormals(out, 0, count, index, 0, 9)
  return out
}

function expectNear(actual: Float64Array, expected: Float64Array, tolerance = 1e-12): void {
  expect(actual.length).toBe(expected.length)
  actual.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(tolerance))
}

const sizes = [1, 2, 3, 5, 8]

describe('matrix products', () => {
  test.each([
    [1, 1, 1],
    [4, 3, 2],
    [5, 7, 3],
    [9, 2, 5],
  ])('blocked products equal the plain one, %i × %i × %i', (rows, inner, cols) => {
    const [x, w, y] = [normals(rows * inner, 1), normals(inner * cols, 2), normals(rows * cols, 3)]
    const out = new Float64Array(rows * cols)
    multiplyTransposed(out, x, transpose(w, inner, cols), rows, inner, cols)
    expectNear(out, multiply(x, w, rows, inner, cols))
    const start = normals(inner * cols + 2, 4)
    const sum = start.slice()
    addTransposedProduct(sum, 2, x, y, rows, inner, cols)
    const product = multiply(transpose(x, rows, inner), y, inner, rows, cols)
    expectNear(
      sum,
      start.map((value, i) => (i < 2 ? value : value + product[i - 2]!)),
    )
  })
})

describe.each(sizes)('decompositions of size %i', (size) => {
  const matrix = normals(size * size, 5)
  const spd = multiply(matrix, transpose(matrix, size, size), size, size, size)
  for (let i = 0; i < size; i++) spd[i * size + i]! += 0.1

  test('LU solves and inverts', () => {
    const x = normals(size, 6)
    expectNear(solveDense(matrix, multiply(matrix, x, size, size, 1), size), x, 1e-9)
    expectNear(multiply(matrix, invert(matrix, size), size, size, size), scaledIdentity(size, 1), 1e-9)
  })

  test('Cholesky', () => {
    const factor = cholesky(spd, size)
    expectNear(multiply(factor, transpose(factor, size, size), size, size, size), spd)
  })

  test('Jacobi eigenvalues ascend, vectors are orthonormal, and the product is the matrix', () => {
    const symmetric = matrix.map((value, i) => value + matrix[(i % size) * size + Math.floor(i / size)]!)
    const eigen = symmetricEigen(symmetric, size)
    expect([...eigen.values]).toEqual([...eigen.values].sort((a, b) => a - b))
    expectNear(
      fromEigen(eigen, (value) => value),
      symmetric,
    )
    const { vectors } = eigen
    expectNear(multiply(transpose(vectors, size, size), vectors, size, size, size), scaledIdentity(size, 1))
  })
})

test('a zero pivot is exchanged, a singular matrix gives zeros instead of a division by zero', () => {
  expectNear(solveDense(Float64Array.of(0, 2, 3, 0), Float64Array.of(4, 9), 2), Float64Array.of(3, 2))
  expect([...solveDense(new Float64Array(4), Float64Array.of(1, 1), 2)]).toEqual([0, 0])
})

test('Cholesky refuses an indefinite matrix', () => {
  expect(() => cholesky(Float64Array.of(1, 2, 2, 1), 2)).toThrow(/not positive definite/)
})

test('mean and 1/N covariance', () => {
  const points = Float32Array.of(1, 2, 3, 6)
  expect([...mean(points, 2)]).toEqual([2, 4])
  expect([...covariance(points, 2)]).toEqual([1, 2, 2, 4])
})
