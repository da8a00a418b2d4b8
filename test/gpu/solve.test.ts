import { describe, expect, it } from 'vitest'
import type { SolverName } from '../../src/diffusion/types'
import { SolveKernel } from '../../src/gpu/kernels/solve'
import { bicgstab } from '../../src/linalg/bicgstab'
import { cg } from '../../src/linalg/cg'
import { gmres } from '../../src/linalg/gmres'
import { clampSpectrum } from '../../src/linalg/spectrum'
import { openTestDevice } from './adapter'

const { device, scope } = await openTestDevice()

/** Values in (-1, 1) without a pattern. */
const value = (i: number): number => Math.fround(((Math.sin(i * 12.9898 + 78.233) * 43758.5453) % 1) * 0.9)

async function solve(
  size: number,
  method: SolverName,
  iterations: number,
  matrices: number[],
  rights: number[],
  projected = false,
) {
  const count = rights.length / size
  const kernel = await SolveKernel.create(device, size, method, projected)
  const buffers = {
    matrices: scope.upload('matrices', Float32Array.from(matrices)),
    rights: scope.upload('rights', Float32Array.from(rights)),
    solutions: scope.storage('solutions', count * size * 4),
  }
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  kernel.encode(pass, scope, buffers, count, iterations)
  pass.end()
  scope.submit(encoder)
  return [...new Float32Array(await scope.read(buffers.solutions, count * size * 4))]
}

const apply = (matrix: number[], size: number) => (v: Float64Array) =>
  Float64Array.from({ length: size }, (_, i) => v.reduce((sum, x, j) => sum + matrix[i * size + j]! * x, 0))

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  let error = 0
  let norm = 0
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2
    norm += expected[i]! ** 2
  }
  expect(Math.sqrt(error / norm)).toBeLessThan(tolerance)
}

/** Diagonally dominant, symmetric if asked for. */
function matrixOf(size: number, symmetric: boolean): number[] {
  return Array.from({ length: size * size }, (_, index) => {
    const [i, j] = [Math.floor(index / size), index % size]
    if (i === j) return size + i
    return symmetric ? value(Math.min(i, j) * 31 + Math.max(i, j)) : value(index)
  })
}

describe('solve', () => {
  it.each([1, 3, 8])('agrees with the twins for %i unknowns', async (size) => {
    const b = Array.from({ length: size }, (_, i) => value(i + 500))
    const right = Float64Array.from(b)
    const spd = matrixOf(size, true)
    const skew = matrixOf(size, false)
    const k = Math.min(size, 3)
    expectNear(await solve(size, 'cg', k, spd, b), cg(apply(spd, size), right, k), 1e-5)
    expectNear(await solve(size, 'gmres', k, skew, b), gmres(apply(skew, size), right, k), 1e-5)
    const two = Math.min(size, 2)
    expectNear(await solve(size, 'bicgstab', two, skew, b), bicgstab(apply(skew, size), right, two), 1e-5)
    const x = Float64Array.from(await solve(size, 'exact', 0, skew, b))
    expectNear(apply(skew, size)(x), b, 1e-5)
    // once the Krylov space is exhausted, more iterations change nothing
    expectNear(await solve(size, 'gmres', 16, skew, b), x, 1e-5)
  })

  it('solves the largest system, 16 rows', async () => {
    const matrix = matrixOf(16, false)
    const b = Array.from({ length: 16 }, (_, i) => value(i + 500))
    const x = Float64Array.from(await solve(16, 'exact', 0, matrix, b))
    expectNear(apply(matrix, 16)(x), b, 1e-5)
  })

  it('keeps zero for a zero right-hand side, and CG stops at negative curvature', async () => {
    for (const method of ['exact', 'cg', 'gmres', 'bicgstab'] as const) {
      expect(await solve(2, method, 3, [2, 1, 0, 3], [0, 0])).toEqual([0, 0])
    }
    expect(await solve(2, 'cg', 3, [-1, 0, 0, -1], [1, 2])).toEqual([0, 0])
  })

  it('exchanges rows where the pivot is zero', async () => {
    expectNear(await solve(2, 'exact', 0, [0, 2, 4, 0], [6, 8]), [2, 3], 1e-7)
  })

  it('solves every system of a batch larger than a workgroup', async () => {
    const count = 131
    const matrices = Array.from({ length: count }, (_, i) => [i + 1, 0, 0, 2]).flat()
    const rights = Array.from({ length: count }, (_, i) => [i + 1, 2 * i]).flat()
    const expected = Array.from({ length: count }, (_, i) => [1, i]).flat()
    expectNear(await solve(2, 'exact', 0, matrices, rights), expected, 1e-6)
  })

  it.each([2, 5, 8])(
    'projects onto positive semi-definite matrices of %i rows as the twin does',
    async (size) => {
      const matrix = Array.from({ length: size * size }, (_, i) => value(i + 11))
      const projected = clampSpectrum(Float64Array.from(matrix), size, 0, Infinity)
      // the projection is singular: one CG step shows it all the same
      const b = Array.from({ length: size }, (_, i) => value(i + 90))
      const expected = cg(apply([...projected], size), Float64Array.from(b), 1)
      expectNear(await solve(size, 'cg', 1, matrix, b, true), expected, 1e-4)
    },
  )
})
