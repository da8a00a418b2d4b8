/**
 * The mixture kernels against the golden data. Every error is relative and in norm over all points of a tensor,
 * ‖actual - expected‖/‖expected‖ (`relativeError`), also for log-likelihoods, which reach -1e5 where a point cannot
 * explain y: a float32 value of that size has steps of 0.01. test/gpu/mixtureMoments.test.ts compares point by point.
 */
import { describe, expect, test } from 'vitest'
import type { MomentsRequest } from '../../src/diffusion/backend'
import type { CovarianceName } from '../../src/diffusion/types'
import { logLikelihoods, moments } from '../../src/gpu/jobs/moments'
import { openTestDevice } from '../gpu/adapter'
import { jobRunner } from '../gpu/jobRunner'
import { expectClose, golden } from './load'

const TOLERANCE = 1e-4
const run = jobRunner(await openTestDevice())

describe('mixture on the GPU', () => {
  const file = golden('mixture')
  const data = (key: string) => file.get(key).data
  const close = (actual: ArrayLike<number>, key: string) => expectClose(actual, data(key), TOLERANCE)
  const [observed, features] = file.get('A').shape as [number, number]
  const request: MomentsRequest = {
    mixture: { features, means: data('mu'), thickness: data('thickness')[0]! },
    xT: Float32Array.from(data('xt')),
    sigma: Float32Array.from(data('sigma')),
    observation: {
      count: 1,
      features,
      observed,
      A: Float32Array.from(data('A')),
      y: Float32Array.from(data('y')),
      sigmaY: data('noise')[0]!, // a standard deviation
    },
    covX: data('cov_x'),
  }

  test('mean, score, covariance, and the likelihood term of the MMPS score', async () => {
    const { mean, score, covariance, mmpsScore } = await run((job) => moments(job, request))
    close(mean, 'mean')
    close(score, 'score')
    close(covariance, 'cov')
    close(mmpsScore, 'mmps_score')
  })

  test('log-likelihoods', async () => {
    const likelihoods = await run((job) => logLikelihoods(job, request))
    const names: [CovarianceName, string][] = [
      ['zero', 'loglik_zero'],
      ['identity', 'loglik_cov_t'],
      ['gaussian', 'loglik_cov_x'],
      ['tweedie', 'loglik_tweedie'],
    ]
    for (const [name, key] of names) close(likelihoods[name], key)
    expect(file.keys().filter((key) => key.startsWith('loglik_')).length).toBe(names.length)
  })
})
