import { describe, expect, it } from 'vitest'
import { layers } from '../../src/diffusion/mlp'
import { ddimStep } from '../../src/diffusion/samplers/ddim'
import { ddpmStep } from '../../src/diffusion/samplers/ddpm'
import { predictorCorrectorSteps } from '../../src/diffusion/samplers/predictorCorrector'
import { logLinearSchedule } from '../../src/diffusion/schedule'
import type { AffineStep, CovarianceName, PosteriorOptions } from '../../src/diffusion/types'
import { scaledIdentity } from '../../src/math/matrix'
import { openTestDevice } from '../gpu/adapter'
import { NetworkKernels } from '../gpu/networkKernels'
import { expectClose, golden, goldenCg, goldenParameters, goldenShape } from './load'

const TOLERANCE = 1e-4
const SIGMA_Y = 1e-2 // Sigma_y = 1e-4 I
const schedule = logLinearSchedule(1e-3, 10)
const { scope } = await openTestDevice()

describe.each(['mlp_small', 'mlp_paper'])('%s on the GPU', (name) => {
  const file = golden(name)
  const shape = goldenShape(file)
  const { features } = shape
  const data = (key: string) => file.get(key).data
  const close = (actual: ArrayLike<number>, key: string) => expectClose(actual, data(key), TOLERANCE)
  const kernels = new NetworkKernels(scope, { shape, weights: goldenParameters(file, 'net') })
  const [xT, sigma] = [data('xt'), data('sigma')]
  const batch = sigma.length
  /** Unit vectors, [batch, features, features]. */
  const units = Float64Array.from({ length: batch * features * features }, (_, i) =>
    i % features === Math.floor(i / features) % features ? 1 : 0,
  )
  /** Swaps the last two axes of [batch, features, features]. */
  const transposed = (values: ArrayLike<number>) =>
    Float64Array.from({ length: values.length }, (_, i) => {
      const [j, k] = [Math.floor(i / features) % features, i % features]
      return values[i - j * features - k + k * features + j]!
    })

  it('denoises', async () => close(await kernels.denoise(xT, sigma), 'denoised'))

  it('gives VJPs, one or several a sample', async () => {
    const { denoised, products } = await kernels.vjp(xT, sigma, data('v'))
    close(denoised, 'denoised')
    close(products, 'vjp')
    close((await kernels.vjp(xT, sigma, units)).products, 'jacobian')
  })

  it('gives JVPs, one or several a sample', async () => {
    const { denoised, products } = await kernels.jvp(xT, sigma, data('u'))
    close(denoised, 'denoised')
    close(products, 'jvp')
    close(transposed((await kernels.jvp(xT, sigma, units)).products), 'jacobian')
  })

  it('gives the loss and its gradient of a given batch', async () => {
    const { loss, gradient } = await kernels.loss(
      {
        samples: Float32Array.from(data('x')),
        batch,
        sigmaMin: schedule.sigmaMin,
        sigmaMax: schedule.sigmaMax,
        time: { alpha: 3, beta: 3 },
        seed: 0,
        stream: 0,
      },
      { z: data('z'), t: data('t') },
    )
    close([loss], 'loss')
    layers(shape).forEach(({ inputs, outputs, weightOffset, biasOffset }, l) => {
      close(gradient.subarray(weightOffset, biasOffset), `grad.${l}.weight`)
      close(gradient.subarray(biasOffset, weightOffset + (inputs + 1) * outputs), `grad.${l}.bias`)
    })
  })

  /** Sample b takes only its own steps: the golden data has one sigma a sample. */
  const eachItsOwn = (stepsEach: number) =>
    Array.from({ length: batch }, (_, b) => ({
      begin: b,
      end: b + 1,
      first: b * stepsEach,
      last: (b + 1) * stepsEach,
      start: false,
    }))

  describe('posterior denoiser', () => {
    const posterior = (options: Partial<PosteriorOptions>) =>
      kernels.sample(
        [...sigma].map((level) => ({ sigma: level, a: 0, b: 1, c: 0 })),
        xT,
        eachItsOwn(1),
        { sigmaY: SIGMA_Y },
        {
          covariance: 'tweedie',
          solver: 'exact',
          solverIterations: 1,
          safeguard: 'none',
          ...options,
          observed: file.get('A').shape[1]!,
          A: data('A'),
          y: data('y'),
        },
      )

    it('solves exactly', async () => close(await posterior({}), 'mmps_exact'))

    it('solves with CG where the system is positive definite', async () => {
      const iterations = file.keys().flatMap((key) => /^mmps_cg(\d+)$/.exec(key)?.[1] ?? [])
      const spd = data('mmps_spd')
      const compared = [...spd.keys()].filter((b) => spd[b] === 1)
      expect(compared.length).toBeGreaterThan(0)
      for (const k of iterations) {
        const actual = await posterior({ solver: 'cg', solverIterations: Number(k) })
        const rows = (values: ArrayLike<number>) =>
          compared.flatMap((b) => Array.from({ length: features }, (_, i) => values[b * features + i]!))
        expectClose(rows(actual), rows(goldenCg(file, k)), TOLERANCE)
        expect(actual.every(Number.isFinite)).toBe(true)
      }
    })

    it.each<[string, CovarianceName, (() => Float64Array)?]>([
      ['post_zeros', 'zero'],
      ['post_zeros', 'gaussian', () => new Float64Array(features ** 2)],
      ['post_ones', 'pigdm'],
      ['post_ones', 'gaussian', () => scaledIdentity(features, 1)],
      ['post_cov_t', 'gaussian', () => scaledIdentity(features, 1e6)],
      ['post_cov_x', 'gaussian', () => data('cov_x')],
    ])('%s with the covariance %s', async (key, covariance, covX) => {
      close(await posterior({ covariance, covX: covX?.() }), key)
    })
  })

  it.each<[string, (from: number, to: number) => AffineStep[]]>([
    ['ddim_step', (from, to) => [ddimStep(from, to, 0)]],
    ['ddpm_step', (from, to) => [ddpmStep(from, to)]],
    ['pc_step', (from, to) => predictorCorrectorSteps(from, to, 1, 0.1)],
  ])('%s', async (key, makeSteps) => {
    const [x, z, t, s, eps] = [data('x'), data('z'), data('t'), data('s'), data('eps')]
    const from = t.map((time) => schedule.sigma(time))
    const start = x.map((value, i) => value + from[Math.floor(i / features)]! * z[i]!)
    const steps = [...from].map((level, b) => makeSteps(level, schedule.sigma(s[b]!)))
    // the golden noise enters in the last step of each sample, so it can be added here
    const plan = steps.flat().map(({ sigma: level, a, b }) => ({ sigma: level, a, b, c: 0 }))
    const actual = await kernels.sample(plan, start, eachItsOwn(steps[0]!.length))
    const noisy = actual.map((value, i) => value + steps[Math.floor(i / features)]!.at(-1)!.c * eps[i]!)
    expect(steps.every((own) => own.slice(0, -1).every(({ c }) => c === 0))).toBe(true)
    close(noisy, key)
  })
})
