/**
 * Posterior samples of images: a plan of affine steps with a posterior estimate in the denoiser's place,
 *
 *     x ~ N(0, sigma_max² I);   x ← a x + b d(x | y) + c ε;   the last step is x_0 = d(x, sigma_min | y)
 *
 * Start and noise have addresses, so that a seed means the same images on every device up to rounding. Everything stays on
 * the device: one read a shown frame brings x̂ and what was measured of the steps so far.
 */
import { DOMAIN } from '../../math/philox'
import type { Vector } from '../../linalg/vectorSpace'
import { sizeOf } from '../../operators/types'
import type { JobControl } from '../backend'
import { nextTask, permission } from '../jobControl'
import type { Plan } from '../types'
import { createImageEstimator } from './methods'
import { type ImageStepRecord, NonFiniteImageError, StepHistory } from './stepHistory'
import type { EstimatorRequest } from './types'

/** Steps between two looks whether the numbers are still finite, where no frame is shown. */
const UNSEEN_STEPS = 25

export interface ImageSampleRequest extends EstimatorRequest {
  readonly plan: Plan
  readonly seed: number
}

/** What `onStep` is told after every step. */
export interface ImageStep {
  readonly step: number
  readonly steps: number
  readonly sigma: number
  /** x̂ of every sample, [batch, size], where a frame was wanted. */
  readonly xHat: Float32Array | null
  /** Numbers of the steps since the last time, this one included; empty where nothing was read. */
  readonly records: readonly ImageStepRecord[]
}

export interface ImageSampleControl extends JobControl {
  /** Whether to read x̂ back after this step. */
  wantsFrame?(step: number): boolean
  onStep?(report: ImageStep): void
}

export interface ImageSamples {
  /** x_0, [batch, size], the caller's to release. */
  readonly x: Vector
  readonly records: readonly ImageStepRecord[]
  /** Network passes of this run. */
  readonly passes: { readonly forward: number; readonly vjp: number; readonly jvp: number }
}

/**
 * Errors: RangeError for what does not fit together, NonFiniteImageError, the signal's reason, and what the device or the
 * denoiser reports.
 */
export async function sampleImages(
  request: ImageSampleRequest,
  control: ImageSampleControl = {},
): Promise<ImageSamples> {
  const { denoiser, plan, seed, options } = request
  const { space, batch, shape } = denoiser
  const size = sizeOf(shape)
  if (plan.length === 0) throw new RangeError('A plan needs at least one step.')
  const before = { ...denoiser.passes }
  const estimator = createImageEstimator(request)
  const x = space.vector('x', batch, size)
  const estimate = space.vector('d(x | y)', batch, size)
  const noise = space.vector('noise', batch, size)
  let history: StepHistory | undefined
  let isDone = false
  try {
    history = new StepHistory(request, plan)
    await permission(control)
    space.fillNormal(x, { seed, stream: 0, step: 0, domain: DOMAIN.imageStart })
    space.combine(x, [{ factor: plan[0]!.sigma, vector: x }])
    let unseen = 0
    let previous: Promise<void> = Promise.resolve()
    for (const [index, step] of plan.entries()) {
      const { sigma, a, b, c } = step
      const xHat = await estimator.estimate(x, step, estimate)
      const kept = [
        { factor: a, vector: x },
        { factor: b, vector: estimate },
      ]
      if (c === 0) space.combine(x, kept)
      else {
        space.fillNormal(noise, { seed, stream: 0, step: index, domain: DOMAIN.imageNoise })
        space.combine(x, [...kept, { factor: c, vector: noise }])
      }
      history.record(index, x, xHat, estimator.solverResidual)

      const isLast = index + 1 === plan.length
      const isShown = isLast || (control.wantsFrame?.(index) ?? false)
      let frame: Float32Array | null = null
      let records: readonly ImageStepRecord[] = []
      if (isShown || ++unseen === UNSEEN_STEPS) {
        unseen = 0
        const [numbers, image] = await space.readTogether(isShown ? [history.vector, xHat] : [history.vector])
        records = history.take(index, numbers!)
        frame = image ?? null
      }
      // at most one step ahead of the device, so that pausing and cancelling are felt
      const finished = space.finished()
      finished.catch(() => undefined)
      await previous
      previous = finished
      control.onStep?.({ step: index, steps: plan.length, sigma, xHat: frame, records })
      control.onProgress?.({ stage: 'compute', done: index + 1, total: plan.length, flops: 0 })
      if (!isLast) {
        await nextTask()
        await permission(control)
      }
    }
    await previous
    isDone = true
    const { forward, vjp, jvp } = denoiser.passes
    const passes = { forward: forward - before.forward, vjp: vjp - before.vjp, jvp: jvp - before.jvp }
    return { x, records: history.records, passes }
  } catch (error) {
    throw error instanceof NonFiniteImageError ? error.advised(options) : error
  } finally {
    estimator.release()
    history?.release()
    space.release(estimate, noise)
    if (!isDone) space.release(x)
  }
}
