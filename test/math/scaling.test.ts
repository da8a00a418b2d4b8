import { describe, expect, it } from 'vitest'
import { areaRows, bicubicRows, type ScalingRow } from '../../src/math/scaling'
import { pattern, reference } from '../fixtures/images/reference'

const scale = (rows: readonly ScalingRow[], at: (i: number) => number) =>
  rows.map(({ first, weights }) => weights.reduce((sum, w, i) => sum + w * at(first + i), 0))

describe('scaling', () => {
  it.each(reference.scaling)(
    'bicubic equals PyTorch, $height × $width to $toHeight × $toWidth',
    ({ channels, height, width, toHeight, toWidth, values }) => {
      const x = pattern({ channels, height, width }, 1)
      for (let c = 0; c < channels; c++) {
        const narrow = Array.from({ length: height }, (_, i) =>
          scale(bicubicRows(width, toWidth), (j) => x[(c * height + i) * width + j]!),
        )
        for (let j = 0; j < toWidth; j++) {
          scale(bicubicRows(height, toHeight), (i) => narrow[i]![j]!).forEach((value, i) => {
            expect(value).toBeCloseTo(values[(c * toHeight + i) * toWidth + j]!, 8)
          })
        }
      }
    },
  )

  it('by area takes means, pixels at the ends by their part', () => {
    expect(scale(areaRows(4, 2), (i) => [1, 3, 5, 9][i]!)).toEqual([2, 7])
    const thirds = scale(areaRows(5, 3), (i) => [1, 2, 3, 4, 5][i]!)
    const expected = [(1 + 2 * (2 / 3)) / (5 / 3), (2 / 3 + 3 + 4 * (1 / 3) + 1 / 3 + 0) / (5 / 3), 0]
    expect(thirds[0]).toBeCloseTo(expected[0]!, 12)
    expect(thirds[1]).toBeCloseTo(3, 12)
    expect(thirds[2]).toBeCloseTo((4 * (2 / 3) + 5) / (5 / 3), 12)
  })

  it.each([
    [4096, 7],
    [13, 13],
    [3, 8],
  ])('weights have sum 1 and stay inside, %i to %i', (from, to) => {
    for (const rows of [areaRows(from, to), bicubicRows(from, to)]) {
      expect(rows).toHaveLength(to)
      for (const { first, weights } of rows) {
        expect(weights.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 12)
        expect(first >= 0 && first + weights.length <= from).toBe(true)
      }
    }
  })
})
