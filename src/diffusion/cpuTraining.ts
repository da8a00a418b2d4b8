/**
 * The M step on the CPU: Adam on the denoising loss (adam.ts, mlpDenoiser.ts), batches drawn with the kernels' random
 * numbers, in pieces between which the job can be paused or aborted.
 */
import { betaFromUniforms, DOMAIN, RandomStream, uniformIndex } from '../math/philox'
import { Adam, averagingDecayAt, clipToNorm, learningRateAt } from './adam'
import { NonFiniteLossError, type JobControl, type TrainRequest, type TrainResult } from './backend'
import { forwardFlops, trainingStepFlops } from './flops'
import { Pacer, pieceSize } from './jobControl'
import { MlpDenoiser } from './mlpDenoiser'
import { logLinearSchedule } from './schedule'

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

/** One M step. Errors: as `Backend.train`. */
export async function train(request: TrainRequest, control?: JobControl): Promise<TrainResult> {
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
