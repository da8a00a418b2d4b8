import { describe, expect, it } from 'vitest'
import { histograms } from '../../src/diffusion/histogram'
import { createWebGpuBackend } from '../../src/gpu/backend'
import { gpu } from './adapter'
import { afterAll } from 'vitest'

const backend = await createWebGpuBackend(gpu)
afterAll(() => backend.destroy())

/** Values that also leave the range, and some that are not numbers. */
function sample(count: number, features: number): Float32Array {
  return Float32Array.from({ length: count * features }, (_, i) => {
    if (i % 41 === 7) return NaN
    if (i % 97 === 5) return i % 2 ? Infinity : -Infinity
    return 3.5 * Math.sin(i * 12.9898)
  })
}

describe('histograms', () => {
  it.each([
    { count: 1, features: 2, bins: 4 },
    { count: 333, features: 5, bins: 64 },
    { count: 1001, features: 8, bins: 7 },
  ])(
    'count as the twin does, not-a-numbers and the outside left out: %o',
    async ({ count, features, bins }) => {
      const samples = sample(count, features)
      const actual = await backend.histograms(samples, features, bins, 3)
      expect(actual).toEqual(histograms(samples, features, bins, 3))
      expect(actual.marginal.reduce((sum, c) => sum + c, 0)).toBeLessThan(count * features + 1)
    },
  )

  it('put both ends of the range into the first and last bin', async () => {
    const { marginal, joint } = await backend.histograms(Float32Array.of(-3, 3), 2, 4, 3)
    expect([...marginal]).toEqual([1, 0, 0, 0, 0, 0, 0, 1])
    expect(joint[3 * 4 + 0]).toBe(1)
  })

  it('of no sample at all are empty', async () => {
    const { count, joint } = await backend.histograms(new Float32Array(0), 3, 4, 3)
    expect(count).toBe(0)
    expect(joint.every((c) => c === 0)).toBe(true)
  })
})
