import { expect, test } from 'vitest'
import { resampleByArcLength, smoothStroke, strokeLength, type Point } from '../../src/ui/data/arcLength'
import { shapes } from '../../src/ui/data/shapes'

test('resampled points are equally far apart along the stroke and keep its ends', () => {
  // A corner, drawn slowly first and fast then.
  const stroke: Point[] = [
    [0, 0],
    [0.1, 0],
    [0.3, 0],
    [1, 0],
    [1, 2],
  ]
  const points = resampleByArcLength(stroke, 31)
  expect(points).toHaveLength(31)
  expect(points[0]).toEqual([0, 0])
  expect(points[30]![0]).toBeCloseTo(1)
  expect(points[30]![1]).toBeCloseTo(2)
  for (let k = 1; k < points.length; k += 1) {
    expect(Math.hypot(points[k]![0] - points[k - 1]![0], points[k]![1] - points[k - 1]![1])).toBeCloseTo(0.1)
  }
})

test('a single point gives copies of itself, no point an error', () => {
  expect(resampleByArcLength([[1, -1]], 3)).toEqual([
    [1, -1],
    [1, -1],
    [1, -1],
  ])
  expect(() => resampleByArcLength([], 3)).toThrow(RangeError)
})

test('smoothing takes the jitter out and keeps the ends', () => {
  const jittery = Array.from({ length: 101 }, (_, k): Point => [k / 50 - 1, (k % 2) * 0.02])
  const smooth = smoothStroke(jittery, 128)
  expect(smooth).toHaveLength(128)
  expect(smooth[0]).toEqual([-1, 0])
  expect(smooth[127]![0]).toBeCloseTo(1)
  expect(strokeLength(smooth)).toBeLessThan(strokeLength(jittery))
})

test('ready-made shapes stay inside the pad', () => {
  for (const { points } of shapes) {
    for (const [x, y] of points) {
      expect(Math.abs(x)).toBeLessThanOrEqual(2)
      expect(Math.abs(y)).toBeLessThanOrEqual(2)
    }
  }
})
