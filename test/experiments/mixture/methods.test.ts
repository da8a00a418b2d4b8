import { describe, expect, test } from 'vitest'
import { createCpuBackend } from '../../../src/diffusion/cpuBackend'
import {
  evaluations,
  methodDefinitions,
  methodPlan,
  posteriorOptions,
  runMethod,
  scoreMethod,
} from '../../../src/experiments/mixture/methods'
import { createScene } from '../../../src/experiments/mixture/scene'
import {
  methodDefaults,
  methodSettingDefinitions,
  mixtureDefaults,
  type MethodId,
  type MethodSettings,
  type MixtureSettings,
} from '../../../src/experiments/mixture/settings'

const backend = createCpuBackend()
const settings: MixtureSettings = { ...mixtureDefaults, components: 32, samples: 128, steps: 24 }
const scene = createScene(settings, [])
const ids = Object.keys(methodDefinitions) as MethodId[]
const method = (id: MethodId, changes: Partial<MethodSettings> = {}): MethodSettings => ({
  ...methodDefaults,
  method: id,
  ...changes,
})

describe('methods', () => {
  test('go by one name on the page', () => {
    const definition = methodSettingDefinitions.method
    if (definition.kind !== 'choice') throw new Error('The method is a choice.')
    const names = Object.fromEntries(definition.options.map(({ value, label }) => [value, label]))
    expect(Object.fromEntries(ids.map((id) => [id, methodDefinitions[id].label]))).toEqual(names)
  })

  test('cost what they evaluate', () => {
    const plan = methodPlan(settings, method('mmps'))
    expect(plan.length).toBe(25)
    const cost = (id: MethodId, observed = 1, features?: number) =>
      evaluations(plan, method(id), observed, features)
    expect(ids.map((id) => [id, cost(id).forwards, cost(id).vjps])).toEqual([
      ['mmps', 25, 25],
      ['gaussian', 25, 25],
      ['identity', 25, 25],
      ['zero', 25, 25],
      ['pigdm', 25, 25],
      ['tmpd', 25, 50],
      ['dps', 25, 24],
      ['diffpir', 25, 0],
      ['jfps', 25, 0],
      ['tds', 25, 25],
    ])
    expect(cost('mmps', 2).vjps).toBe(50)
    expect(cost('mmps', 2, 5).vjps).toBe(125)
    expect(cost('gaussian', 2, 5).vjps).toBe(25)
  })

  test('the solver takes at most m iterations, and TDS noise at every step', () => {
    const iterating = method('mmps', { solver: 'cg', solverIterations: 5 })
    expect(posteriorOptions(iterating, scene.covX, 2)).toMatchObject({ solver: 'cg', solverIterations: 2 })
    for (const changes of [{ sampler: 'pc' }, { sampler: 'ddim', eta: 0 }] as const) {
      const noiseFree = { ...settings, ...changes }
      expect(methodPlan(noiseFree, method('tds'))).toEqual(methodPlan(settings, method('mmps')))
      expect(methodPlan(noiseFree, method('mmps'))).not.toEqual(methodPlan(settings, method('mmps')))
    }
    const noisy: MixtureSettings = { ...settings, sampler: 'ddim', eta: 0.5 }
    expect(methodPlan(noisy, method('tds'))).toEqual(methodPlan(noisy, method('mmps')))
  })

  test.each(ids)('%s: frames from noise to samples', async (id) => {
    const result = await runMethod(backend, scene, settings, method(id, { particles: 32 }))
    const { sigmas, frames, count, features } = result
    expect(sigmas.length).toBe(25)
    expect([sigmas[0], sigmas.at(-1)]).toEqual([settings.sigmaMax, settings.sigmaMin])
    expect([...sigmas].sort((a, b) => b - a)).toEqual(sigmas)
    expect(frames.length).toBe(26 * count * features)
    const spread = (frame: Float32Array) => Math.sqrt(frame.reduce((sum, x) => sum + x * x, 0) / frame.length)
    expect(spread(frames.subarray(0, count * features))).toBeGreaterThan(0.8 * settings.sigmaMax)
    expect(result.lost).toBe(0)
    expect(frames.every(Number.isFinite)).toBe(true)
  })

  test('all start from the same noise, and long plans keep 48 frames at the same levels', async () => {
    const long: MixtureSettings = { ...settings, steps: 100, samples: 64 }
    const first = await runMethod(backend, scene, long, method('mmps'))
    expect(first.sigmas.length).toBe(48)
    const corrected = await runMethod(backend, scene, { ...long, sampler: 'pc' }, method('jfps'))
    expect(corrected.sigmas).toEqual(first.sigmas)
    const length = first.count * first.features
    expect(corrected.frames.subarray(0, length)).toEqual(first.frames.subarray(0, length))
  })
})

describe('scores', () => {
  test('the exact posterior scores best, MMPS better than the zero covariance', async () => {
    const score = (of: MethodSettings | 'exact') => scoreMethod(backend, scene, settings, of)
    const [exact, mmps, zero] = [
      await score('exact'),
      await score(method('mmps')),
      await score(method('zero')),
    ]
    expect(exact).toMatchObject({ label: 'Exact', lost: 0, forwards: 0, vjps: 0 })
    // 128 points know the masses of modes some lengths apart to a few percent only: the exact posterior's own noise.
    expect(exact.divergence).toBeLessThan(zero.divergence / 5)
    expect(Math.abs(exact.coverage50 - 0.5)).toBeLessThan(0.15)
    expect(mmps.divergence).toBeLessThan(zero.divergence / 2)
    expect(mmps).toMatchObject({ label: 'MMPS', forwards: 25, vjps: 25 })
    expect(mmps.milliseconds).toBeGreaterThan(0)
  })

  test('samples that are all lost give a count and no numbers', async () => {
    const blown = method('dps', { guidance: 1e6 })
    const score = await scoreMethod(backend, scene, settings, blown)
    expect(score).toMatchObject({
      lost: settings.samples,
      divergence: NaN,
      consistency: NaN,
      coverage90: NaN,
    })
  })
})
