import { afterAll, describe, expect, test } from 'vitest'
import { Sinkhorn, transportCost } from '../../src/math/sinkhorn'
import { exactTransport } from './assignment'
import { golden, relativeError } from './load'

const file = golden('sinkhorn')

const cases = file.keys().flatMap((key) => {
  const match = /^transport_(u\d+)(u\d+|v)_([\d.]+)$/.exec(key)
  return match ? [{ key, from: match[1]!, to: match[2]!, regularization: Number(match[3]) }] : []
})

/**
 * ⟨P, C⟩ at the fixed point, by over-relaxed updates of the same potentials (Thibault et al. 2021): plain
 * iterations would take thousands at small regularisation.
 */
function convergedCost(u: Float64Array, v: Float64Array, features: number, regularization: number): number {
  const sinkhorn = new Sinkhorn(u, v, features, regularization)
  const { rows, columns } = sinkhorn
  for (let k = 0; k < 500; k++) {
    const relaxation = k < 20 || k >= 490 ? 1 : 1.8
    let moved = 0
    for (const [side, { potential, count }] of [
      ['rows', rows],
      ['columns', columns],
    ] as const) {
      const before = potential.slice()
      moved = Math.max(moved, sinkhorn.update(side, 0, count))
      for (let i = 0; i < count; i++) potential[i] = before[i]! + relaxation * (potential[i]! - before[i]!)
    }
    if (moved < 1e-12) break
  }
  return sinkhorn.cost(0, rows.count)
}

describe('golden sinkhorn', () => {
  test.each(cases)('$key', ({ key, from, to, regularization }) => {
    const [u, v] = [file.get(from), file.get(to)]
    const features = u.shape[1]!
    const expected = file.get(key).data
    // The golden values at small regularisation stopped at 1e-5 (method.md).
    const tolerance = regularization < 1 ? 1e-5 : 1e-9
    const converged = convergedCost(u.data, v.data, features, regularization)
    expect(relativeError([converged], expected)).toBeLessThanOrEqual(tolerance)
    const options = { regularization, iterations: 300, tolerance: 1e-10 }
    const plain = transportCost(u.data, v.data, features, options)
    expect(relativeError([plain], expected)).toBeLessThanOrEqual(regularization < 1 ? 1e-3 : 1e-9)
  })

  test.each(file.keys().filter((key) => key.startsWith('emd_')))('%s bounds the entropic cost', (key) => {
    const [, from, to] = /^emd_(u\d+)(u\d+|v)$/.exec(key)!
    const [u, v] = [file.get(from!), file.get(to!)]
    const features = u.shape[1]!
    const exact = file.get(key).data[0]!
    if (u.shape[0] === v.shape[0]) {
      expect(relativeError([exactTransport(u.data, v.data, features)], [exact])).toBeLessThan(1e-9)
    }
    const entropic = [1, 0.3].map((regularization) =>
      transportCost(u.data, v.data, features, { regularization, iterations: 200, tolerance: 1e-6 }),
    )
    // ⟨P, C⟩ of a feasible plan is above the optimum and falls to it with the regularisation.
    expect(entropic[0]!).toBeGreaterThan(entropic[1]!)
    expect(entropic[1]!).toBeGreaterThan(exact)
  })

  afterAll(() => expect(file.unused()).toEqual([]))
})
