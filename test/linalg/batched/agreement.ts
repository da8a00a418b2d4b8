/**
 * The batched solvers against the float64 ones on one sample, on any vector space: the same tests for the CPU and a GPU.
 */
import { describe, expect, it } from 'vitest'
import { bicgstab } from '../../../src/linalg/bicgstab'
import { BatchedLeastSquares } from '../../../src/linalg/batched/leastSquares'
import { batchedSolvers } from '../../../src/linalg/batched/solvers'
import { cg } from '../../../src/linalg/cg'
import { gmres } from '../../../src/linalg/gmres'
import type { VectorSpace } from '../../../src/linalg/vectorSpace'
import { multiply, solveDense, transpose } from '../../../src/math/matrix'
import { RandomStream } from '../../../src/math/philox'
import { denseMap, vectorFrom } from './dense'

const single = { cg, gmres, bicgstab }
const names = ['cg', 'gmres', 'bicgstab'] as const

type Name = (typeof names)[number]

function normals(count: number, index: number): Float64Array {
  const out = new Float64Array(count)
  new RandomStream(5, 0).fillNormals(out, 0, count, index, 0, 0)
  return out.map(Math.fround)
}

/** Random [size, size] of condition about 10: G Gᵀ/size + I/4 where symmetric, else G/√size + 2 I. */
function matrixOf(size: number, symmetric: boolean, index: number): Float64Array {
  const g = normals(size * size, index)
  const entry = (i: number, j: number) => {
    if (!symmetric) return g[i * size + j]! / Math.sqrt(size) + (i === j ? 2 : 0)
    let sum = i === j ? 0.25 : 0
    for (let k = 0; k < size; k++) sum += (g[i * size + k]! * g[j * size + k]!) / size
    return sum
  }
  return Float64Array.from({ length: size * size }, (_, at) =>
    Math.fround(entry(Math.floor(at / size), at % size)),
  )
}

const norm = (v: ArrayLike<number>) => Math.hypot(...Array.from(v))

/** Solves every sample's system; returns x [batch][size], residuals and products. */
async function solveAll(
  space: VectorSpace,
  name: Name,
  matrices: readonly ArrayLike<number>[],
  rights: readonly ArrayLike<number>[],
  iterations: number,
) {
  const [batch, size] = [rights.length, rights[0]!.length]
  const flat = matrices.flatMap((matrix) => Array.from(matrix))
  const { map, counted } = denseMap(space, flat, batch, size)
  const b = vectorFrom(
    space,
    batch,
    rights.flatMap((right) => Array.from(right)),
  )
  const x = space.vector('x', batch, size)
  const solver = new batchedSolvers[name](space, batch, size)
  // twice: the second solve finds the first one's numbers in its workspace
  await solver.solve(map, b, x, Math.max(1, iterations - 1))
  counted.products = 0
  await solver.solve(map, b, x, iterations)
  const solution = await space.read(x)
  const residuals = await space.readScalars(solver.residual)
  solver.release()
  solver.release()
  const rows = rights.map((_, i) => solution.subarray(i * size, (i + 1) * size))
  return { rows, residuals, products: counted.products }
}

/** Tests of one space. */
export function describeAgreement(space: VectorSpace): void {
  describe.each(names)('batched %s', (name) => {
    const symmetric = name === 'cg'
    it.each([1, 2, 3, 5])('has the iterates of the float64 solver after %i iterations', async (k) => {
      for (const size of [1, 3, 13]) {
        const matrices = [0, 1, 2].map((i) => matrixOf(size, symmetric, 10 * size + i))
        const rights = [0, 1, 2].map((i) => normals(size, 900 + i).map((v) => v * 10 ** (3 * i - 3)))
        const { rows, residuals } = await solveAll(space, name, matrices, rights, k)
        rows.forEach((row, i) => {
          const apply = (v: Float64Array) => multiply(matrices[i]!, v, size, size, 1)
          // an exhausted Krylov space: float32 rounding decides the rest, so the residual is compared
          const exhausted = k * (name === 'bicgstab' ? 2 : 1) >= size
          const expected = single[name](apply, rights[i]!, k)
          const difference = norm(expected.map((value, j) => value - row[j]!))
          if (!exhausted) expect(difference).toBeLessThan(3e-5 * norm(expected))
          const rest = norm(apply(Float64Array.from(row)).map((value, j) => rights[i]![j]! - value))
          expect(Math.abs(rest / norm(rights[i]!) - residuals[i]!)).toBeLessThan(5e-6)
          if (exhausted && name !== 'bicgstab') expect(residuals[i]).toBeLessThan(5e-6)
        })
      }
    })

    it('converges and then rests, while other samples go on', async () => {
      const size = 9
      const matrices = [
        Float64Array.from({ length: 81 }, (_, at) => (at % 10 === 0 ? 2 : 0)),
        matrixOf(size, symmetric, 77),
      ]
      const rights = [normals(size, 1), normals(size, 2)]
      const { rows } = await solveAll(space, name, matrices, rights, 10)
      expect(norm(rows[0]!.map((value, j) => 2 * value - rights[0]![j]!))).toBeLessThan(1e-6)
      const rest = multiply(matrices[1]!, Float64Array.from(rows[1]!), size, size, 1)
      expect(norm(rest.map((value, j) => value - rights[1]![j]!))).toBeLessThan(1e-4 * norm(rights[1]!))
    })

    it('starts from zero, takes a zero right side, and asks for no product it does not need', async () => {
      const matrix = [2, 1, 1, 3]
      const none = await solveAll(space, name, [matrix], [[1, 1]], 0)
      expect([[...none.rows[0]!], [...none.residuals], none.products]).toEqual([[0, 0], [1], 0])
      const zero = await solveAll(space, name, [matrix], [[0, 0]], 4)
      expect([[...zero.rows[0]!], [...zero.residuals]]).toEqual([[0, 0], [0]])
      const one = await solveAll(space, name, [matrix], [[1, 1]], 1)
      expect(one.products).toBe(name === 'bicgstab' ? 2 : 1)
    })

    it('stays finite on matrices that break it, in one batch', async () => {
      const matrices = [
        [0, 0, 0, 0],
        [-1, 0, 0, -2],
        [0, 1, -1, 0],
        [1, 1, 1, 1],
        [1, 0, 0, -1],
        [0, 1, 0, 0],
      ]
      for (const b of [
        [1, 0],
        [0, 1],
        [1, 1],
        [1, -1],
      ]) {
        for (const k of [1, 2, 5]) {
          const rights = matrices.map(() => b)
          const { rows, residuals } = await solveAll(space, name, matrices, rights, k)
          expect(rows.flatMap((row) => [...row]).every(Number.isFinite)).toBe(true)
          expect([...residuals].every(Number.isFinite)).toBe(true)
          rows.forEach((row, i) => {
            const apply = (v: Float64Array) => multiply(Float64Array.from(matrices[i]!), v, 2, 2, 1)
            const rest = norm(apply(Float64Array.from(row)).map((value, j) => b[j]! - value)) / norm(b)
            expect(Math.abs(rest - residuals[i]!)).toBeLessThan(1e-5)
          })
        }
      }
    })
  })

  it('damped least squares is the solution of the normal equations, also where b is out of reach', async () => {
    const [batch, size] = [2, 6]
    const matrices = [0, 1].map((i) => matrixOf(size, false, 300 + i))
    // a row of zeros: b there is no x's
    for (const matrix of matrices) matrix.fill(0, 0, size)
    const transposes = matrices.map((matrix) => transpose(matrix, size, size))
    const rights = [normals(size, 310), normals(size, 311)]
    const forward = denseMap(
      space,
      matrices.flatMap((matrix) => [...matrix]),
      batch,
      size,
    )
    const back = denseMap(
      space,
      transposes.flatMap((matrix) => [...matrix]),
      batch,
      size,
    )
    const b = vectorFrom(
      space,
      batch,
      rights.flatMap((right) => [...right]),
    )
    const x = space.vector('x', batch, size)
    const solver = new BatchedLeastSquares(space, batch, size, size)
    for (const damping of [1, 1e-4, 1e-10]) {
      await solver.solve({ apply: forward.map, adjoint: back.map, b, damping }, x, 12)
      const solution = await space.read(x)
      matrices.forEach((matrix, i) => {
        const normal = multiply(transposes[i]!, matrix, size, size, size)
        for (let j = 0; j < size; j++) normal[j * (size + 1)]! += damping
        const expected = solveDense(normal, multiply(transposes[i]!, rights[i]!, size, size, 1), size)
        const row = solution.subarray(i * size, (i + 1) * size)
        // where nothing damps the direction that A does not see, rounding along it stays
        expect(norm(expected.map((value, j) => value - row[j]!))).toBeLessThan(1e-4 * norm(expected))
      })
    }
    expect(Math.max(...(await space.readScalars(solver.residual)))).toBeLessThan(1e-5)
    solver.release()
  })

  it('CG stops at non-positive curvature, each sample alone', async () => {
    const matrices = [
      [-1, 0, 0, -2],
      [2, 0, 0, -1],
      [2, 0, 0, 4],
    ]
    const rights = [
      [1, 1],
      [2, 0.1],
      [2, 4],
    ]
    const { rows, residuals } = await solveAll(space, 'cg', matrices, rights, 5)
    const apply = (v: Float64Array) => multiply(Float64Array.from(matrices[1]!), v, 2, 2, 1)
    const first = cg(apply, Float64Array.from(rights[1]!), 1)
    expect([...rows[0]!]).toEqual([0, 0])
    expect(residuals[0]).toBe(1)
    first.forEach((value, j) => expect(rows[1]![j]).toBeCloseTo(value, 6))
    rows[2]!.forEach((value) => expect(value).toBeCloseTo(1, 6))
  })
}
