import { describe, expect, it } from 'vitest'
import { ImageGaussianDenoiser } from '../../../src/diffusion/image/gaussian'
import { sampleImages } from '../../../src/diffusion/image/sample'
import { NonFiniteImageError } from '../../../src/diffusion/image/stepHistory'
import type { ImageDenoiser, ImageMethodOptions } from '../../../src/diffusion/image/types'
import { type SamplerName, samplerPlan } from '../../../src/diffusion/samplers'
import { logLinearSchedule } from '../../../src/diffusion/schedule'
import type { Plan } from '../../../src/diffusion/types'
import { createCpuVectors } from '../../../src/linalg/cpuVectors'
import { createCpuImagePrimitives } from '../../../src/operators/cpuPrimitives'
import { createImageOperator } from '../../../src/operators/createOperator'
import { options as gaussianOptions, vectorOf } from './gaussianProblem'

const space = createCpuVectors()
const primitives = createCpuImagePrimitives(space)
const shape = { channels: 1, height: 2, width: 3 }
const size = 6
const schedule = logLinearSchedule(0.002, 80)
const sampler = { steps: 40, eta: 1, corrections: 1, delta: 0.1 }
const variances = Float64Array.of(0.01, 0.04, 0.25, 0.25, 1, 4)
const mean = Float32Array.of(0.5, -0.5, 0, 0.2, 1, -1)
const mask = Uint8Array.of(1, 0, 1, 0, 1, 0)
const y = Float64Array.of(0.6, 0, -0.4, 0, 0.1, 0)
const sigmaY = 0.3

function requestOf(batch: number, plan: Plan, change: Partial<ImageMethodOptions> = {}) {
  return {
    denoiser: new ImageGaussianDenoiser(space, shape, batch, mean, { variances }) as ImageDenoiser,
    operator: createImageOperator({ kind: 'inpainting', mask }, shape, batch, primitives),
    y: vectorOf(space, 1, y),
    sigmaY,
    options: { ...gaussianOptions, iterations: 3, ...change },
    plan,
    seed: 11,
  }
}

/**
 * Mean and variance of x_0 for one pixel, in closed form: d(x | y) = gain x + rest is affine where prior and noise are Gaussian.
 */
function propagate(plan: Plan, pixel: number): readonly [number, number] {
  let [m, v] = [0, plan[0]!.sigma ** 2]
  for (const { sigma, a, b, c } of plan) {
    const seen = mask[pixel]! / sigmaY ** 2
    const precision = 1 / variances[pixel]! + 1 / sigma ** 2 + seen
    const gain = 1 / sigma ** 2 / precision
    const rest = (mean[pixel]! / variances[pixel]! + seen * y[pixel]!) / precision
    m = (a + b * gain) * m + b * rest
    v = (a + b * gain) ** 2 * v + c * c
  }
  return [m, v]
}

describe('sampleImages', () => {
  it.each(['ddim', 'ddpm', 'pc'] as const)(
    '%s has the moments of its plan, and nearly those of the posterior',
    async (name: SamplerName) => {
      const batch = 1000
      const plan = samplerPlan(name, schedule, { ...sampler, eta: 0.5 })
      const { x } = await sampleImages(requestOf(batch, plan))
      const samples = await space.read(x)
      for (let pixel = 0; pixel < size; pixel++) {
        const values = Array.from({ length: batch }, (_, i) => samples[i * size + pixel]!)
        const m = values.reduce((sum, value) => sum + value, 0) / batch
        const v = values.reduce((sum, value) => sum + (value - m) ** 2, 0) / (batch - 1)
        const [expectedMean, expectedVariance] = propagate(plan, pixel)
        // 4 standard errors
        expect(Math.abs(m - expectedMean)).toBeLessThan(4 * Math.sqrt(expectedVariance / batch))
        expect(Math.abs(v / expectedVariance - 1)).toBeLessThan(4 * Math.sqrt(2 / batch))
        const seen = mask[pixel]! / sigmaY ** 2
        const posterior = 1 / (1 / variances[pixel]! + seen)
        const posteriorMean = (mean[pixel]! / variances[pixel]! + seen * y[pixel]!) * posterior
        // what 40 steps of the discretised sampler cost: at most a quarter of the posterior's width
        expect(Math.abs(expectedMean - posteriorMean)).toBeLessThan(0.25 * Math.sqrt(posterior))
        expect(Math.abs(Math.sqrt(expectedVariance / posterior) - 1)).toBeLessThan(0.25)
      }
    },
  )

  it('draws a sample by its seed and place alone, and leaves y out where k = 0', async () => {
    const plan = samplerPlan('ddim', schedule, sampler)
    const many = await space.read((await sampleImages(requestOf(4, plan))).x)
    const one = await space.read((await sampleImages(requestOf(1, plan))).x)
    expect([...one]).toEqual([...many.subarray(0, size)])
    const { passes, records } = await sampleImages(requestOf(1, plan, { iterations: 0 }))
    expect(passes).toEqual({ forward: 41, vjp: 0, jvp: 0 })
    expect(records.every(({ solverResidual }) => solverResidual === null)).toBe(true)
  })

  it('tells every step, and reads frames and numbers where they are wanted', async () => {
    const plan = samplerPlan('ddim', schedule, { ...sampler, steps: 60 })
    const told: string[] = []
    const { x, records } = await sampleImages(requestOf(2, plan), {
      wantsFrame: (step) => step === 4,
      onStep: ({ step, steps, xHat, records }) => {
        if (xHat || records.length > 0) told.push(`${step}/${steps} ${xHat?.length ?? 0} ${records.length}`)
      },
    })
    expect(told).toEqual(['4/61 12 5', '29/61 0 25', '54/61 0 25', '60/61 12 6'])
    const final = await space.read(x)
    const last = records.at(-1)!
    expect(last.sigma).toBe(0.002)
    last.misfit.forEach((misfit, i) => {
      const square = y.reduce((sum, value, j) => sum + (mask[j] ? (final[i * size + j]! - value) ** 2 : 0), 0)
      expect(misfit).toBeCloseTo(Math.sqrt(square / 3) / sigmaY, 4)
    })
    expect(Math.max(...records.flatMap(({ solverResidual }) => solverResidual!))).toBeLessThan(1e-4)
  })

  it('waits while it is paused, and stops where it is aborted', async () => {
    const plan = samplerPlan('ddim', schedule, sampler)
    const abort = new AbortController()
    let steps = 0
    let resume: (() => void) | undefined
    const work = sampleImages(requestOf(1, plan), {
      signal: abort.signal,
      ready: async () => {
        if (steps === 3) await new Promise<void>((resolve) => (resume = resolve))
        if (steps === 6) abort.abort(new Error('cancelled'))
      },
      onStep: () => steps++,
    })
    await expect.poll(() => resume).toBeDefined()
    expect(steps).toBe(3)
    resume!()
    await expect(work).rejects.toThrow('cancelled')
    expect(steps).toBe(6)
  })

  it('notices a network that stops being finite, and names the step and what to do', async () => {
    const plan = samplerPlan('ddim', schedule, sampler)
    const request = requestOf(2, plan, { method: 'dps' })
    let calls = 0
    const broken: ImageDenoiser = {
      space,
      shape,
      batch: 2,
      passes: request.denoiser.passes,
      denoise: (xT, sigma, out) => request.denoiser.denoise(xT, sigma, out),
      release: () => request.denoiser.release(),
      async linearize(xT, sigma) {
        const made = await request.denoiser.linearize(xT, sigma)
        if (++calls === 8) space.combine(made.xHat, [{ factor: NaN, vector: made.xHat }])
        return made
      },
    }
    const work = sampleImages({ ...request, denoiser: broken })
    await expect(work).rejects.toThrow(NonFiniteImageError)
    await expect(work).rejects.toThrow(/step 8 of 41 .*Lower the guidance/)
  })

  it('refuses what does not fit together', async () => {
    const plan = samplerPlan('ddim', schedule, sampler)
    await expect(sampleImages({ ...requestOf(1, plan), sigmaY: 0 })).rejects.toThrow(
      /sigma_y must be above 0/,
    )
    await expect(sampleImages(requestOf(1, plan, { iterations: 11 }))).rejects.toThrow(/0 to 10 iterations/)
    await expect(sampleImages(requestOf(1, plan, { method: 'jfps' }))).rejects.toThrow(/Gaussian fit/)
    await expect(sampleImages({ ...requestOf(1, plan), y: vectorOf(space, 1, [1]) })).rejects.toThrow(
      /\[1, 1\]/,
    )
  })
})
