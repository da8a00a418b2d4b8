import { describe, expect, it } from 'vitest'
import { drawnMotionKernel, randomMotionKernel } from '../../../src/experiments/images/motionKernel'

/** Mean place and covariance of a kernel, in pixels from its centre. */
function moments(kernel: Float32Array, size: number) {
  const mean = (f: (x: number, y: number) => number) =>
    kernel.reduce(
      (sum, w, i) => sum + w * f((i % size) - (size - 1) / 2, Math.floor(i / size) - (size - 1) / 2),
      0,
    )
  const [x, y] = [mean((x) => x), mean((_, y) => y)]
  const [xx, yy, xy] = [
    mean((x) => x * x) - x * x,
    mean((_, y) => y * y) - y * y,
    mean((x, y) => x * y) - x * y,
  ]
  const spread = Math.sqrt(((xx - yy) / 2) ** 2 + xy ** 2)
  return { x, y, least: (xx + yy) / 2 - spread, most: (xx + yy) / 2 + spread }
}

describe('motion kernels', () => {
  it.each([3, 7, 61])('of side %i are densities, the same for a seed and others for others', (size) => {
    for (const intensity of [0, 0.5, 1]) {
      for (let seed = 0; seed < 10; seed++) {
        const kernel = randomMotionKernel(size, intensity, seed)
        expect(kernel).toHaveLength(size * size)
        expect(kernel.every((w) => w >= 0)).toBe(true)
        expect(kernel.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 5)
        expect(randomMotionKernel(size, intensity, seed)).toEqual(kernel)
        expect(randomMotionKernel(size, intensity, seed + 100)).not.toEqual(kernel)
      }
    }
  })

  it('without intensity are straight lines about the centre', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { x, y, least, most } = moments(randomMotionKernel(61, 0, seed), 61)
      // bilinear weights spread a point by at most half a pixel
      expect(least).toBeLessThan(0.26)
      expect(most).toBeGreaterThan(least)
      // the mean of the vertices, not of the length, lies in the centre
      expect(Math.hypot(x, y)).toBeLessThan(6)
    }
  })

  it('bend and grow with the intensity', () => {
    const bend = (intensity: number) => {
      let sum = 0
      for (let seed = 0; seed < 40; seed++) sum += moments(randomMotionKernel(61, intensity, seed), 61).least
      return sum / 40
    }
    const [straight, bent, shaken] = [bend(0), bend(0.5), bend(1)]
    expect(bent).toBeGreaterThan(4 * straight)
    expect(shaken).toBeGreaterThan(1.5 * bent)
  })

  it('mostly have zeros', () => {
    const taps = Array.from(
      { length: 20 },
      (_, seed) => randomMotionKernel(61, 0.5, seed).filter((w) => w > 0).length,
    )
    expect(Math.max(...taps)).toBeLessThan(700)
  })

  it('drawn from edge to edge weigh one row evenly', () => {
    const kernel = drawnMotionKernel(5, [
      [-1, 0],
      [1, 0],
    ])
    const row = [1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 8]
    kernel.forEach((w, i) => expect(w).toBeCloseTo(Math.floor(i / 5) === 2 ? row[i % 5]! : 0, 6))
  })

  it('drawn downwards go down, and a single point is one pixel', () => {
    const { x, y } = moments(
      drawnMotionKernel(9, [
        [0.5, 0],
        [0.5, 1],
      ]),
      9,
    )
    expect([x, y].map((v) => Number(v.toFixed(3)))).toEqual([2, 2])
    expect(drawnMotionKernel(3, [[7, -7]])[2]).toBe(1)
    expect(() => drawnMotionKernel(3, [])).toThrow(/path/)
  })
})
