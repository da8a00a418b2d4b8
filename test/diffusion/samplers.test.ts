import { describe, expect, test } from 'vitest'
import { Adam, averagingDecayAt, clipToNorm, learningRateAt } from '../../src/diffusion/adam'
import { histograms } from '../../src/diffusion/histogram'
import { samplerPlan, samplers, type SamplerName } from '../../src/diffusion/samplers'
import { ddimStep } from '../../src/diffusion/samplers/ddim'
import { ddpmStep } from '../../src/diffusion/samplers/ddpm'
import { logLinearSchedule, noiseLevels } from '../../src/diffusion/schedule'

const schedule = logLinearSchedule(1e-3, 10)
const options = { steps: 16, eta: 0.5, corrections: 2, delta: 0.1 }

describe('schedule', () => {
  test('is log-linear between its ends', () => {
    expect(schedule.sigma(0)).toBeCloseTo(1e-3, 15)
    expect(schedule.sigma(1)).toBeCloseTo(10, 12)
    expect(schedule.sigma(0.5)).toBeCloseTo(0.1, 13)
    const levels = noiseLevels(schedule, 8)
    expect([levels[0], levels[8]]).toEqual([10, 1e-3])
    for (let i = 1; i < 8; i++) expect(levels[i]! / levels[i - 1]!).toBeCloseTo(1e-4 ** (1 / 8), 12)
  })

  test('needs 0 < sigmaMin < sigmaMax', () => {
    for (const [low, high] of [
      [0, 1],
      [1, 1],
      [2, 1],
      [NaN, 1],
      [1, Infinity],
    ] as const) {
      expect(() => logLinearSchedule(low, high)).toThrow(RangeError)
    }
  })
})

describe('plans', () => {
  test.each(Object.keys(samplers) as SamplerName[])('%s ends with x = d(x, sigma_min)', (name) => {
    const plan = samplerPlan(name, schedule, options)
    expect(plan.length).toBe(name === 'pc' ? 16 * 3 + 1 : 17)
    expect(plan[0]!.sigma).toBe(10)
    expect(plan.at(-1)).toEqual({ sigma: 1e-3, a: 0, b: 1, c: 0 })
    for (const { a, b, c } of plan) {
      // A step keeps x where the denoiser keeps it.
      expect(a + b).toBeCloseTo(1, 14)
      expect(c).toBeGreaterThanOrEqual(0)
    }
  })

  test('DDIM with η = 1 is DDPM, with η = 0 draws no noise, and beyond 1 is clipped', () => {
    const ddpm = ddpmStep(2, 1.5)
    const ddim = ddimStep(2, 1.5, 1)
    for (const key of ['sigma', 'a', 'b', 'c'] as const) expect(ddim[key]).toBeCloseTo(ddpm[key], 14)
    expect(ddimStep(2, 1.5, 0)).toEqual({ sigma: 2, a: 0.75, b: 0.25, c: 0 })
    const clipped = ddimStep(2, 0.5, 5)
    expect([clipped.a, clipped.b, clipped.c]).toEqual([0, 1, 0.5])
  })
})

describe('optimizer', () => {
  test('the first step of Adam has the size of the rate', () => {
    const weights = Float64Array.of(1, 1, 1)
    new Adam(3, { beta1: 0.9, beta2: 0.999, epsilon: 1e-12 }).step(weights, Float64Array.of(5, -0.01, 0), 0.1)
    ;[0.9, 1.1, 1].forEach((value, i) => expect(weights[i]).toBeCloseTo(value, 9))
  })

  test('clipping keeps the direction and leaves short gradients alone', () => {
    const gradient = Float64Array.of(3, 4)
    expect(clipToNorm(gradient, 1)).toBe(5)
    ;[0.6, 0.8].forEach((value, i) => expect(gradient[i]).toBeCloseTo(value, 15))
    expect(clipToNorm(Float64Array.of(0, 0), 1)).toBe(0)
    const short = Float64Array.of(0.3, 0.4)
    clipToNorm(short, 1)
    expect([...short]).toEqual([0.3, 0.4])
  })

  test('the rate falls linearly, the averaging rises to its decay', () => {
    const rate = { start: 1, end: 0 }
    expect([0, 1, 2, 3].map((k) => learningRateAt(k, 3, rate))).toEqual([0.75, 0.5, 0.25, 0])
    expect(averagingDecayAt(0, 0.999)).toBe(0.1)
    expect(averagingDecayAt(1e6, 0.999)).toBe(0.999)
  })
})

describe('histograms', () => {
  test('count pairs and singles on the grid, and nothing outside', () => {
    const samples = Float32Array.of(-3, 3, 0, 3.01, -1, NaN, 2.9, -2.9)
    const { joint, marginal, count } = histograms(samples, 2, 3, 3)
    expect(count).toBe(4)
    expect([...marginal]).toEqual([1, 2, 1, 1, 0, 1])
    // Rows are bins of x_1, columns bins of x_0.
    expect([...joint]).toEqual([0, 0, 1, 0, 0, 0, 1, 0, 0])
  })

  test('pairs are in lexicographic order', () => {
    const { joint } = histograms(Float32Array.of(-0.5, 0.5, 0.5), 3, 2, 1)
    expect([...joint]).toEqual([0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1])
  })
})
