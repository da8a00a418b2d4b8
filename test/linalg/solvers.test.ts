import { describe, expect, test } from 'vitest'
import { bicgstab } from '../../src/linalg/bicgstab'
import { cg } from '../../src/linalg/cg'
import { heuristicCovariances, observedCovariance } from '../../src/linalg/covariances'
import { gmres } from '../../src/linalg/gmres'
import { clampSpectrum } from '../../src/linalg/spectrum'
import { smallSolvers } from '../../src/linalg/solve'
import { multiply, symmetricEigen } from '../../src/math/matrix'

const apply = (matrix: number[]) => (v: Float64Array) =>
  multiply(Float64Array.from(matrix), v, v.length, v.length, 1)
const iterative = { cg, gmres, bicgstab }
const names = ['cg', 'gmres', 'bicgstab'] as const

describe.each(names)('%s', (name) => {
  const solve = iterative[name]

  test('solves a diagonal system in as many iterations as it has distinct eigenvalues, and then rests', () => {
    for (const iterations of [2, 3, 50]) {
      const x = solve(apply([2, 0, 0, 0, 2, 0, 0, 0, 5]), Float64Array.of(2, -4, 10), iterations)
      ;[1, -2, 2].forEach((value, i) => expect(x[i]).toBeCloseTo(value, 12))
    }
  })

  test('solves a 1 × 1 system in one iteration', () => {
    expect(solve(apply([4]), Float64Array.of(2), 1)[0]).toBeCloseTo(0.5, 15)
  })

  test('starts from zero and takes a zero right side', () => {
    expect([...solve(apply([2, 1, 1, 3]), Float64Array.of(1, 1), 0)]).toEqual([0, 0])
    expect([...solve(apply([2, 1, 1, 3]), Float64Array.of(0, 0), 4)]).toEqual([0, 0])
  })

  test.each([
    ['zero', [0, 0, 0, 0]],
    ['negative definite', [-1, 0, 0, -2]],
    ['skew', [0, 1, -1, 0]],
    ['singular', [1, 1, 1, 1]],
    ['indefinite', [1, 0, 0, -1]],
    ['nilpotent', [0, 1, 0, 0]],
  ])('stays finite on a %s matrix', (_, matrix) => {
    for (const b of [
      [1, 0],
      [0, 1],
      [1, 1],
      [1, -1],
    ]) {
      for (const k of [1, 2, 5]) {
        expect([...solve(apply(matrix), Float64Array.from(b), k)].every(Number.isFinite)).toBe(true)
      }
    }
  })
})

test('CG keeps its iterate where the curvature stops being positive', () => {
  const matrix = [2, 0, 0, -1]
  const b = Float64Array.of(2, 0.1)
  const first = cg(apply(matrix), b, 1)
  expect(first[0]).not.toBe(0)
  expect(cg(apply(matrix), b, 9)).toEqual(first)
})

test('CG takes no step where the first curvature is not positive', () => {
  expect([...cg(apply([-1, 0, 0, -2]), Float64Array.of(1, 1), 3)]).toEqual([0, 0])
})

test('GMRES never increases the residual', () => {
  const matrix = [1, 4, 0, -3, 0.5, 2, 1, 0, -2]
  const b = Float64Array.of(1, 2, 3)
  let previous = Infinity
  for (let k = 0; k <= 3; k++) {
    const x = gmres(apply(matrix), b, k)
    const residual = Math.hypot(...apply(matrix)(x).map((value, i) => b[i]! - value))
    expect(residual).toBeLessThanOrEqual(previous + 1e-14)
    previous = residual
  }
  expect(previous).toBeLessThan(1e-13)
})

test('all small solvers agree on a well-conditioned system, whichever is asked', () => {
  const matrix = Float64Array.of(4, 1, 0.5, 1, 3, 0.2, 0.5, 0.2, 2)
  const b = Float64Array.of(1, -2, 0.3)
  const exact = smallSolvers.exact(matrix, b)
  for (const name of names) {
    smallSolvers[name](matrix, b, 3).forEach((value, i) => expect(value).toBeCloseTo(exact[i]!, 12))
  }
})

describe('clampSpectrum', () => {
  test('symmetrises and leaves a covariance as it is', () => {
    expect([...clampSpectrum(Float64Array.of(2, 1.5, 0.5, 3), 2, 0, Infinity)]).toEqual([2, 1, 1, 3])
  })

  test('sets negative eigenvalues to zero and keeps the others', () => {
    const matrix = Float64Array.of(1, 2, 0, 2, 1, 0, 0, 0, -4)
    const { values } = symmetricEigen(clampSpectrum(matrix, 3, 0, Infinity), 3)
    ;[0, 0, 3].forEach((value, i) => expect(values[i]).toBeCloseTo(value, 12))
  })

  test('a negative matrix becomes zero', () => {
    expect([...clampSpectrum(Float64Array.of(-2), 1, 0, Infinity)].map(Math.abs)).toEqual([0])
  })
})

describe('heuristic covariances', () => {
  test('have their formulas', () => {
    expect([...heuristicCovariances.zero(2)(1)]).toEqual([0, 0, 0, 0])
    expect([...heuristicCovariances.identity(2)(3)]).toEqual([9, 0, 0, 9])
    expect([...heuristicCovariances.pigdm(2)(3)]).toEqual([0.9, 0, 0, 0.9])
    // (I/4 + diag(1, 1/9))⁻¹ for Sigma_x = diag(1, 9), sigma = 2
    const gaussian = heuristicCovariances.gaussian(2, Float64Array.of(1, 0, 0, 9))(2)
    ;[0.8, 0, 0, 36 / 13].forEach((value, i) => expect(gaussian[i]).toBeCloseTo(value, 14))
    expect(() => heuristicCovariances.gaussian(2)).toThrow(/needs Sigma_x/)
  })

  test('A V Aᵀ', () => {
    const a = Float64Array.of(9, 9, 1, 2, 0, 1)
    expect([...observedCovariance(a, 2, 2, 2, Float64Array.of(1, 2, 3, 4))]).toEqual([27, 10, 11, 4])
  })
})
