import { describe, expect, it } from 'vitest'
import { createDataset } from '../../src/experiments/manifold/dataset'
import { presets } from '../../src/experiments/manifold/settings'

const settings = { ...presets.tiny, observations: 4096, seed: 3 }

describe('manifold dataset', () => {
  it('has unit rows and residuals of standard deviation sigma_y', () => {
    const { observations, latents } = createDataset(settings, { kind: 'random' })
    const { A, y, count, observed, features, sigmaY } = observations
    let squares = 0
    for (let row = 0; row < count * observed; row++) {
      const entries = A.subarray(row * features, (row + 1) * features)
      expect(Math.hypot(...entries)).toBeCloseTo(1, 5)
      const x = latents!.subarray(Math.floor(row / observed) * features)
      const residual = entries.reduce((sum, entry, j) => sum - entry * x[j]!, y[row]!)
      squares += residual ** 2
    }
    // A chi-square of 8,192 degrees of freedom has a relative standard deviation of 1.6 %.
    expect(squares / (count * observed * sigmaY ** 2)).toBeCloseTo(1, 1)
  })

  it('is the same for a seed, differs between seeds, and draws fresh truth from the same curve', () => {
    const [first, again, other] = [settings, settings, { ...settings, seed: 4 }].map((s) =>
      createDataset(s, { kind: 'random' }),
    )
    expect(again!.observations.y).toEqual(first!.observations.y)
    expect(other!.observations.y).not.toEqual(first!.observations.y)
    const truth = first!.drawTruth!(4096, 9)
    expect(truth).not.toEqual(first!.latents)
    for (const draws of [truth, first!.latents!]) {
      expect(Math.max(...draws.map(Math.abs))).toBeLessThanOrEqual(2.001)
      expect(Math.max(...draws)).toBeGreaterThan(1.9)
    }
  })

  it('puts a drawn stroke into its plane and leaves the other coordinates', () => {
    const points = [
      [-1, -1],
      [0, 0.5],
      [1, -1],
    ] as const
    const drawn = createDataset(settings, { kind: 'drawn', strokes: [{ plane: [0, 3], points }] })
    const random = createDataset(settings, { kind: 'random' })
    for (let i = 0; i < 100; i++) {
      const [x, original] = [drawn, random].map(({ latents }) => latents!.subarray(i * 5, i * 5 + 5))
      expect(x![3]).toBeCloseTo(0.5 - 1.5 * Math.abs(x![0]!), 4)
      expect([x![1], x![2], x![4]]).toEqual([original![1], original![2], original![4]])
    }
  })
})
