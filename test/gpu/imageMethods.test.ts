import { describe, expect, it } from 'vitest'
import { sampleImages } from '../../src/diffusion/image/sample'
import { samplerPlan } from '../../src/diffusion/samplers'
import { logLinearSchedule } from '../../src/diffusion/schedule'
import { createCounters } from '../../src/gpu/buffers'
import { createGpuImagePrimitives } from '../../src/gpu/imagePrimitives'
import { createGpuVectors } from '../../src/gpu/vectors'
import { createCpuVectors } from '../../src/linalg/cpuVectors'
import { createCpuImagePrimitives } from '../../src/operators/cpuPrimitives'
import { describeMethods } from '../diffusion/image/agreement'
import {
  batch,
  descriptions,
  normals,
  options,
  problemOn,
  size,
  vectorOf,
} from '../diffusion/image/gaussianProblem'
import { openTestDevice } from './adapter'

const { device } = await openTestDevice()
const counters = createCounters()
const space = await createGpuVectors(device, counters)
const primitives = await createGpuImagePrimitives(space)
const cpu = createCpuVectors()
const devices = [
  [space, primitives],
  [cpu, createCpuImagePrimitives(cpu)],
] as const

const schedule = logLinearSchedule(0.002, 80)
const plan = samplerPlan('ddim', schedule, { steps: 8, eta: 1, corrections: 1, delta: 0.1 })

describe('on the GPU', () => {
  describeMethods(space, primitives, [
    [80, 0.001],
    [0.05, 0.05],
  ])

  it.each(['mmps', 'pigdm', 'tmpd', 'dps', 'diffpir', 'jfps'] as const)(
    '%s samples the same images and numbers as on the CPU',
    async (method) => {
      const results = await Promise.all(
        devices.map(async ([on, parts]) => {
          const { denoiser, operator, fit } = problemOn(on, parts, descriptions.superResolution)
          const y = vectorOf(on, 1, normals(6, 5))
          const change = { ...options, method, iterations: 2 }
          const request = { denoiser, operator, y, sigmaY: 0.1, options: change, fit, plan, seed: 4 }
          const { x, records } = await sampleImages(request)
          return { x: await on.read(x), records }
        }),
      )
      const [gpu, twin] = results as [(typeof results)[0], (typeof results)[0]]
      gpu.x.forEach((value, i) => expect(Math.abs(value - twin.x[i]!)).toBeLessThan(1e-4))
      gpu.records.forEach(({ misfit, solverResidual }, step) => {
        const expected = twin.records[step]!
        misfit.forEach((value, i) => {
          expect(Math.abs(value - expected.misfit[i]!)).toBeLessThan(1e-3 * (1 + expected.misfit[i]!))
        })
        expect(solverResidual === null).toBe(expected.solverResidual === null)
        solverResidual?.forEach((value, i) => {
          expect(Math.abs(value - expected.solverResidual![i]!)).toBeLessThan(1e-3)
        })
      })
    },
  )

  it('reads nothing back but the frames that are shown, one transfer each', async () => {
    const { denoiser, operator } = problemOn(space, primitives, descriptions.inpainting)
    const y = vectorOf(space, 1, normals(size, 5))
    const request = {
      denoiser,
      operator,
      y,
      sigmaY: 0.1,
      options: { ...options, iterations: 1 },
      plan,
      seed: 4,
    }
    const before = { ...counters }
    const { x, passes } = await sampleImages(request, { wantsFrame: (step) => step === 3 })
    const frame = 4 * batch * (size + 3 * plan.length)
    expect(counters.bytesReadBack - before.bytesReadBack).toBe(2 * frame)
    expect(passes).toEqual({ forward: 9, vjp: 18, jvp: 0 })
    space.release(x)
  })
})
