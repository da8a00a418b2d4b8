/**
 * The image methods against dense float64 algebra, where the prior is Gaussian: the same tests for the CPU and a GPU.
 */
import { describe, expect, it } from 'vitest'
import { createImageEstimator } from '../../../src/diffusion/image/methods'
import type { ImageMethodName, ImageMethodOptions } from '../../../src/diffusion/image/types'
import type { VectorSpace } from '../../../src/linalg/vectorSpace'
import { transpose } from '../../../src/math/matrix'
import type { ImagePrimitives } from '../../../src/operators/primitives'
import {
  batch,
  descriptions,
  matrices,
  mean,
  normals,
  options,
  problemOn,
  product,
  shifted,
  size,
  solveMany,
  vectorOf,
} from './gaussianProblem'

type Task = keyof typeof descriptions

const norm = (v: ArrayLike<number>) => Math.hypot(...Array.from(v))
const minus = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a, (value, i) => value - b[i]!)

interface Dense {
  readonly m: number
  readonly A: Float64Array
  readonly C: Float64Array
}

/** xHat + W Aᵀ (sigma_y² I + A V Aᵀ)⁻¹ (y - A xHat). */
function update(
  { m, A }: Dense,
  sigmaY: number,
  V: Float64Array,
  W: Float64Array,
  xHat: Float64Array,
  y: Float64Array,
): Float64Array {
  const At = transpose(A, m, size)
  const M = shifted(product(product(A, V, m, size, size), At, m, size, m), sigmaY ** 2)
  const v = solveMany(M, Float64Array.from(minus(y, product(A, xHat, m, size, 1))))
  const moved = product(W, product(At, v, size, m, 1), size, size, 1)
  return xHat.map((value, i) => value + moved[i]!)
}

const identity = (scale: number) => shifted(new Float64Array(size * size), scale)

/** d(x_t | y) of one sample by each method; b is the step's. */
function expected(
  method: ImageMethodName,
  dense: Dense,
  sigma: number,
  sigmaY: number,
  b: number,
  xT: Float64Array,
  y: Float64Array,
): Float64Array {
  const { m, A, C } = dense
  const J = solveMany(shifted(C, sigma ** 2), C)
  const tweedie = J.map((value) => value * sigma ** 2)
  const xHat = product(J, Float64Array.from(minus(xT, mean)), size, size, 1).map(
    (value, i) => value + mean[i]!,
  )
  const variance = sigma ** 2 / (1 + sigma ** 2)
  switch (method) {
    case 'mmps':
    case 'jfps':
      return update(dense, sigmaY, tweedie, tweedie, xHat, y)
    case 'pigdm':
      return update(dense, sigmaY, identity(variance), tweedie, xHat, y)
    case 'diffpir': {
      const V = identity(sigma ** 2 / options.proximity)
      return update(dense, sigmaY, V, V, xHat, y)
    }
    case 'tmpd': {
      const sums = product(J, new Float64Array(size).fill(1), size, size, 1)
      const D = identity(1).map((value, i) => {
        return value * Math.max(sigma ** 2 * sums[Math.floor(i / size)]!, 0.01 * variance)
      })
      return update(dense, sigmaY, D, tweedie, xHat, y)
    }
    case 'dps': {
      const r = Float64Array.from(minus(y, product(A, xHat, m, size, 1)))
      const pulled = product(J, product(transpose(A, m, size), r, size, m, 1), size, size, 1)
      return xHat.map((value, i) => value + ((options.guidance / b) * pulled[i]!) / norm(r))
    }
  }
}

/** Tests of one device. */
export function describeMethods(
  space: VectorSpace,
  primitives: ImagePrimitives,
  levels: readonly (readonly [sigmaT: number, sigmaY: number])[],
): void {
  /** Estimates and their reference, for x_t and y drawn from the model. */
  async function compare(task: Task, sigma: number, sigmaY: number, change: Partial<ImageMethodOptions>) {
    const dense = await matrices(descriptions[task])
    const { m, A } = dense
    const rows = Array.from({ length: batch }, (_, i) => {
      const x = product(dense.C, normals(size, 10 + i), size, size, 1).map((value, j) => value + mean[j]!)
      const xT = Float64Array.from(normals(size, 20 + i), (value, j) => Math.fround(x[j]! + sigma * value))
      const noise = normals(m, 30 + i)
      const y = product(A, x, m, size, 1).map((value, j) => Math.fround(value + sigmaY * noise[j]!))
      return { xT, y }
    })
    const { denoiser, operator, fit } = problemOn(space, primitives, descriptions[task])
    // 0 where nothing is measured
    const mask = vectorOf(
      space,
      batch,
      rows.flatMap(({ y }) => [...y]),
    )
    const back = space.vector('back', batch, size)
    const y = space.vector('y', batch, m)
    const seen = Array.from({ length: m }, (_, i) =>
      A.subarray(i * size, (i + 1) * size).some((a) => a !== 0) ? 1 : 0,
    )
    space.multiply(y, mask, vectorOf(space, 1, seen))
    const measured = await space.read(y)
    const method = { ...options, ...change }
    const estimator = createImageEstimator({ denoiser, operator, y, sigmaY, options: method, fit })
    const step = { sigma, a: 0.4, b: 0.6, c: 0.1 * sigma }
    const xT = vectorOf(
      space,
      batch,
      rows.flatMap((row) => [...row.xT]),
    )
    // twice: the second finds what the first left
    await estimator.estimate(xT, step, back)
    const passes = { ...denoiser.passes }
    await estimator.estimate(xT, step, back)
    const actual = await space.read(back)
    estimator.release()
    return {
      errors: rows.map((row, i) => {
        const at = Float64Array.from(measured.subarray(i * m, (i + 1) * m))
        const reference = expected(method.method, dense, sigma, sigmaY, step.b, row.xT, at)
        return norm(minus(actual.subarray(i * size, (i + 1) * size), reference)) / norm(reference)
      }),
      // float32 rounding (DPS divides a residual of sigma_y's size by its norm), and in what A sees least, where nothing damps it
      tolerance: 2e-5 + 10 * 2 ** -24 * dense.condition,
      passes: [denoiser.passes.forward - passes.forward, denoiser.passes.vjp - passes.vjp],
    }
  }

  describe.each(levels)('at sigma_t %d, sigma_y %d', (sigma, sigmaY) => {
    it.each([
      ['pigdm', [1, 1]],
      ['tmpd', [1, 2]],
      ['dps', [1, 1]],
      ['diffpir', [1, 0]],
      ['jfps', [1, 0]],
    ] as const)('%s is its formula, with %j forward and VJP passes', async (method, passes) => {
      for (const task of Object.keys(descriptions) as Task[]) {
        const result = await compare(task, sigma, sigmaY, { method })
        expect(result.passes).toEqual(passes)
        expect(Math.max(...result.errors)).toBeLessThan(result.tolerance)
      }
    })

    it.each([
      ['cg', 11],
      ['gmres', 11],
      ['bicgstab', 21],
    ] as const)('mmps with %s is the exact posterior mean, with %i VJPs', async (solver, vjps) => {
      for (const task of ['inpainting', 'superResolution', 'gray'] as const) {
        const result = await compare(task, sigma, sigmaY, { solver })
        expect(result.passes[0]).toBe(1)
        if (space.kind === 'webgpu') expect(result.passes[1]).toBe(vjps)
        else expect(result.passes[1]).toBeLessThanOrEqual(vjps)
        expect(Math.max(...result.errors)).toBeLessThan(result.tolerance)
      }
    })
  })
}
