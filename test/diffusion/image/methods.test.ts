import { describe, expect, it } from 'vitest'
import { createImageEstimator } from '../../../src/diffusion/image/methods'
import { createCpuVectors } from '../../../src/linalg/cpuVectors'
import { createCpuImagePrimitives } from '../../../src/operators/cpuPrimitives'
import { describeMethods } from './agreement'
import { batch, descriptions, normals, options, problemOn, size, vectorOf } from './gaussianProblem'

const space = createCpuVectors()
const primitives = createCpuImagePrimitives(space)

describe('on the CPU', () => {
  describeMethods(space, primitives, [
    [80, 0.001],
    [80, 1],
    [1, 0.05],
    [0.05, 0.001],
    [0.002, 0.001],
    [0.002, 1],
  ])

  it.each(['cg', 'gmres'] as const)(
    'more iterations of %s come nearer to what MMPS aims at',
    async (solver) => {
      const { denoiser, operator } = problemOn(space, primitives, descriptions.gaussianBlur)
      const y = space.vector('y', batch, size)
      operator.apply(vectorOf(space, batch, normals(batch * size, 40)), y)
      const xT = vectorOf(space, batch, normals(batch * size, 41))
      const out = space.vector('out', batch, size)
      const step = { sigma: 1, a: 0.4, b: 0.6, c: 0 }
      const estimates: Float32Array[] = []
      const residuals: number[] = []
      for (const iterations of [1, 2, 4, 10]) {
        const request = {
          denoiser,
          operator,
          y,
          sigmaY: 0.1,
          options: { ...options, solver, iterations },
        }
        const estimator = createImageEstimator(request)
        await estimator.estimate(xT, step, out)
        estimates.push(await space.read(out))
        residuals.push(Math.max(...(await space.readScalars(estimator.solverResidual!))))
      }
      const exact = estimates.pop()!
      const errors = estimates.map((estimate) => Math.hypot(...estimate.map((value, i) => value - exact[i]!)))
      errors.slice(1).forEach((error, i) => expect(error).toBeLessThan(errors[i]!))
      residuals.slice(1).forEach((residual, i) => expect(residual).toBeLessThan(residuals[i]!))
      expect(errors[2]).toBeLessThan(0.2 * errors[0]!)
    },
  )
})
