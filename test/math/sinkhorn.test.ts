import { describe, expect, test } from 'vitest'
import { curvePoints, coordinateRange, scaleToBox } from '../../src/math/curve'
import { RandomStream } from '../../src/math/philox'
import { Sinkhorn, sinkhornDivergence, transportCost } from '../../src/math/sinkhorn'
import { iterationAt, largestRaise, sinkhornStages } from '../../src/math/sinkhornStages'

function cloud(count: number, features: number, index: number, shift = 0): Float32Array {
  const out = new Float64Array(count * features)
  new RandomStream(4, 0).fillNormals(out, 0, out.length, index, 0, 9)
  return Float32Array.from(out, (value) => value + shift)
}

describe('Sinkhorn', () => {
  const options = { regularization: 0.5, iterations: 500, tolerance: 1e-12 }

  test('single points are as far apart as they are', () => {
    expect(transportCost(Float32Array.of(0, 0), Float32Array.of(3, 4), 2, options)).toBeCloseTo(25, 12)
  })

  test('the plan has uniform marginals, also for clouds of different sizes', () => {
    const [u, v] = [cloud(7, 3, 1), cloud(12, 3, 2)]
    const sinkhorn = new Sinkhorn(u, v, 3, 0.5)
    for (let k = 0; k < 500; k++) {
      sinkhorn.update('rows', 0, 7)
      sinkhorn.update('columns', 0, 12)
    }
    for (let i = 0; i < 7; i++) {
      let sum = 0
      for (let j = 0; j < 12; j++) {
        let cost = 0
        for (let d = 0; d < 3; d++) cost += (u[3 * i + d]! - v[3 * j + d]!) ** 2
        sum += Math.exp((sinkhorn.rows.potential[i]! + sinkhorn.columns.potential[j]! - cost) / 0.5) / 84
      }
      expect(sum).toBeCloseTo(1 / 7, 9)
    }
  })

  test('is symmetric and grows with the distance', () => {
    const [u, v, far] = [cloud(20, 2, 1), cloud(20, 2, 2), cloud(20, 2, 2, 3)]
    expect(transportCost(u, v, 2, options)).toBeCloseTo(transportCost(v, u, 2, options), 6)
    expect(transportCost(u, far, 2, options)).toBeGreaterThan(transportCost(u, v, 2, options) + 10)
  })

  test('large costs over a small regularisation do not overflow', () => {
    const cost = transportCost(cloud(5, 2, 1), cloud(5, 2, 2, 1000), 2, { ...options, regularization: 1e-3 })
    expect(cost).toBeGreaterThan(1e6)
    expect(cost).toBeLessThan(3e6)
  })

  test('the divergence has a floor', () => {
    expect(sinkhornDivergence(3, 1)).toBe(2)
    expect(sinkhornDivergence(1, 3)).toBe(1e-6)
  })

  test('an empty cloud is refused', () => {
    expect(() => transportCost(new Float32Array(0), cloud(2, 2, 1), 2, options)).toThrow(/no points/)
  })
})

describe('epsilon scaling', () => {
  const scaling = { from: 16, factor: 2 }

  test('reaches the cost of a long plain run in a fraction of its iterations', () => {
    // two clusters 700 regularisations apart with unequal masses: plain iterations move mass between them very slowly
    const [u, v] = [cloud(30, 2, 1), cloud(30, 2, 2)]
    for (let i = 0; i < 12; i++) u[2 * i]! += 6
    for (let i = 0; i < 15; i++) v[2 * i]! += 6
    const options = { regularization: 0.05, tolerance: 1e-3 }
    const long = transportCost(u, v, 2, { regularization: 0.05, tolerance: 1e-10, iterations: 50_000 })
    const scaled = transportCost(u, v, 2, { ...options, iterations: 120, scaling })
    expect(Math.abs(scaled - long)).toBeLessThan(1e-3 * long)
    const plain = transportCost(u, v, 2, { ...options, iterations: 120 })
    expect(Math.abs(plain - long)).toBeGreaterThan(1e-2 * long)
  })

  test('stops by itself, at the last regularisation only', () => {
    const [u, v] = [cloud(40, 3, 1), cloud(50, 3, 2)]
    const options = { regularization: 0.3, tolerance: 1e-3, scaling }
    const cost = transportCost(u, v, 3, { ...options, iterations: 200 })
    expect(transportCost(u, v, 3, { ...options, iterations: 10_000 })).toBe(cost)
    const exact = transportCost(u, v, 3, { ...options, tolerance: 1e-13, iterations: 10_000 })
    expect(Math.abs(cost / exact - 1)).toBeLessThan(1e-4)
  })

  test('divides the regularisation down to the asked one, and starts its stages plainly', () => {
    const stages = sinkhornStages({ regularization: 1, scaling: { from: 8, factor: 2 } })
    expect(stages.map(({ regularization }) => regularization)).toEqual([8, 4, 2, 1])
    expect(stages.map(({ extrapolation }) => extrapolation)).toEqual([0, 0, 0.5, 0.5])
    expect([0, 7, 8, 500].map((k) => iterationAt(stages, k).index)).toEqual([0, 0, 1, 3])
    expect([0, 7, 8].map((k) => iterationAt(stages, k).first)).toEqual([true, false, true])
    expect(() => sinkhornStages({ regularization: 1, scaling: { from: 8, factor: 1 } })).toThrow(/factor/)
  })

  test('over-relaxed raises of a potential never lower the dual objective', () => {
    for (const relaxation of [1.1, 1.5, 1.8, 1.95]) {
      for (let z = -20; z <= 20; z += 0.01) {
        const raise = (relaxation - 1) * Math.min(z, largestRaise(relaxation))
        expect(z + raise - Math.exp(raise) + Math.exp(-z)).toBeGreaterThanOrEqual(-1e-12)
      }
    }
  })
})

describe('curve', () => {
  const curve = {
    features: 2,
    harmonics: 2,
    a: Float64Array.of(1, 0, 0, 8),
    b: Float64Array.of(1, 0, 0, 1),
    c: Float64Array.of(0, 0, 0, 0.25),
  }

  test('has its formula', () => {
    const points = curvePoints(curve, Float64Array.of(0, 0.25), 3)
    ;[0, 1, 1, -1].forEach((value, i) => expect(points[i]).toBeCloseTo(value, 14))
  })

  test('scaling maps the range to the box, and a flat coordinate to its middle', () => {
    const points = Float64Array.of(1, 5, 3, 5, 2, 5)
    const range = coordinateRange(points, 2)
    expect([[...range.low], [...range.high]]).toEqual([
      [1, 5],
      [3, 5],
    ])
    expect([...scaleToBox(points, range, 2)]).toEqual([-2, 0, 2, 0, 0, 0])
  })
})
