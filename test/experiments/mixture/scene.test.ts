import { describe, expect, test } from 'vitest'
import { mixtureMoments } from '../../../src/diffusion/mixture'
import { initializeWeights } from '../../../src/diffusion/mlp'
import { createDataset } from '../../../src/experiments/manifold/dataset'
import type { RunState } from '../../../src/experiments/manifold/diem'
import { networkShape, presets } from '../../../src/experiments/manifold/settings'
import { learnedPrior } from '../../../src/experiments/mixture/learned'
import { probeCovariances } from '../../../src/experiments/mixture/probe'
import {
  createScene,
  drawExact,
  exactPosterior,
  measurement,
  SCENE_STREAM,
} from '../../../src/experiments/mixture/scene'
import { mixtureDefaults, type MixtureSettings } from '../../../src/experiments/mixture/settings'
import { multiply, transpose } from '../../../src/math/matrix'
import { covariance, mean } from '../../../src/math/statistics'

const settings = (changes: Partial<MixtureSettings> = {}): MixtureSettings => ({
  ...mixtureDefaults,
  ...changes,
})

describe('measurement', () => {
  test.each([
    [2, 1],
    [3, 1],
    [3, 2],
  ])('in R^%i with %i rows is orthonormal at any angle', (features, observed) => {
    for (const azimuth of [-180, -37, 0, 60, 90]) {
      for (const elevation of [-90, -20, 0, 45]) {
        const A = measurement({ features, observed, azimuth, elevation })
        expect(A.length).toBe(observed * features)
        const gram = multiply(A, transpose(A, observed, features), observed, features, observed)
        gram.forEach((value, i) => expect(value).toBeCloseTo(i % (observed + 1) === 0 ? 1 : 0, 12))
      }
    }
  })

  test('turns by azimuth and elevation', () => {
    const at = (changes: object) =>
      [...measurement({ features: 3, observed: 2, azimuth: 0, elevation: 0, ...changes })].map(
        (value) => Math.round(value * 1e9) / 1e9 + 0,
      )
    expect(at({})).toEqual([1, 0, 0, 0, 1, 0])
    expect(at({ azimuth: 90 })).toEqual([0, 1, 0, -1, 0, 0])
    expect(at({ elevation: 90 })).toEqual([0, 0, 1, 0, 1, 0])
    expect(at({ features: 2, azimuth: -90 })).toEqual([0, -1])
  })
})

describe('a scene', () => {
  test('is the same for the same settings, and its draws are independent of each other', () => {
    const scene = createScene(settings(), [])
    expect(createScene(settings(), [])).toEqual(scene)
    expect(scene.exact.length).toBe(mixtureDefaults.samples * 2)
    expect(scene.noise.length).toBe(scene.exact.length)
    const other = createScene(settings({ seed: 1 }), [])
    expect(other.means).toEqual(scene.means)
    expect(other.exact).not.toEqual(scene.exact)
    expect(drawExact(scene, 16, SCENE_STREAM.exact)).toEqual(scene.exact.slice(0, 32))
    expect(drawExact(scene, 16, SCENE_STREAM.coverage)).not.toEqual(scene.exact.slice(0, 32))
    const n = scene.noise.length
    // Noise is standard, and unrelated to the draws.
    expect(Math.abs(mean(scene.noise, 1)[0]!)).toBeLessThan(4 / Math.sqrt(n))
    expect(Math.abs(covariance(scene.noise, 1)[0]! - 1)).toBeLessThan(4 * Math.sqrt(2 / n))
    const joint = Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 ? scene.noise : scene.exact)[i >> 1]!)
    const [xx, xe, , ee] = covariance(joint, 2)
    expect(Math.abs(xe!) / Math.sqrt(xx! * ee!)).toBeLessThan(4 / Math.sqrt(n))
  })

  test('has y in one or two rows, and the moments of its mixture', () => {
    const plane = createScene(settings({ y1: 0.25, observed: 2 }), [])
    expect([plane.features, plane.observed, ...plane.y]).toEqual([2, 1, 0.25])
    const space = createScene(settings({ features: 3, observed: 2, y1: 0.25, y2: -1, shape: 'moons' }), [])
    expect([space.features, space.observed, ...space.y]).toEqual([3, 2, 0.25, -1])
    expect(space.breaks).toEqual([space.means.length / 6])
    const variance = space.covX[4]! - space.thickness ** 2
    expect(covariance(space.means, 3)[4]).toBeCloseTo(variance, 6)
    expect(mean(space.means, 3)[1]).toBeCloseTo(space.mean[1]!, 6)
  })

  test('probed: Tweedie’s covariance is the truth, the heuristics are what they say', () => {
    for (const features of [2, 3]) {
      const scene = createScene(settings({ features, shape: 'random' }), [])
      for (const sigma of [0.02, 0.3, 4]) {
        const xT = Array.from({ length: features }, (_, i) => 0.4 - 0.3 * i)
        const { mean, truth, approximations } = probeCovariances(scene, xT, sigma)
        const scale = Math.max(...truth.map(Math.abs))
        truth.forEach((value, i) => {
          const [p, q] = [Math.floor(i / features), i % features]
          expect(Math.abs(approximations.tweedie[i]! - value)).toBeLessThan(1e-12 * scale)
          expect(approximations.zero[i]).toBe(0)
          const unit = p === q ? 1 : 0
          expect(approximations.identity[i]).toBeCloseTo(unit * sigma ** 2, 12)
          expect(approximations.pigdm[i]).toBeCloseTo((unit * sigma ** 2) / (1 + sigma ** 2), 12)
          const row = truth.slice(p * features, (p + 1) * features).reduce((sum, entry) => sum + entry, 0)
          expect(Math.abs(approximations.tmpd[i]! - unit * row)).toBeLessThan(1e-12 * scale)
        })
        const { mixture } = scene.prior.kind === 'mixture' ? scene.prior : { mixture: undefined }
        const moments = mixtureMoments(mixture!, Float64Array.from(xT), Float64Array.of(sigma))
        mean.forEach((value, i) => expect(value).toBeCloseTo(moments.mean[i]!, 12))
      }
      // Gaussian: Sigma_x itself in the limit of pure noise, sigma_t² I in that of none.
      const far = probeCovariances(scene, new Float64Array(features), 1e5).approximations.gaussian
      far.forEach((value, i) => expect(value).toBeCloseTo(scene.covX[i]!, 6))
    }
  })
})

describe('a learned prior', () => {
  const run = (features: number) => {
    const manifold = { ...presets.tiny, features, observations: 64, hidden: 8, seed: 3 }
    const weights = initializeWeights(networkShape(manifold), 1)
    const numbers = { divergence: 0.5, kept: 1, consistency: 1, seconds: 2, losses: new Float32Array(0) }
    // One sample of the newest record lies outside the kept range: it has no part in the moments.
    const samples = createDataset(manifold, { kind: 'random' }).latents!.map((value, i) =>
      i === 0 ? 99 : value,
    )
    const state: RunState = {
      records: [
        { ...numbers, iteration: 0, steps: 1, loss: null, weights: null, samples },
        { ...numbers, iteration: 1, steps: 3, loss: 0.7, weights, samples },
      ],
      weights: null,
      losses: new Float32Array(0),
      seconds: 0,
      steps: 3,
    }
    return { settings: manifold, state, origin: { kind: 'random' } as const, weights, samples }
  }

  test('has the run’s curve, weights, moments and pairs', () => {
    const saved = run(5)
    const learned = learnedPrior(saved)
    expect(learned.weights).toBe(saved.weights)
    expect(learned.curve.means.length).toBe(512 * 5)
    expect(learned.description).toBe('Curve of seed 3 in R^5, EM iteration 1')
    expect(learned.mean).toEqual(mean(saved.samples.slice(5), 5))
    expect(learned.covX).toEqual(covariance(saved.samples.slice(5), 5))
    // The curve is the one that the latents lie on.
    const { latents } = createDataset(saved.settings, saved.origin)
    for (let d = 0; d < 64; d++) {
      let nearest = Infinity
      for (let k = 0; k < 512; k++) {
        let sum = 0
        for (let i = 0; i < 5; i++) sum += (latents![5 * d + i]! - learned.curve.means[5 * k + i]!) ** 2
        nearest = Math.min(nearest, Math.sqrt(sum))
      }
      expect(nearest).toBeLessThan(0.05)
    }
  })

  test('observes one of its own pairs in R^5, and the page’s directions in R^3', () => {
    const learned = learnedPrior(run(5))
    const scene = createScene(settings({ shape: 'learned', index: 7, samples: 64 }), [], learned)
    const { observations } = learned
    expect(scene.observed).toBe(observations.observed)
    expect([...scene.A]).toEqual([...observations.A.subarray(7 * 10, 8 * 10)])
    expect([...scene.y]).toEqual([...observations.y.subarray(14, 16)])
    expect(scene.exactOf).toBe('curve')
    expect(scene.prior).toEqual({ kind: 'mlp', network: learned.network, weights: learned.weights })
    expect(exactPosterior(scene).means.length).toBe(512 * 5)
    expect(() => createScene(settings({ shape: 'learned', index: 64 }), [], learned)).toThrow(/0 to 63/)
    const space = createScene(
      settings({ shape: 'learned', features: 2, observed: 2 }),
      [],
      learnedPrior(run(3)),
    )
    expect([...space.A]).toEqual([...measurement({ ...mixtureDefaults, features: 3, observed: 2 })])
    const probe = probeCovariances(space, [0.1, 0.2, 0.3], 0.5)
    expect(Object.values(probe.approximations).every((v) => v.length === 9 && v.every(Number.isFinite))).toBe(
      true,
    )
  })

  test('says what is missing', () => {
    const saved = run(5)
    const untrained = { ...saved, state: { ...saved.state, records: saved.state.records.slice(0, 1) } }
    expect(() => learnedPrior(untrained)).toThrow(/finish its first EM iteration/)
    const { observations } = createDataset(saved.settings, saved.origin)
    const file = { kind: 'file', name: 'mine.csv', observations } as const
    expect(() => learnedPrior({ ...saved, origin: file })).toThrow(/mine\.csv.*unknown/)
    expect(() => createScene(settings({ shape: 'learned' }), [])).toThrow(RangeError)
  })
})
