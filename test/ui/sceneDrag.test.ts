import { describe, expect, it } from 'vitest'
import { measurement } from '../../src/experiments/mixture/scene'
import { mixtureDefaults, type MixtureSettings } from '../../src/experiments/mixture/settings'
import { along, planeProjection, project, spaceProjection } from '../../src/ui/plots/scatterGeometry'
import { posteriorModes, sampleShares } from '../../src/ui/posterior/posteriorModes'
import {
  constraintHandles,
  movedConstraint,
  steppedConstraint,
  turnedConstraint,
} from '../../src/ui/posterior/sceneDrag'

const REACH = 2.3
const inPlane: MixtureSettings = { ...mixtureDefaults, features: 2, observed: 1, azimuth: 35, y1: 0.6 }
const inSpace: MixtureSettings = { ...inPlane, features: 3, elevation: 20 }
const onLine: MixtureSettings = { ...inSpace, observed: 2, y2: -0.3 }
const camera = spaceProjection(3, [0, 1, 2], -58, 22)

describe('handles of the constraint', () => {
  it('lie on it', () => {
    for (const settings of [inPlane, onLine]) {
      const A = measurement(settings)
      const { move, turn } = constraintHandles(settings, REACH)
      const n = settings.features
      ;[settings.y1, settings.y2].slice(0, settings.observed).forEach((y, r) => {
        expect(along(A.subarray(r * n, (r + 1) * n), move)).toBeCloseTo(y, 12)
        expect(along(A.subarray(r * n, (r + 1) * n), turn)).toBeCloseTo(y, 12)
      })
    }
    expect(along(measurement(inSpace), constraintHandles(inSpace, REACH).move)).toBeCloseTo(inSpace.y1, 12)
  })
})

describe('moving', () => {
  it('follows the pointer across a line, and not along it', () => {
    const a = measurement(inPlane)
    const across = movedConstraint(inPlane, planeProjection(), [0.5 * a[0]!, 0.5 * a[1]!])
    expect(across.y1).toBeCloseTo(1.1, 3)
    expect(movedConstraint(inPlane, planeProjection(), [-a[1]!, a[0]!]).y1).toBeCloseTo(0.6, 3)
  })

  it('brings a plane’s foot under the pointer that moves along its normal', () => {
    const from = project(camera, constraintHandles(inSpace, REACH).move)
    const after = movedConstraint(inSpace, camera, [from[0], from[1]])
    expect(after.y1).toBeCloseTo(1.2, 3)
  })

  it('brings a line in space under the pointer', () => {
    const way = [0.3, -0.2] as const
    const moved = { ...onLine, ...movedConstraint(onLine, camera, way) }
    const [before, after] = [onLine, moved].map((settings) => {
      const { move, turn } = constraintHandles(settings, REACH)
      return [project(camera, move), project(camera, turn)] as const
    })
    const direction = [before![1][0] - before![0][0], before![1][1] - before![0][1]]
    const offset = [after![0][0] - before![0][0] - way[0], after![0][1] - before![0][1] - way[1]]
    // What is left of the way is along the line's image.
    expect(direction[0]! * offset[1]! - direction[1]! * offset[0]!).toBeCloseTo(0, 2)
  })

  it('stays within the range of y', () => {
    expect(movedConstraint(inPlane, planeProjection(), [99, 99]).y1).toBe(4)
    expect(steppedConstraint(inPlane, { y1: -9 }).y1).toBe(-4)
    expect(steppedConstraint({ ...inPlane, azimuth: 175 }, { azimuth: 10 }).azimuth).toBe(-175)
  })
})

describe('turning', () => {
  it('lays a line through the pointer, at the same distance from 0', () => {
    for (const y1 of [0.6, -0.6, 0]) {
      const pointer = [-0.9, 1.4] as const
      const turned = {
        ...inPlane,
        y1,
        ...turnedConstraint({ ...inPlane, y1 }, planeProjection(), REACH, pointer),
      }
      expect(along(measurement(turned), pointer)).toBeCloseTo(y1, 2)
      expect(turned.y1).toBe(y1)
    }
  })

  it('leaves a line where it is when the pointer is on its handle', () => {
    const handle = project(planeProjection(), constraintHandles(inPlane, REACH).turn)
    expect(turnedConstraint(inPlane, planeProjection(), REACH, handle).azimuth).toBeCloseTo(35, 6)
  })

  it('brings the handle of a plane or a line in space under the pointer', () => {
    for (const settings of [inSpace, onLine]) {
      const [u, v] = project(camera, constraintHandles(settings, REACH).turn)
      const pointer = [u - 0.4, v - 0.1] as const
      const turned = { ...settings, ...turnedConstraint(settings, camera, REACH, pointer) }
      const after = project(camera, constraintHandles(turned, REACH).turn)
      expect(Math.hypot(after[0] - pointer[0], after[1] - pointer[1])).toBeLessThan(0.01)
    }
  })

  it('stays finite where the pointer is out of the handle’s reach', () => {
    const turned = turnedConstraint(inSpace, camera, REACH, [40, -3])
    expect(turned.azimuth).toBeGreaterThanOrEqual(-180)
    expect(Math.abs(turned.elevation!)).toBeLessThanOrEqual(90)
  })
})

describe('modes of the exact posterior', () => {
  const posterior = {
    features: 2,
    means: Float64Array.of(-1, 0, -0.9, 0, 0, 0, 0.9, 0, 1, 0, 1.02, 0.01),
    weights: Float64Array.of(0.3, 0.3, 0, 0.1, 0.2, 0.1),
    covariance: Float64Array.of(0.01, 0, 0, 0.01),
  }

  it('are runs of neighbours with weight, heaviest first', () => {
    const modes = posteriorModes(posterior, [])
    expect(modes.map(({ share }) => Number(share.toFixed(9)))).toEqual([0.6, 0.4])
    expect(modes[0]!.centre[0]).toBeCloseTo(-0.95, 12)
  })

  it('are one where two strokes cross', () => {
    expect(posteriorModes(posterior, [5])).toHaveLength(2)
  })

  it('share out the samples near them', () => {
    const { shares, elsewhere } = sampleShares(
      posterior,
      posteriorModes(posterior, []),
      [-1, 0.1, 1, -0.1, 1, 0.1, 0, 2],
    )
    expect(shares).toEqual([0.25, 0.5])
    expect(elsewhere).toBe(0.25)
  })
})
