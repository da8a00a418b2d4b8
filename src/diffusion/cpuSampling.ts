/**
 * Sampling on the CPU: a plan x ← a x + b d + c ε run on float64 twins with the kernels' random numbers, in pieces
 * between which the job can be paused or aborted.
 */
import { DOMAIN, RandomStream } from '../math/philox'
import type { JobControl, Trajectory, TrajectoryRequest } from './backend'
import { priorEvaluationFlops } from './flops'
import { histograms } from './histogram'
import { Pacer, pieceSize } from './jobControl'
import { denoiserOf } from './prior'
import { createPosterior } from './posterior'
import { sliceObservations } from './posterior/observations'
import { TwistedParticles } from './posterior/tds'
import { applyStep } from './samplers'
import { featuresOf, type AffineStep } from './types'

/** How samples take a plan step, piece after piece: `prepare` all, `exchange` once, `move` all. */
interface Walk {
  /** x_t, [count, features]. */
  readonly x: Float64Array
  prepare?(step: AffineStep, begin: number, end: number): void
  exchange?(index: number): void
  /** `noise` holds ε [end - begin, features], unused where c = 0. */
  move(step: AffineStep, begin: number, end: number, noise: Float64Array): void
}

/** Samples and the states on the way. Errors: RangeError where the request does not fit together, the signal's reason. */
export async function trajectory(request: TrajectoryRequest, control?: JobControl): Promise<Trajectory> {
  const { prior, plan, count, observations, posterior, histogram } = request
  const features = featuresOf(prior)
  const pacer = new Pacer(control)
  await pacer.begin()
  const random = new RandomStream(request.seed, request.stream)
  const observed = observations?.observed ?? 0
  const flopsEach = priorEvaluationFlops(prior, observed, observations ? posterior : undefined)
  const size = pieceSize(flopsEach)
  const walk = startWalk(request, random, size)
  const { x } = walk
  const frames = new Frames(request, x.length)
  const noise = new Float64Array(Math.min(size, count) * features)
  let lastPreview = performance.now()
  const breathe = async (done: number) => {
    if (!pacer.due) return
    await pacer.pause({ stage: 'compute', done, total: plan.length * count, flops: done * flopsEach })
    if (!histogram || !control?.onPreview) return
    const now = performance.now()
    if (now - lastPreview < (control.previewMilliseconds ?? 250)) return
    lastPreview = now
    control.onPreview(histograms(Float32Array.from(x), features, histogram.bins, histogram.range))
  }
  for (const [index, step] of plan.entries()) {
    frames.keep(index, x)
    for (let begin = 0; walk.prepare && begin < count; begin += size) {
      const end = Math.min(begin + size, count)
      walk.prepare(step, begin, end)
      await breathe(index * count + end)
    }
    walk.exchange?.(index)
    for (let begin = 0; begin < count; begin += size) {
      const end = Math.min(begin + size, count)
      if (step.c !== 0) {
        for (let i = begin; i < end; i++) {
          random.fillNormals(noise, (i - begin) * features, features, i, index, DOMAIN.samplerNoise)
        }
      }
      walk.move(step, begin, end, noise)
      await breathe(walk.prepare ? (index + 1) * count : index * count + end)
    }
  }
  const total = plan.length * count
  control?.onProgress?.({ stage: 'compute', done: total, total, flops: total * flopsEach })
  return { samples: Float32Array.from(x), frames: frames.values }
}

/** The asked x_t as they come by. */
class Frames {
  /** [frames, count, features]. */
  readonly values: Float32Array
  private readonly positions: ReadonlyMap<number, number>

  /** Error: RangeError where a frame is no step of the plan. */
  constructor(
    { frames, plan }: TrajectoryRequest,
    private readonly length: number,
  ) {
    if (frames.some((index) => !(index in plan))) {
      throw new RangeError(
        `The plan has ${plan.length} steps; frames ${frames.join(', ')} are not all among them.`,
      )
    }
    this.positions = new Map(frames.map((index, position) => [index, position]))
    this.values = new Float32Array(frames.length * length)
  }

  keep(index: number, x: Float64Array): void {
    const position = this.positions.get(index)
    if (position !== undefined) this.values.set(x, position * this.length)
  }
}

/** Start noise and posterior denoisers. */
function startWalk(request: TrajectoryRequest, random: RandomStream, size: number): Walk {
  const { prior, count, mean, startSigma, observations, posterior } = request
  const features = featuresOf(prior)
  if (mean.length !== features) {
    throw new RangeError(`The mean has ${mean.length} features, the prior ${features}.`)
  }
  if (observations && observations.count !== count && observations.count !== 1) {
    throw new RangeError(`There are ${observations.count} observations for ${count} samples.`)
  }
  if (observations && !posterior) throw new RangeError('Observations need posterior options.')
  const denoiser = denoiserOf(prior)
  const x = new Float64Array(count * features)
  for (let i = 0; i < count; i++) {
    random.fillNormals(x, i * features, features, i, 0, DOMAIN.samplerStart)
    for (let j = 0; j < features; j++) {
      x[i * features + j] = mean[j]! + startSigma * x[i * features + j]!
    }
  }
  if (observations && posterior?.method === 'tds') {
    const particles = new TwistedParticles(denoiser, observations, posterior, request.plan, x, random)
    return {
      x: particles.x,
      prepare: ({ sigma }, begin, end) => particles.evaluate(sigma, begin, end),
      exchange: (index) => particles.resample(index),
      move: (step, begin, end, noise) => particles.move(step, begin, end, noise),
    }
  }
  const estimators = Array.from({ length: Math.ceil(count / size) }, (_, piece) => {
    if (!observations || !posterior) return denoiser
    const own = sliceObservations(observations, piece * size, Math.min((piece + 1) * size, count))
    return createPosterior(denoiser, own, posterior)
  })
  return {
    x,
    move: (step, begin, end, noise) =>
      applyStep(estimators[begin / size]!, step, x.subarray(begin * features, end * features), noise),
  }
}
