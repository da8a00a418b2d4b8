/**
 * Twisted diffusion sampling against the closed-form posterior of a mixture: the error falls with the number of
 * particles, whatever covariance twists, to within the standard error over populations.
 */
import { describe, expect, test } from 'vitest'
import type { SampleRequest } from '../../src/diffusion/backend'
import { createCpuBackend } from '../../src/diffusion/cpuBackend'
import { mixturePosterior, type MixturePosterior } from '../../src/diffusion/mixture'
import { systematicAncestors } from '../../src/math/resampling'
import { samplerPlan, type SamplerName } from '../../src/diffusion/samplers'
import { logLinearSchedule } from '../../src/diffusion/schedule'
import type { CovarianceName, Mixture } from '../../src/diffusion/types'

const backend = createCpuBackend()
const A = Float64Array.of(0.6, 0.8)

/** Four components whose posterior masses MMPS alone gets wrong (0.50, 0.40, 0.10, 0 for 0.84, 0.15, 0.002, 0). */
const far = {
  mixture: { features: 2, thickness: 0.15, means: Float64Array.of(0.1, 0, 1.4, -0.4, 0.8, -1.6, -1.2, -1.8) },
  y: 0.06,
  sigmaY: 0.2,
}
/** The same at half the size, less precisely observed: the zero covariance needs more particles than there are for `far`. */
const near = {
  mixture: {
    features: 2,
    thickness: 0.15,
    means: Float64Array.of(0.05, 0, 0.7, -0.2, 0.4, -0.8, -0.6, -0.9),
  },
  y: 0.03,
  sigmaY: 0.5,
}
interface Problem {
  readonly mixture: Mixture
  readonly y: number
  readonly sigmaY: number
}

function plan(name: SamplerName, steps: number, eta = 1) {
  return samplerPlan(name, logLinearSchedule(0.02, 4), { steps, eta, corrections: 1, delta: 0.1 })
}

function request({ mixture, y, sigmaY }: Problem, changes: Partial<SampleRequest>): SampleRequest {
  return {
    prior: { kind: 'mixture', mixture },
    plan: plan('ddpm', 16),
    count: 64,
    mean: new Float64Array(2),
    startSigma: 4,
    seed: 3,
    stream: 1,
    observations: {
      count: 1,
      features: 2,
      observed: 1,
      A: Float32Array.from(A),
      y: Float32Array.of(y),
      sigmaY,
    },
    ...changes,
  }
}

const twisted = (particles: number, covariance: CovarianceName = 'tweedie') =>
  ({ method: 'tds', particles, covariance, solver: 'exact', solverIterations: 1, safeguard: 'none' }) as const

/** E[x_i], E[x_i x_j] and the masses around the components' posterior means. */
function exactStatistics({ means, weights, covariance }: MixturePosterior): number[] {
  const expectation = (f: (k: number) => number) => weights.reduce((sum, w, k) => sum + w * f(k), 0)
  const at = (k: number, i: number) => means[2 * k + i]!
  const second = (i: number, j: number) => expectation((k) => covariance[2 * i + j]! + at(k, i) * at(k, j))
  const first = (i: number) => expectation((k) => at(k, i))
  return [first(0), first(1), second(0, 0), second(0, 1), second(1, 1), ...weights]
}

/** The same of samples: the mean over populations of `size`, and its standard error. */
function statistics(samples: Float32Array, size: number, { means }: MixturePosterior) {
  const populations = samples.length / 2 / size
  const masses = means.length / 2
  const values = Array.from({ length: populations }, () => new Float64Array(5 + masses))
  for (let i = 0; i < samples.length / 2; i++) {
    const [a, b] = [samples[2 * i]!, samples[2 * i + 1]!]
    let nearest = 0
    for (let k = 1; k < masses; k++) {
      const distance = (c: number) => Math.hypot(a - means[2 * c]!, b - means[2 * c + 1]!)
      if (distance(k) < distance(nearest)) nearest = k
    }
    const row = values[Math.floor(i / size)]!
    ;[a, b, a * a, a * b, b * b].forEach((value, j) => (row[j]! += value / size))
    row[5 + nearest]! += 1 / size
  }
  return Array.from({ length: 5 + masses }, (_, j) => {
    const mean = values.reduce((sum, row) => sum + row[j]!, 0) / populations
    const square = values.reduce((sum, row) => sum + (row[j]! - mean) ** 2, 0)
    return { mean, error: Math.sqrt(square / (populations - 1) / populations) }
  })
}

describe('TDS on a mixture', () => {
  test.each([
    ['tweedie', far, 5],
    ['zero', near, 2],
  ] as const)('twisted by %s converges to the exact posterior', async (covariance, problem, gain) => {
    const exact = mixturePosterior(problem.mixture, A, Float64Array.of(problem.y), problem.sigmaY)
    const expected = exactStatistics(exact)
    const measure = async (particles: number, count: number) => {
      const posterior = twisted(particles, covariance)
      const samples = await backend.sample(request(problem, { plan: plan('ddpm', 128), count, posterior }))
      return statistics(samples, particles, exact)
    }
    const distance = (actual: { mean: number }[]) =>
      Math.hypot(...actual.map(({ mean }, j) => mean - expected[j]!))
    const few = await measure(4, 4096)
    const many = await measure(1024, 16384)
    expect(distance(many)).toBeLessThan(distance(few) / gain)
    // Sixteen populations of 1024: each moment and each mass within three standard errors, which are small, and 0.001 for
    // what 128 steps of DDPM themselves miss.
    many.forEach(({ mean, error }, j) => {
      expect(Math.abs(mean - expected[j]!)).toBeLessThan(3 * error + 1e-3)
      expect(error).toBeLessThan(0.012)
    })
  })

  test('a population of one is MMPS', async () => {
    const mmps = { ...twisted(1), method: 'mmps' } as const
    const single = await backend.sample(request(far, { posterior: twisted(1) }))
    expect(single).toEqual(await backend.sample(request(far, { posterior: mmps })))
    const pairs = await backend.sample(request(far, { posterior: twisted(2) }))
    expect(pairs).not.toEqual(single)
  })

  test('a population’s draws depend on its number alone', async () => {
    const posterior = twisted(16)
    const all = await backend.sample(request(far, { posterior }))
    const half = await backend.sample(request(far, { posterior, count: 32 }))
    expect(half).toEqual(all.slice(0, half.length))
  })

  test('what it cannot do is refused', async () => {
    const refused = (changes: Partial<SampleRequest>, message: RegExp) =>
      expect(backend.sample(request(far, { posterior: twisted(16), ...changes }))).rejects.toThrow(message)
    await refused({ count: 40 }, /no populations of 16/)
    await refused({ plan: plan('pc', 8) }, /stochastic sampler/)
    await refused({ plan: plan('ddim', 8, 0) }, /stochastic sampler/)
    const { observations } = request(far, {})
    const two = { ...observations!, count: 64, A: new Float32Array(128), y: new Float32Array(64) }
    await refused({ observations: two }, /share one observation/)
  })
})

describe('systematic resampling', () => {
  test('copies a particle of weight w floor(K w) or ceil(K w) times, in order', () => {
    const weights = [0.05, 0.4, 0, 0.33, 0.22]
    for (const uniform of [0.001, 0.3, 0.7, 0.999]) {
      const ancestors = systematicAncestors(
        Float64Array.from(weights, (w) => Math.log(w) + 1000),
        uniform,
      )
      expect([...ancestors].sort((a, b) => a - b)).toEqual([...ancestors])
      weights.forEach((w, k) => {
        const copies = ancestors.filter((ancestor) => ancestor === k).length
        expect([Math.floor(5 * w), Math.ceil(5 * w)]).toContain(copies)
      })
    }
  })

  test('equal weights keep everyone; NaN is weight zero; where all is lost everyone stays', () => {
    expect([...systematicAncestors(new Float64Array(4), 0.9)]).toEqual([0, 1, 2, 3])
    expect([...systematicAncestors(Float64Array.of(NaN, 0, -Infinity), 0.5)]).toEqual([1, 1, 1])
    expect([...systematicAncestors(Float64Array.of(NaN, -Infinity), 0.5)]).toEqual([0, 1])
  })
})
