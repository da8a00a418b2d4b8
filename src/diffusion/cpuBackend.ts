/**
 * DiEM on the CPU: the float64 twins behind the same interface as WebGPU, with the same random numbers.
 *
 * Meant for a Web Worker (the `tiny` preset, where there is no WebGPU) and for tests; work is cut into small
 * pieces so that pausing and aborting act within tens of milliseconds.
 */
import { Sinkhorn } from '../math/sinkhorn'
import { betaFromUniforms, DOMAIN, RandomStream, uniformIndex } from '../math/philox'
import { Adam, averagingDecayAt, clipToNorm, learningRateAt } from './adam'
import {
  NonFiniteLossError,
  type Backend,
  type JobControl,
  type SampleRequest,
  type TrainRequest,
  type TrainResult,
  type TransportOptions,
} from './backend'
import { forwardFlops, samplerEvaluationFlops, trainingStepFlops } from './flops'
import { histograms } from './histogram'
import { Pacer } from './jobControl'
import { MlpDenoiser } from './mlpDenoiser'
import { MmpsDenoiser, sliceObservations } from './posterior/mmps'
import { applyStep } from './samplers'
import { logLinearSchedule } from './schedule'
import type { MeanEstimator } from './types'

/** Work between two looks at the clock: some ten milliseconds of JavaScript. */
const FLOPS_PER_PIECE = 1e7

export function createCpuBackend(): Backend {
  return {
    adapter: { kind: 'cpu', name: 'TypeScript, float64' },
    lost: new Promise(() => undefined),
    sample,
    train,
    transport,
    histograms: (samples, features, bins, range) =>
      Promise.resolve(histograms(samples, features, bins, range)),
    destroy: () => undefined,
  }
}

/** Units of `flopsEach` that make a piece of work, a multiple of four as the matrix products like it. */
function pieceSize(flopsEach: number): number {
  return Math.max(4, Math.min(1024, 4 * Math.floor(FLOPS_PER_PIECE / flopsEach / 4)))
}

/** The samples begin ≤ i < end of a request, between two plan steps. */
interface Piece {
  readonly begin: number
  readonly end: number
  readonly estimator: MeanEstimator
  /** [end - begin, features]. */
  readonly x: Float64Array
}

async function sample(request: SampleRequest, control?: JobControl): Promise<Float32Array> {
  const { network, plan, count, observations, posterior, histogram } = request
  const pacer = new Pacer(control)
  await pacer.begin()
  const flopsEach = samplerEvaluationFlops(
    network,
    observations?.observed ?? 0,
    observations ? posterior : undefined,
  )
  const random = new RandomStream(request.seed, request.stream)
  const pieces = startPieces(request, random, pieceSize(flopsEach))
  const { features } = network
  const result = new Float32Array(count * features)
  for (const { begin, x } of pieces) result.set(x, begin * features)
  const epsilon = new Float64Array(Math.max(0, ...pieces.map(({ x }) => x.length)))
  let lastPreview = performance.now()
  for (const [index, step] of plan.entries()) {
    for (const { begin, end, estimator, x } of pieces) {
      if (step.c !== 0) {
        for (let i = begin; i < end; i++) {
          random.fillNormals(epsilon, (i - begin) * features, features, i, index, DOMAIN.samplerNoise)
        }
      }
      applyStep(estimator, step, x, epsilon)
      result.set(x, begin * features)
      if (!pacer.due) continue
      const done = index * count + end
      await pacer.pause({ stage: 'compute', done, total: plan.length * count, flops: done * flopsEach })
      if (histogram && control?.onPreview) {
        const now = performance.now()
        if (now - lastPreview >= (control.previewMilliseconds ?? 250)) {
          lastPreview = now
          control.onPreview(histograms(result, features, histogram.bins, histogram.range))
        }
      }
    }
  }
  const total = plan.length * count
  control?.onProgress?.({ stage: 'compute', done: total, total, flops: total * flopsEach })
  return result
}

/** Start noise and posterior denoiser of every piece. */
function startPieces(request: SampleRequest, random: RandomStream, size: number): Piece[] {
  const { network, count, mean, startSigma, observations, posterior } = request
  const { features } = network
  if (mean.length !== features) {
    throw new RangeError(`The mean has ${mean.length} features, the network ${features}.`)
  }
  if (observations && observations.count !== count) {
    throw new RangeError(`There are ${observations.count} observations for ${count} samples.`)
  }
  if (observations && !posterior) throw new RangeError('Observations need posterior options.')
  const denoiser = new MlpDenoiser(network, Float64Array.from(request.weights))
  const pieces: Piece[] = []
  for (let begin = 0; begin < count; begin += size) {
    const end = Math.min(begin + size, count)
    const x = new Float64Array((end - begin) * features)
    for (let i = begin; i < end; i++) {
      const offset = (i - begin) * features
      random.fillNormals(x, offset, features, i, 0, DOMAIN.samplerStart)
      for (let j = 0; j < features; j++) x[offset + j] = mean[j]! + startSigma * x[offset + j]!
    }
    const estimator =
      observations && posterior
        ? new MmpsDenoiser(denoiser, sliceObservations(observations, begin, end), posterior)
        : denoiser
    pieces.push({ begin, end, estimator, x })
  }
  return pieces
}

/** One training batch as the kernels draw it: x, z and sigma of elements begin ≤ b < end of step k. */
export function trainingBatch(
  request: Pick<TrainRequest, 'samples' | 'network' | 'sigmaMin' | 'sigmaMax' | 'time' | 'seed' | 'stream'>,
  k: number,
  begin: number,
  end: number,
): { x: Float64Array; z: Float64Array; sigma: Float64Array } {
  const { samples, network, time } = request
  const { features } = network
  const available = samples.length / features
  const schedule = logLinearSchedule(request.sigmaMin, request.sigmaMax)
  const random = new RandomStream(request.seed, request.stream)
  const x = new Float64Array((end - begin) * features)
  const z = new Float64Array(x.length)
  const sigma = new Float64Array(end - begin)
  const uniforms = new Float64Array(16)
  for (let b = begin; b < end; b++) {
    const offset = (b - begin) * features
    const index = uniformIndex(random.block(b, k, 0, DOMAIN.training)[0]!, available)
    for (let j = 0; j < features; j++) x[offset + j] = samples[index * features + j]!
    random.fillUniforms(uniforms, 0, time.alpha + time.beta - 1, b, k, DOMAIN.training, 1)
    sigma[b - begin] = schedule.sigma(betaFromUniforms(uniforms, 0, time.alpha, time.beta))
    random.fillNormals(z, offset, features, b, k, DOMAIN.training, 5)
  }
  return { x, z, sigma }
}

async function train(request: TrainRequest, control?: JobControl): Promise<TrainResult> {
  const { network, steps, batch, averaging } = request
  if (request.samples.length < network.features) throw new RangeError('Training needs at least one sample.')
  const pacer = new Pacer(control)
  await pacer.begin()
  const weights = Float64Array.from(request.weights)
  const average = weights.slice()
  const denoiser = new MlpDenoiser(network, weights)
  const adam = new Adam(weights.length, request.adam)
  const gradient = new Float64Array(weights.length)
  const losses = new Float32Array(steps)
  const size = pieceSize(3 * forwardFlops(network))
  const flopsEach = trainingStepFlops(network, batch)
  let reported = 0
  const progress = (k: number) => {
    let sum = 0
    for (let i = reported; i < k; i++) sum += losses[i]!
    const loss = k > reported ? sum / (k - reported) : undefined
    reported = k
    return { stage: 'compute', done: k, total: steps, flops: k * flopsEach, loss } as const
  }
  for (let k = 0; k < steps; k++) {
    gradient.fill(0)
    let loss = 0
    for (let begin = 0; begin < batch; begin += size) {
      const { x, z, sigma } = trainingBatch(request, k, begin, Math.min(begin + size, batch))
      loss += denoiser.addLossGradient(gradient, x, z, sigma, 1 / batch)
      if (pacer.due) await pacer.pause(progress(k))
    }
    if (!Number.isFinite(loss)) throw new NonFiniteLossError(k)
    losses[k] = loss
    clipToNorm(gradient, request.clipNorm)
    adam.step(weights, gradient, learningRateAt(k, steps, request.learningRate))
    denoiser.refresh()
    if (averaging > 0) {
      const decay = averagingDecayAt(k, averaging)
      for (let i = 0; i < average.length; i++) average[i] = decay * average[i]! + (1 - decay) * weights[i]!
    }
  }
  const last = Float32Array.from(averaging > 0 ? average : weights)
  // Damage done by the last update shows in no loss any more.
  if (!last.every(Number.isFinite)) throw new NonFiniteLossError(Math.max(0, steps - 1))
  control?.onProgress?.(progress(steps))
  return { weights: last, losses }
}

async function transport(
  u: Float32Array,
  v: Float32Array,
  features: number,
  { regularization, iterations, tolerance }: TransportOptions,
  control?: JobControl,
): Promise<number> {
  if (!(regularization > 0)) throw new RangeError('The regularisation must be above zero.')
  const pacer = new Pacer(control)
  await pacer.begin()
  const sinkhorn = new Sinkhorn(u, v, features, regularization)
  const flopsPerEntry = 3 * features + 6
  const { rows, columns } = sinkhorn
  const flopsEach = 2 * rows.count * columns.count * flopsPerEntry
  const sides = [
    ['rows', rows.count, pieceSize(columns.count * flopsPerEntry)],
    ['columns', columns.count, pieceSize(rows.count * flopsPerEntry)],
  ] as const
  const progress = (done: number) =>
    ({ stage: 'compute', done, total: iterations, flops: done * flopsEach }) as const
  for (let k = 0; k < iterations; k++) {
    let moved = 0
    for (const [side, count, size] of sides) {
      for (let begin = 0; begin < count; begin += size) {
        moved = Math.max(moved, sinkhorn.update(side, begin, Math.min(begin + size, count)))
        if (pacer.due) await pacer.pause(progress(k))
      }
    }
    if (moved <= tolerance) break
  }
  let cost = 0
  for (let begin = 0; begin < rows.count; begin += sides[0][2]) {
    cost += sinkhorn.cost(begin, Math.min(begin + sides[0][2], rows.count))
    if (pacer.due) await pacer.pause(progress(iterations))
  }
  control?.onProgress?.(progress(iterations))
  return cost
}
