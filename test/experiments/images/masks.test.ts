import { describe, expect, it } from 'vitest'
import { boxMask, brushMask, columnMask, randomMask } from '../../../src/experiments/images/masks'

const size = { height: 16, width: 16 }
const count = (mask: Uint8Array) => mask.reduce((sum, m) => sum + m, 0)
const rowsOf = (mask: Uint8Array, width: number) =>
  Array.from({ length: mask.length / width }, (_, i) => mask.subarray(i * width, (i + 1) * width).join(''))

describe('masks', () => {
  it('of a box hide its pixels, whole inside the image', () => {
    expect(rowsOf(boxMask({ height: 4, width: 4 }, 0.5, 0.5, 0.5), 4)).toEqual([
      '1111',
      '1001',
      '1001',
      '1111',
    ])
    expect(rowsOf(boxMask({ height: 4, width: 4 }, 1, 0, 0.5), 4)).toEqual(['1100', '1100', '1111', '1111'])
    for (const [x, y, side] of [
      [0, 0, 0.9],
      [0.3, 0.9, 0.05],
      [0.51, 0.49, 1],
    ]) {
      const hole = Math.max(1, Math.min(15, Math.round(16 * side!)))
      expect(count(boxMask(size, x!, y!, side!))).toBe(256 - hole * hole)
    }
  })

  it('of the brush are round-capped strokes, later ones above', () => {
    const dot = brushMask(size, [{ points: [[0.5, 0.5]], width: 0.5, erase: false }])
    for (let i = 0; i < 256; i++) {
      const inside = Math.hypot((i % 16) - 7.5, Math.floor(i / 16) - 7.5) <= 4
      expect(dot[i]).toBe(inside ? 0 : 1)
    }
    const line = { points: [[0, 0] as const, [1, 1] as const], width: 0.001, erase: false }
    const diagonal = brushMask(size, [line])
    for (let i = 0; i < 16; i++) expect(diagonal[17 * i]).toBe(0)
    expect(count(diagonal)).toBeGreaterThan(256 - 16 * 3)
    expect(count(brushMask(size, [line, { ...line, width: 0.2, erase: true }]))).toBe(256)
    expect(count(brushMask(size, []))).toBe(256)
  })

  it.each([0.004, 0.1, 0.37, 1])('of random pixels keep exactly their part, %d', (kept) => {
    const mask = randomMask(size, kept, 3)
    expect(count(mask)).toBe(Math.max(1, Math.round(kept * 256)))
    expect(randomMask(size, kept, 3)).toEqual(mask)
    if (kept < 1 && kept > 0.01) expect(randomMask(size, kept, 4)).not.toEqual(mask)
    const more = randomMask(size, Math.min(1, kept * 2), 3)
    expect(mask.every((m, i) => m <= more[i]!)).toBe(true)
  })

  it('of random pixels keep each as often as any other', () => {
    const hits = new Float64Array(64)
    for (let seed = 0; seed < 2000; seed++) {
      randomMask({ height: 8, width: 8 }, 0.25, seed).forEach((m, i) => (hits[i]! += m))
    }
    // 500 expected, standard deviation √(2000 · 3/16) = 19
    for (const hit of hits) expect(Math.abs(hit - 500)).toBeLessThan(5 * 19.4)
  })

  it.each([
    [320, 6, 20 / 320],
    [32, 4, 0.0625],
    [33, 2, 0.2],
    [16, 16, 0.5],
  ])('of columns keep width / R, the whole centre among them: %i, R = %d', (width, acceleration, centre) => {
    const columns = columnMask(width, acceleration, centre, 1)
    const total = Math.round(width / acceleration)
    expect(count(columns)).toBe(total)
    const whole = Math.min(total, Math.round(centre * width))
    for (let k = 0; k < whole; k++) expect(columns.at(k - Math.floor(whole / 2))).toBe(1)
    if (total > whole + 3) expect(columnMask(width, acceleration, centre, 2)).not.toEqual(columns)
  })
})
