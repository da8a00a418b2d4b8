import { describe, expect, it } from 'vitest'
import { median, pairRatios, quantile, relativeError } from '../../bench/statistics'

describe('summaries of measurements', () => {
  it('interpolates quantiles between neighbours, in any order', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(quantile([10, 0, 20, 30, 40], 0.25)).toBe(10)
    expect(median([])).toBeNaN()
  })

  it('takes the median of ratios of a round, not the ratio of medians', () => {
    // the machine was ten times as slow in the second round, for both
    expect(pairRatios([1, 10, 1], [3, 30, 3])).toEqual({ median: 3, low: 3, high: 3 })
    expect(pairRatios([1, 2, 4], [4, 4, 4])).toEqual({ median: 2, low: 1.5, high: 3 })
  })

  it('measures errors in norm, and calls what is not finite or not as long infinitely wrong', () => {
    expect(relativeError([3, 4.5], [3, 4])).toBeCloseTo(0.1, 12)
    expect(relativeError([3, Number.NaN], [3, 4])).toBe(Infinity)
    expect(relativeError([3], [3, 4])).toBe(Infinity)
  })
})
