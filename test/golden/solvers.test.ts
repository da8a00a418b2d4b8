import { afterAll, describe, expect, test } from 'vitest'
import { bicgstab } from '../../src/linalg/bicgstab'
import { cg } from '../../src/linalg/cg'
import { gmres } from '../../src/linalg/gmres'
import { multiply, solveDense } from '../../src/math/matrix'
import { expectClose, golden } from './load'

const file = golden('solvers')
const [count, size] = file.get('b').shape as [number, number]
const system = (name: string, i: number) => file.get(name).data.slice(i * size * size, (i + 1) * size * size)
const vector = (name: string, i: number) => file.get(name).data.slice(i * size, (i + 1) * size)

const solvers = { cg: [cg, 'spd'], gmres: [gmres, 'nonsym'], bicgstab: [bicgstab, 'nonsym'] } as const

const cases = file.keys().flatMap((key) => {
  const match = /^(cg|gmres|bicgstab)_(\d+)$/.exec(key)
  return match ? [{ key, name: match[1] as keyof typeof solvers, iterations: Number(match[2]) }] : []
})

describe('golden solvers', () => {
  test.each(cases)('$key, all systems', ({ key, name, iterations }) => {
    const [solve, matrices] = solvers[name]
    const solutions = Array.from({ length: count }, (_, i) => {
      const matrix = system(matrices, i)
      return [...solve((v) => multiply(matrix, v, size, size, 1), vector('b', i), iterations)]
    })
    // method.md: late BiCGSTAB iterates are ill-conditioned, 1e-6 in float64.
    const tolerance = name === 'bicgstab' && iterations > 5 ? 1e-6 : 1e-9
    expectClose(solutions.flat(), file.get(key).data, tolerance)
  })

  test.each(['spd', 'nonsym'])('exact solutions of the %s systems', (matrices) => {
    const solutions = Array.from({ length: count }, (_, i) => [
      ...solveDense(system(matrices, i), vector('b', i), size),
    ])
    expectClose(solutions.flat(), file.get(`x_${matrices}`).data, 1e-9)
  })

  afterAll(() => expect(file.unused()).toEqual([]))
})
