import { describe, expect, test } from 'vitest'
import { createScene, drawExact, exactPosterior } from '../../../src/experiments/mixture/scene'
import { consistency, coverage, COVERAGE_DRAWS, finiteSamples } from '../../../src/experiments/mixture/scores'
import { mixtureDefaults, type MixtureSettings } from '../../../src/experiments/mixture/settings'

const COUNT = 4096
const scenes: [string, Partial<MixtureSettings>][] = [
  ['a spiral in R^2', { shape: 'spiral' }],
  ['a random curve in R^3, m = 2', { shape: 'random', features: 3, observed: 2, sigmaY: 0.3 }],
]

describe.each(scenes)('%s', (_, changes) => {
  const scene = createScene({ ...mixtureDefaults, ...changes }, [])
  // A stream that no scene or score draws from.
  const exact = drawExact(scene, COUNT, 99)

  test('exact draws are covered as often as they should be', () => {
    const { coverage50, coverage90 } = coverage(scene, exact)
    const error = (share: number) => Math.sqrt(share * (1 - share) * (1 / COUNT + 1 / COVERAGE_DRAWS))
    expect(Math.abs(coverage50 - 0.5)).toBeLessThan(3 * error(0.5))
    expect(Math.abs(coverage90 - 0.9)).toBeLessThan(3 * error(0.9))
  })

  test('a cloud elsewhere is not covered, a wide one too little, a point at the mode too much', () => {
    const { features: n } = scene
    const elsewhere = exact.map((value) => value + 10)
    expect(coverage(scene, elsewhere)).toEqual({ coverage50: 0, coverage90: 0 })
    const wide = exact.map((value, i) => value + 0.1 * Math.sin(12.9898 * i * i))
    expect(coverage(scene, wide).coverage90).toBeLessThan(0.8)
    const { means, weights } = exactPosterior(scene)
    const heaviest = weights.indexOf(Math.max(...weights))
    const mode = Float32Array.from({ length: 8 * n }, (_, i) => means[heaviest * n + (i % n)]!)
    expect(coverage(scene, mode)).toEqual({ coverage50: 1, coverage90: 1 })
  })

  test('consistency of exact draws is that of the closed form', () => {
    const { features: n, observed: m, A, y, sigmaY } = scene
    // E‖A x - y‖² = Σ_k w_k ‖A m_k - y‖² + tr(A C Aᵀ)
    const { means, weights, covariance } = exactPosterior(scene)
    let expected = 0
    for (let r = 0; r < m; r++) {
      const row = A.subarray(r * n, (r + 1) * n)
      row.forEach((a, i) => row.forEach((b, j) => (expected += a * b * covariance[i * n + j]!)))
      weights.forEach((weight, k) => {
        const residual = row.reduce((sum, a, i) => sum + a * means[k * n + i]!, -y[r]!)
        expected += weight * residual ** 2
      })
    }
    expected /= m * sigmaY ** 2
    // Its squares are at most as scattered as those of a few normals: standard deviation under twice the mean.
    expect(Math.abs(consistency(scene, exact) / expected - 1)).toBeLessThan((4 * 2) / Math.sqrt(COUNT))
  })
})

test('consistency is 1 where samples miss y by sigma_y in each row, 0 where they meet it', () => {
  const scene = { features: 2, observed: 1, A: Float64Array.of(0, 1), y: Float64Array.of(0.5), sigmaY: 0.25 }
  expect(consistency(scene, Float32Array.of(3, 0.75, -1, 0.25))).toBeCloseTo(1, 12)
  expect(consistency(scene, Float32Array.of(3, 0.5))).toBe(0)
})

test('samples that are not finite or beyond 100 are lost, whole rows at a time', () => {
  const samples = Float32Array.of(1, 2, NaN, 0, 3, Infinity, -100, 100, 0, 101, 5, 6)
  expect(finiteSamples(samples, 2)).toEqual({ kept: Float32Array.of(1, 2, -100, 100, 5, 6), lost: 3 })
})
