import { describe, expect, test } from 'vitest'
import { createCpuBackend } from '../../../src/diffusion/cpuBackend'
import {
  figure2Covariances,
  figure2Csv,
  figure2Defaults,
  figure2Quartiles,
  figure2Seed,
  type Figure2Row,
} from '../../../src/experiments/mixture/figure2'

const backend = createCpuBackend()
const settings = {
  ...figure2Defaults,
  points: 96,
  draws: 8192,
  features: 2,
  components: 64,
  thickness: 0.05,
  sigmaY: 0.05,
  regularization: 1e-2,
}

describe('Figure 2', () => {
  test('gives the same rows for the same seed, one for each noise level and covariance', async () => {
    const rows = await figure2Seed(backend, settings, 4, {}, [0.1, 0.5])
    expect(rows.map(({ sigma, covariance }) => `${sigma} ${covariance}`)).toEqual(
      [0.1, 0.5].flatMap((sigma) => figure2Covariances.map((covariance) => `${sigma} ${covariance}`)),
    )
    for (const { divergence, ess } of rows) {
      expect(divergence).toBeGreaterThan(0)
      expect(ess).toBeGreaterThan(1)
    }
    expect(await figure2Seed(backend, settings, 4, {}, [0.1, 0.5])).toEqual(rows)
    expect(await figure2Seed(backend, settings, 5, {}, [0.1, 0.5])).not.toEqual(rows)
  })

  test('puts Tweedie’s covariance nearest to the exact posterior at a middle noise level, in the median', async () => {
    const rows: Figure2Row[] = []
    for (let seed = 0; seed < 7; seed++) rows.push(...(await figure2Seed(backend, settings, seed, {}, [0.5])))
    const median = (name: string) =>
      figure2Quartiles(rows).find(({ covariance }) => covariance === name)!.median
    for (const heuristic of ['zero', 'identity', 'gaussian']) {
      expect(median('tweedie')).toBeLessThan(median(heuristic))
    }
  })

  test('can be aborted, and reports progress that grows to one', async () => {
    const abort = new AbortController()
    abort.abort(new Error('enough'))
    await expect(figure2Seed(backend, settings, 0, { signal: abort.signal }, [0.5])).rejects.toThrow('enough')
    const fractions: number[] = []
    await figure2Seed(backend, settings, 0, { onProgress: (fraction) => fractions.push(fraction) }, [0.5])
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
    expect(fractions.at(-1)).toBe(1)
  })

  test('draws quartiles between order statistics, and writes a line a row', () => {
    const rows = [1, 2, 3, 4].map((divergence, seed) => ({
      seed,
      sigma: 0.1,
      covariance: 'zero' as const,
      divergence,
    }))
    expect(figure2Quartiles(rows)).toEqual([
      { covariance: 'zero', sigma: 0.1, low: 1.75, median: 2.5, high: 3.25, count: 4 },
    ])
    expect(figure2Csv(rows).split('\n')).toHaveLength(6)
  })
})
