import { expect, test } from 'vitest'
import { constraintPlanes } from '../../src/ui/plots/constraintProjection'

const features = 4

test('samples that meet the constraint lie on the line p = y in every plane', () => {
  const A = [0.6, 0.8, 0, 0, 0, 0, 1, 0]
  const y = [0.5, -1]
  // x = particular solution + multiples of directions in the null space of A.
  const samples = [-1.5, -0.2, 0.7, 1.3].flatMap((t) => [0.3 - 0.8 * t, 0.4 + 0.6 * t, -1, 0.2 * t])
  const planes = constraintPlanes(A, y, samples, features)
  expect(planes.map(({ row }) => row)).toEqual([0, 1])
  for (const plane of planes) {
    for (const p of plane.p) expect(p).toBeCloseTo(plane.y, 12)
    expect(Math.hypot(...plane.d)).toBeCloseTo(1, 12)
    expect(plane.d.reduce((sum, value, i) => sum + value * plane.a[i]!, 0)).toBeCloseTo(0, 12)
  }
  // The null space direction (-0.8, 0.6, 0, 0.2) is the one in which they differ.
  const norm = Math.hypot(0.8, 0.6, 0.2)
  expect(Math.abs(planes[0]!.d[0]!)).toBeCloseTo(0.8 / norm, 6)
})

test('the second direction is the only one there is in the plane', () => {
  const [plane] = constraintPlanes([1, 0], [0.3], [0.3, 1, 0.3, -1], 2)
  expect(Math.abs(plane!.d[1]!)).toBeCloseTo(1, 12)
})

test('samples without spread still get a direction', () => {
  const [plane] = constraintPlanes([0, 1, 0], [1], [2, 1, 3, 2, 1, 3], 3)
  expect(Math.hypot(...plane!.d)).toBeCloseTo(1, 12)
  expect(plane!.d[1]).toBeCloseTo(0, 12)
})
