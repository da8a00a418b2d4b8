import { describe, expect, it } from 'vitest'
import { psnr, ssim } from '../../src/math/imageMetrics'
import { pattern, reference } from '../fixtures/images/reference'

describe('image metrics', () => {
  it.each(reference.metrics)('equal scikit-image at $channels × $height × $width', (size) => {
    const clean = pattern(size, 1)
    const other = pattern(size, 2)
    const noisy = clean.map((value, i) => Math.min(1, Math.max(-1, value + 0.3 * other[i]!)))
    expect(psnr(noisy, clean)).toBeCloseTo(size.psnr, 9)
    expect(Math.abs(ssim(noisy, clean, size) - size.ssim)).toBeLessThan(1e-10)
    expect(ssim(clean, noisy, size)).toBeCloseTo(ssim(noisy, clean, size), 12)
  })

  it('are infinite and 1 for equal images', () => {
    const size = { channels: 2, height: 4, width: 1 }
    const image = pattern(size, 3)
    expect(psnr(image, image)).toBe(Infinity)
    expect(ssim(image, image, size)).toBeCloseTo(1, 12)
  })

  it('of a small image use the longest odd window that fits', () => {
    // 4 × 1: two windows of 3 × 1 with weights g, 1, g
    const g = Math.exp(-1 / (2 * 1.5 ** 2))
    const mean = (a: number, b: number, c: number) => (g * a + b + g * c) / (2 * g + 1)
    const x = [0.1, 0.9, -0.5, 0.3]
    const r = [0.2, 0.6, -0.9, 0.7]
    const index = (start: number) => {
      const over = (f: (i: number) => number) => mean(f(start), f(start + 1), f(start + 2))
      const [mx, mr] = [over((i) => x[i]!), over((i) => r[i]!)]
      const vx = over((i) => (x[i]! - mx) ** 2)
      const vr = over((i) => (r[i]! - mr) ** 2)
      const cov = over((i) => (x[i]! - mx) * (r[i]! - mr))
      return ((2 * mx * mr + 4e-4) * (2 * cov + 3.6e-3)) / ((mx * mx + mr * mr + 4e-4) * (vx + vr + 3.6e-3))
    }
    expect(ssim(x, r, { channels: 1, height: 4, width: 1 })).toBeCloseTo((index(0) + index(1)) / 2, 12)
  })

  it('of a constant error follow from the formulas', () => {
    const size = { channels: 1, height: 16, width: 16 }
    const reference = new Float64Array(256).fill(0.5)
    const image = new Float64Array(256).fill(0.3)
    expect(psnr(image, reference)).toBeCloseTo(10 * Math.log10(4 / 0.04), 10)
    expect(ssim(image, reference, size)).toBeCloseTo((2 * 0.15 + 4e-4) / (0.09 + 0.25 + 4e-4), 10)
  })

  it('refuse images of different sizes', () => {
    expect(() => psnr([1, 2], [1])).toThrow(/same size/)
    expect(() => ssim([1, 2], [1, 2], { channels: 1, height: 1, width: 3 })).toThrow(/same size/)
  })
})
