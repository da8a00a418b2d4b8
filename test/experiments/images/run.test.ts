import { describe, expect, it } from 'vitest'
import { ImageGaussianDenoiser } from '../../../src/diffusion/image/gaussian'
import { powerLawVariances } from '../../../src/diffusion/image/powerLaw'
import {
  comparedSettings,
  evaluationsOf,
  methodLabel,
  passesPerEstimate,
} from '../../../src/experiments/images/compare'
import { imageMethodNames } from '../../../src/experiments/images/methodDefinitions'
import { measureImage, runImages } from '../../../src/experiments/images/run'
import { defaultImagesSettings, type ImagesSettings } from '../../../src/experiments/images/settings'
import { createCpuVectors } from '../../../src/linalg/cpuVectors'
import { RandomStream } from '../../../src/math/philox'
import { createCpuImagePrimitives } from '../../../src/operators/cpuPrimitives'
import { createDct } from '../../../src/operators/dct'
import { sizeOf } from '../../../src/operators/types'

const shape = { channels: 1, height: 16, width: 16 }
const law = { standardDeviation: 0.5, exponent: 3 }
const range = { sigmaMin: 0.002, sigmaMax: 20, gaussianFit: law }
const none = { strokes: [], drawnKernel: null }

/** A Gaussian prior of smooth images, whose posterior MMPS draws exactly. */
function rig(settings: Partial<ImagesSettings>, batch: number) {
  const space = createCpuVectors()
  const primitives = createCpuImagePrimitives(space)
  const transform = createDct(shape, batch, primitives)
  const variances = powerLawVariances(shape, law)
  const mean = new Float32Array(sizeOf(shape))
  const denoiser = new ImageGaussianDenoiser(space, shape, batch, mean, { transform, variances })
  return {
    primitives,
    denoiser,
    settings: { ...defaultImagesSettings, side: 16, ...settings },
  }
}

/** A draw of that prior, in pixels. */
async function drawTruth(seed: number): Promise<Float32Array> {
  const space = createCpuVectors()
  const dct = createDct(shape, 1, createCpuImagePrimitives(space))
  const noise = new Float64Array(sizeOf(shape))
  new RandomStream(seed, 0).fillNormals(noise, 0, noise.length, 0, 0, 9)
  const [coefficients, x] = [space.vector('c', 1, noise.length), space.vector('x', 1, noise.length)]
  const variances = powerLawVariances(shape, law)
  space.write(
    coefficients,
    Float32Array.from(noise, (value, i) => value * Math.sqrt(variances[i]!)),
  )
  dct.adjoint(coefficients, x)
  return (await space.read(x)).map((value) => Math.min(Math.max(value, -1), 1))
}

async function restore(settings: Partial<ImagesSettings>, batch = 3, seed = 1) {
  const { primitives, denoiser, settings: all } = rig(settings, batch)
  const truth = await drawTruth(seed)
  return await measureImage(primitives, all, none, truth, shape, (measured) =>
    runImages({ denoiser, primitives, range, measured, settings: all }),
  )
}

describe('a restoration without a page', () => {
  it('agrees with the observation as its noise allows, and says how good it is', async () => {
    const run = await restore({ task: 'superres', factor: 2, sigmaY: 0.1, iterations: 10, steps: 60 })
    expect(run.samples).toHaveLength(3)
    for (const misfit of run.misfit) {
      // 64 measured numbers: the root mean square is 1 ± 0.09, a little less where the posterior is narrow.
      expect(misfit).toBeGreaterThan(0.75)
      expect(misfit).toBeLessThan(1.25)
    }
    expect(run.meanPsnr).toBeGreaterThan(Math.max(...run.psnr))
    // Where all samples are clipped, they agree.
    expect(run.deviation!.filter((value) => value > 0).length).toBeGreaterThan(200)
    expect(run.records).toHaveLength(61)
    expect(run.passes.forward).toBe(61)
  })

  it('draws the same with the same seed, and another with another', async () => {
    const settings = { task: 'box', steps: 8 } as const
    const [one, again, other] = await Promise.all([
      restore(settings, 1),
      restore(settings, 1),
      restore({ ...settings, seed: 5 }, 1),
    ])
    expect(again.samples).toEqual(one.samples)
    expect(other.samples).not.toEqual(one.samples)
    expect(one.deviation).toBeNull()
  })

  it('leaves the observation out with k = 0', async () => {
    const [prior, posterior] = [
      await restore({ task: 'random', kept: 0.5, iterations: 0, steps: 20, sigmaY: 0.02 }),
      await restore({ task: 'random', kept: 0.5, iterations: 3, steps: 20, sigmaY: 0.02 }),
    ]
    expect(Math.min(...prior.misfit)).toBeGreaterThan(3)
    expect(posterior.meanPsnr).toBeGreaterThan(prior.meanPsnr + 3)
  })

  it('counts the passes that each method takes as the comparison assumes', async () => {
    for (const method of imageMethodNames) {
      for (const sampler of ['ddim', 'pc'] as const) {
        const settings = { ...defaultImagesSettings, method, sampler, steps: 5, iterations: 2, guidance: 0.1 }
        const { passes } = await restore({ ...settings, task: 'random', side: 16 }, 1)
        const { forward, vjp } = passesPerEstimate(settings)
        const estimates = sampler === 'pc' ? 11 : 6
        expect(passes).toMatchObject({ forward: estimates * forward, jvp: 0 })
        // The CPU sees when a system is solved, and stops early; the last step of DPS is not guided.
        if (method === 'mmps' || method === 'dps') {
          expect(passes.vjp).toBeLessThanOrEqual(estimates * vjp)
          expect(passes.vjp).toBeGreaterThan(estimates * (vjp - 1))
        } else expect(passes.vjp).toBe(estimates * vjp)
        expect(evaluationsOf(settings)).toBe(estimates * (forward + 2 * vjp))
      }
    }
  })

  it('pauses and stops between steps', async () => {
    const { primitives, denoiser, settings } = rig({ task: 'box', steps: 50 }, 1)
    const truth = await drawTruth(1)
    const abort = new AbortController()
    let steps = 0
    const run = measureImage(primitives, settings, none, truth, shape, (measured) =>
      runImages(
        { denoiser, primitives, range, measured, settings },
        {
          signal: abort.signal,
          onStep: ({ step }) => {
            steps = step + 1
            if (steps === 4) abort.abort(new DOMException('Enough.', 'AbortError'))
          },
        },
      ),
    )
    await expect(run).rejects.toThrow('Enough.')
    expect(steps).toBe(4)
  })
})

describe('what a comparison grants', () => {
  it('is equal steps, or as nearly as many evaluations as whole steps can', () => {
    const settings: ImagesSettings = { ...defaultImagesSettings, method: 'mmps', iterations: 3, steps: 50 }
    const steps = comparedSettings(settings, imageMethodNames).map((one) => one.steps)
    expect(new Set(steps)).toEqual(new Set([50]))
    const equal = comparedSettings({ ...settings, equal: 'evaluations' }, imageMethodNames)
    const budget = evaluationsOf(settings)
    for (const one of equal) {
      const { forward, vjp } = passesPerEstimate(one)
      expect(Math.abs(evaluationsOf(one) - budget)).toBeLessThanOrEqual((forward + 2 * vjp) / 2)
    }
    expect(equal.find(({ method }) => method === 'mmps')!.steps).toBe(50)
  })

  it('is told by the name of the method and its number', () => {
    expect(methodLabel({ ...defaultImagesSettings, method: 'mmps', iterations: 5 })).toBe('MMPS(5)')
    expect(methodLabel({ ...defaultImagesSettings, method: 'dps', guidance: 0.5 })).toBe('DPS, ζ = 0.5')
  })
})
