import { describe, expect, it } from 'vitest'
import {
  clipLine,
  clipPlane,
  distanceToSegment,
  easeReach,
  fromPixel,
  nearestPoint,
  planeProjection,
  project,
  projectedEllipse,
  projectPoints,
  reachAt,
  spaceProjection,
  ticksWithin,
  toPixel,
} from '../../src/ui/plots/scatterGeometry'

const view = { left: 30, top: 6, side: 460, extent: 2.3 }

describe('projection', () => {
  it('has orthonormal axes from every side, x_3 upright', () => {
    for (const [azimuth, elevation] of [
      [-58, 22],
      [130, -70],
    ] as const) {
      const { right, up, toward } = spaceProjection(3, [0, 1, 2], azimuth, elevation)
      const rows = [right, up, toward]
      rows.forEach((one, i) =>
        rows.forEach((other, j) => {
          const product = one.reduce((sum, value, k) => sum + value * other[k]!, 0)
          expect(product).toBeCloseTo(i === j ? 1 : 0, 12)
        }),
      )
      expect(right[2]).toBe(0)
      expect(up[2]).toBeGreaterThan(0)
    }
  })

  it('looks along -x_1 from azimuth 0: x_2 to the right, x_3 up', () => {
    const projection = spaceProjection(3, [0, 1, 2], 0, 0)
    expect(project(projection, [5, 1, 2])).toEqual([1, 2])
  })

  it('shows the chosen coordinates of more', () => {
    const projection = spaceProjection(5, [3, 1, 4], 0, 0)
    expect(project(projection, [9, 1, 9, 9, 2])).toEqual([1, 2])
  })

  it('goes to pixels and back', () => {
    expect(toPixel(view, [2.3, 2.3])).toEqual([490, 6])
    const [u, v] = fromPixel(view, toPixel(view, [0.7, -1.1]))
    expect(u).toBeCloseTo(0.7, 12)
    expect(v).toBeCloseTo(-1.1, 12)
  })

  it('projects points with noise as it projects each of them', () => {
    const projection = spaceProjection(3, [0, 1, 2], 40, 30)
    const points = Float32Array.of(0.1, 0.2, 0.3, -1, 1, 0.5)
    const noise = Float32Array.of(1, -1, 0.5, 0, 2, -2)
    const target = new Float32Array(6)
    expect(projectPoints(projection, view, points, target, noise, 0.25)).toBe(2)
    const second = [-1, 1.5, 0]
    const [x, y] = toPixel(view, project(projection, second))
    expect(target[3]).toBeCloseTo(x, 3)
    expect(target[4]).toBeCloseTo(y, 3)
    expect(target[5]).toBeCloseTo(
      projection.toward.reduce((sum, value, i) => sum + value * second[i]!, 0),
      5,
    )
  })
})

describe('zoom', () => {
  it('shows [-2.3, 2.3] without noise and noise of 10 whole', () => {
    expect(reachAt(0)).toBe(2.3)
    expect(reachAt(10)).toBeGreaterThan(25)
  })

  it('moves the same however the time is divided, and arrives', () => {
    const inOne = easeReach(30, 2.3, 48)
    const inThree = easeReach(easeReach(easeReach(30, 2.3, 16), 2.3, 16), 2.3, 16)
    expect(inThree).toBeCloseTo(inOne, 10)
    expect(inOne).toBeLessThan(30)
    expect(easeReach(30, 2.3, 2000)).toBe(2.3)
  })

  it('puts about five round ticks', () => {
    expect(ticksWithin(2.3)).toEqual([-2, -1, 0, 1, 2])
    expect(ticksWithin(28)).toEqual([-20, -10, 0, 10, 20])
    for (let half = 1; half < 40; half *= 1.07) {
      const count = ticksWithin(half).length
      expect(count).toBeGreaterThanOrEqual(3)
      expect(count).toBeLessThanOrEqual(9)
    }
  })
})

describe('clipping', () => {
  it('cuts a line at the sides of the square', () => {
    expect(clipLine([0, 1], [1, 0], 2)).toEqual([-2, 2])
    expect(clipLine([0, 3], [1, 0], 2)).toBeNull()
    const [low, high] = clipLine([0, 0], [Math.SQRT1_2, Math.SQRT1_2], 1)!
    expect(low).toBeCloseTo(-Math.SQRT2, 12)
    expect(high).toBeCloseTo(Math.SQRT2, 12)
  })

  it('cuts a cube into a triangle, a square or a hexagon, with corners in order', () => {
    const diagonal = [1 / Math.sqrt(3), 1 / Math.sqrt(3), 1 / Math.sqrt(3)]
    expect(clipPlane(diagonal, 1.5, 1)).toHaveLength(3)
    expect(clipPlane([0, 0, 1], 0.5, 1)).toHaveLength(4)
    expect(clipPlane(diagonal, 2, 1)).toHaveLength(0)
    const hexagon = clipPlane(diagonal, 0, 1)
    expect(hexagon).toHaveLength(6)
    hexagon.forEach((corner, k) => {
      const next = hexagon[(k + 1) % 6]!
      expect(corner[0]! + corner[1]! + corner[2]!).toBeCloseTo(0, 12)
      expect(Math.hypot(...corner.map((value, i) => value - next[i]!))).toBeCloseTo(Math.SQRT2, 12)
    })
  })
})

describe('ellipse', () => {
  it('has the half-axes and direction that made the covariance', () => {
    const [major, minor, angle] = [0.8, 0.2, 0.6]
    const [c, s] = [Math.cos(angle), Math.sin(angle)]
    const uv = (major ** 2 - minor ** 2) * c * s
    const covariance = [
      major ** 2 * c * c + minor ** 2 * s * s,
      uv,
      uv,
      major ** 2 * s * s + minor ** 2 * c * c,
    ]
    const ellipse = projectedEllipse(planeProjection(), covariance)
    expect(ellipse.major).toBeCloseTo(major, 12)
    expect(ellipse.minor).toBeCloseTo(minor, 12)
    expect(ellipse.angle).toBeCloseTo(angle, 12)
  })

  it('is the shadow of an ellipsoid: a needle seen from its end is a point', () => {
    const needle = [1, 0, 0, 0, 0, 0, 0, 0, 0]
    expect(projectedEllipse(spaceProjection(3, [0, 1, 2], 0, 0), needle).major).toBeCloseTo(0, 12)
    expect(projectedEllipse(spaceProjection(3, [0, 1, 2], 90, 0), needle).major).toBeCloseTo(1, 12)
  })
})

describe('what lies under the pointer', () => {
  it('is the nearest sample within reach', () => {
    const pixels = Float32Array.of(10, 10, 0, 14, 10, 0, Number.NaN, 3, 0)
    expect(nearestPoint(pixels, 3, [13, 10], 5)).toBe(1)
    expect(nearestPoint(pixels, 3, [40, 40], 5)).toBeNull()
    expect(nearestPoint(pixels, 1, [13, 10], 5)).toBe(0)
  })

  it('is a segment by its distance, beyond its ends too', () => {
    expect(distanceToSegment([5, 3], [0, 0], [10, 0])).toBe(3)
    expect(distanceToSegment([13, 4], [0, 0], [10, 0])).toBe(5)
  })
})
