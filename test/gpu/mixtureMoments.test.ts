import { describe, expect, test } from 'vitest'
import type { MomentsRequest } from '../../src/diffusion/backend'
import {
  mixtureCovariance,
  mixtureLogLikelihoods,
  mixtureMoments,
  mmpsScore,
} from '../../src/diffusion/mixture'
import { logLikelihoods, moments } from '../../src/gpu/jobs/moments'
import { RandomStream } from '../../src/math/philox'
import { relativeError } from '../golden/load'
import { openTestDevice } from './adapter'
import { jobRunner } from './jobRunner'

const run = jobRunner(await openTestDevice())

interface Case {
  readonly features: number
  readonly observed: number
  readonly components: number
  readonly thickness: number
  readonly count: number
  readonly sigma: readonly [number, number]
  readonly sigmaY: number
}

/** Components along a curve in [-2, 2]^n, points drawn from p(x_t), y from component 0; all of it float32 numbers. */
function makeRequest(settings: Case): MomentsRequest {
  const { features, observed, components, thickness, count, sigmaY } = settings
  const [low, high] = settings.sigma
  const stream = new RandomStream(features, components)
  const draws = (length: number, index: number, uniform = false) => {
    const out = new Float64Array(length)
    if (uniform) stream.fillUniforms(out, 0, length, index, 0, 0)
    else stream.fillNormals(out, 0, length, index, 0, 0)
    return out
  }
  const [speed, phase] = [draws(features, 0, true), draws(features, 1, true)]
  const means = Float64Array.from({ length: components * features }, (_, at) => {
    const [k, i] = [Math.floor(at / features), at % features]
    return Math.fround(2 * Math.sin(2 * Math.PI * ((0.5 + speed[i]!) * (k / components) + phase[i]!)))
  })
  const sigma = Float32Array.from(draws(count, 2, true), (u) => low * (high / low) ** u)
  const [noise, picks] = [draws(count * features, 3), draws(count, 4, true)]
  const xT = Float32Array.from(noise, (z, at) => {
    const [b, i] = [Math.floor(at / features), at % features]
    return means[Math.floor(picks[b]! * components) * features + i]! + Math.hypot(thickness, sigma[b]!) * z
  })
  const A = Float32Array.from(draws(observed * features, 5))
  const y = Float32Array.from({ length: observed }, (_, r) =>
    A.subarray(r * features, (r + 1) * features).reduce((sum, entry, i) => sum + entry * means[i]!, 0),
  )
  const mixture = { features, means, thickness }
  const observation = { count: 1, features, observed, A, y, sigmaY }
  return { mixture, xT, sigma, observation, covX: mixtureCovariance(mixture) }
}

/** The request as the float64 twins read it. */
function twinRequest({ mixture, xT, sigma, observation, covX }: MomentsRequest) {
  const { A, y, sigmaY } = observation
  return {
    mixture,
    xT: Float64Array.from(xT),
    sigma: Float64Array.from(sigma),
    A: Float64Array.from(A),
    y: Float64Array.from(y),
    sigmaY,
    covX,
  }
}

/** Largest relative error of a point's numbers, in norm. */
function worstPoint(actual: Float32Array, expected: Float64Array, count: number): number {
  const width = expected.length / count
  let worst = 0
  for (let b = 0; b < count; b++) {
    const row = (values: Float32Array | Float64Array) => values.subarray(b * width, (b + 1) * width)
    worst = Math.max(worst, relativeError(row(actual), row(expected)))
  }
  return worst
}

const cases: [string, Case][] = [
  [
    'a single point in the plane',
    { features: 2, observed: 1, components: 16, thickness: 0.01, count: 1, sigma: [0.1, 0.1], sigmaY: 0.01 },
  ],
  [
    'two rows in space, thin components, small sigma',
    {
      features: 3,
      observed: 2,
      components: 256,
      thickness: 3e-3,
      count: 257,
      sigma: [1e-3, 0.1],
      sigmaY: 0.01,
    },
  ],
  [
    'more points than one slice, all sigma',
    {
      features: 2,
      observed: 2,
      components: 40,
      thickness: 0.05,
      count: 5001,
      sigma: [1e-2, 100],
      sigmaY: 0.1,
    },
  ],
  [
    'five features, most components',
    {
      features: 5,
      observed: 1,
      components: 512,
      thickness: 0.01,
      count: 301,
      sigma: [1e-2, 10],
      sigmaY: 0.01,
    },
  ],
]

describe.each(cases)('%s', (_, settings) => {
  const request = makeRequest(settings)
  const twin = twinRequest(request)
  const { count } = settings

  test('moments equal their float64 twin at every point', async () => {
    const actual = await run((job) => moments(job, request))
    const expected = mixtureMoments(request.mixture, twin.xT, twin.sigma)
    expect(worstPoint(actual.mean, expected.mean, count)).toBeLessThan(1e-4)
    expect(worstPoint(actual.score, expected.score, count)).toBeLessThan(1e-4)
    expect(worstPoint(actual.covariance, expected.covariance, count)).toBeLessThan(1e-4)
    // at single points y - A E cancels
    expect(relativeError(actual.mmpsScore, mmpsScore(twin))).toBeLessThan(1e-4)
  })

  test('log-likelihoods equal their float64 twin at every point', async () => {
    const actual = await run((job) => logLikelihoods(job, request))
    const expected = Object.entries(mixtureLogLikelihoods(twin))
    expect(expected.length).toBe(7)
    const far = expected.flatMap(([name, values]) => {
      // the rows of V may cancel in TMPD's sums, which then have few digits to share
      const tolerance = name === 'tmpd' ? 1e-3 : 1e-4
      const own = actual[name as keyof typeof actual]
      const fails = (value: number, b: number) =>
        own[b] !== value && !(Math.abs(own[b]! - value) <= tolerance * (1 + Math.abs(value)))
      return [...values].some(fails) ? [name] : []
    })
    expect(far).toEqual([])
  })
})

test('TMPD gives no likelihood where its variance is negative', async () => {
  // x is (1, -2) or (-1, 2): V = [[1, -2], [-2, 4]] and more, so the sum of the first row is near -1
  const request: MomentsRequest = {
    mixture: { features: 2, means: Float64Array.of(1, -2, -1, 2), thickness: 0.01 },
    xT: Float32Array.of(0, 0),
    sigma: Float32Array.of(5),
    observation: {
      count: 1,
      features: 2,
      observed: 1,
      A: Float32Array.of(1, 0),
      y: Float32Array.of(1),
      sigmaY: 0.1,
    },
    covX: Float64Array.of(1, 0, 0, 1),
  }
  const { tmpd, tweedie } = await run((job) => logLikelihoods(job, request))
  expect(tmpd[0]).toBe(-Infinity)
  expect(tweedie[0]).toBeCloseTo(mixtureLogLikelihoods(twinRequest(request)).tweedie[0]!, 5)
})

test('a point that is no number spoils no other', async () => {
  const request = makeRequest({ ...cases[2]![1], count: 5 })
  const clean = await run((job) => moments(job, request))
  request.xT[4] = NaN // of point 2
  const { mean } = await run((job) => moments(job, request))
  expect(mean.filter((_, i) => i < 4 || i > 5)).toEqual(clean.mean.filter((_, i) => i < 4 || i > 5))
})
