import { describe, expect, it } from 'vitest'
import { createCpuBackend } from '../../../src/diffusion/cpuBackend'
import { runMethod } from '../../../src/experiments/mixture/methods'
import { posteriorPresets, type PosteriorPresetName } from '../../../src/experiments/mixture/presets'
import { createScene, exactPosterior, type Scene } from '../../../src/experiments/mixture/scene'
import { consistency, coverage, finiteSamples } from '../../../src/experiments/mixture/scores'
import type { MethodSettings, MixtureSettings } from '../../../src/experiments/mixture/settings'

/** A crossing of the constraint and the curve holds more than this of the posterior at each of its components. */
const CROSSING = 2e-4

/** Components of each crossing, and what it holds of the exact posterior. */
function crossings(scene: Scene) {
  const { weights } = exactPosterior(scene)
  const of = new Int32Array(weights.length).fill(-1)
  const masses: number[] = []
  for (const [k, weight] of weights.entries()) {
    if (weight < CROSSING) continue
    const continues = k > 0 && of[k - 1]! >= 0 && !scene.breaks.includes(k)
    const crossing = continues ? of[k - 1]! : masses.push(0) - 1
    of[k] = crossing
    masses[crossing]! += weight
  }
  return { of, masses }
}

/** Shares of samples at each crossing and beside the curve: further than four thicknesses from every component. */
function shares(scene: Scene, samples: Float32Array) {
  const { of, masses } = crossings(scene)
  const { features: n, means, thickness } = scene
  const at = masses.map(() => 0)
  let beside = 0
  const count = samples.length / n
  for (let i = 0; i < count; i++) {
    let [nearest, least] = [0, Infinity]
    for (let k = 0; k < of.length; k++) {
      let squared = 0
      for (let j = 0; j < n; j++) squared += (samples[i * n + j]! - means[k * n + j]!) ** 2
      if (squared < least) [nearest, least] = [k, squared]
    }
    if (Math.sqrt(least) > 4 * thickness) beside += 1 / count
    else if (of[nearest]! >= 0) at[of[nearest]!]! += 1 / count
  }
  return { masses, at, beside }
}

const backend = createCpuBackend()

async function measure(settings: MixtureSettings, method: MethodSettings) {
  const scene = createScene(settings, [])
  const { frames, count } = await runMethod(backend, scene, settings, method)
  const { kept } = finiteSamples(frames.subarray(frames.length - count * scene.features), scene.features)
  const score = { ...coverage(scene, kept), consistency: consistency(scene, kept) }
  return { ...shares(scene, kept), ...score }
}

async function measureBoth(name: PosteriorPresetName, changed: Partial<MixtureSettings> = {}) {
  const { settings, a, b } = posteriorPresets[name]
  const smaller = { ...settings, samples: 256, ...changed }
  return { a: await measure(smaller, a), b: await measure(smaller, b) }
}

describe('captions of the presets', () => {
  it('figure1: five crossings, all filled by MMPS, three left empty by V = 0', async () => {
    const { a, b } = await measureBoth('figure1')
    expect(a.masses).toHaveLength(5)
    expect(Math.max(...a.masses) - Math.min(...a.masses)).toBeLessThan(0.05)
    for (const [k, share] of a.at.entries()) expect(Math.abs(share - a.masses[k]!)).toBeLessThan(0.08)
    expect(b.at.filter((share) => share < 0.02)).toHaveLength(3)
  })

  it('dpsMissesMode: one of three crossings is all but empty, a third lies beside the curve', async () => {
    const { a, b } = await measureBoth('dpsMissesMode')
    expect(a.masses).toHaveLength(3)
    expect(Math.min(...a.at)).toBeGreaterThan(0.15)
    expect(Math.min(...b.at)).toBeLessThan(0.03)
    expect(Math.min(...b.masses)).toBeGreaterThan(0.2)
    expect(b.beside).toBeGreaterThan(0.28)
  })

  it('pigdmSpreads: a fifth or more miss the line or leave the curve', async () => {
    const { a, b } = await measureBoth('pigdmSpreads')
    const right = ({ at }: typeof a) => at.reduce((sum, share) => sum + share, 0)
    expect(right(a)).toBeGreaterThan(0.97)
    expect(right(b)).toBeLessThan(0.8)
    expect(b.beside).toBeGreaterThan(0.05)
  })

  it('diagonalNotEnough: TMPD overshoots the line and leaves the curve', async () => {
    const { a, b } = await measureBoth('diagonalNotEnough')
    expect(a.consistency).toBeLessThan(2)
    expect(b.consistency).toBeGreaterThan(8)
    expect(a.beside).toBeLessThan(0.02)
    expect(b.beside).toBeGreaterThan(0.1)
  })

  it('cgOneStep: three in ten beside the curve, against one in twelve', async () => {
    const { a, b } = await measureBoth('cgOneStep')
    expect(a.beside).toBeLessThan(0.11)
    expect(b.beside).toBeGreaterThan(0.24)
  })

  it('particlesRepair: MMPS spreads evenly over five crossings, TDS gets their proportions', async () => {
    const { a, b } = await measureBoth('particlesRepair')
    const [first, second] = [...a.masses].sort((p, q) => q - p)
    expect(first! + second!).toBeGreaterThan(0.8)
    expect(Math.min(...a.at)).toBeGreaterThan(0.12)
    expect(Math.max(...a.at)).toBeLessThan(0.35)
    for (const [k, share] of b.at.entries()) expect(Math.abs(share - b.masses[k]!)).toBeLessThan(0.1)
  })

  it('tenAgainstHundred: DPS comes to the line with a hundred steps, MMPS is there with ten', async () => {
    const ten = await measureBoth('tenAgainstHundred')
    const hundred = await measureBoth('tenAgainstHundred', { steps: 100 })
    expect(ten.a.consistency).toBeLessThan(4)
    expect(ten.b.consistency).toBeGreaterThan(50)
    expect(hundred.b.consistency).toBeLessThan(8)
    expect(Math.abs(ten.a.coverage90 - hundred.a.coverage90)).toBeLessThan(0.08)
  })
})
