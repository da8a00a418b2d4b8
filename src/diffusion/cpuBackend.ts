/**
 * DiEM on the CPU: the float64 twins behind the same interface as WebGPU, with the same random numbers.
 *
 * Meant for a Web Worker (the `tiny` preset, where there is no WebGPU) and for tests; work is cut into small
 * pieces so that pausing and aborting act within tens of milliseconds.
 */
import { Sinkhorn } from '../math/sinkhorn'
import { iterationAt, settlingIteration, sinkhornStages } from '../math/sinkhornStages'
import type {
  Backend,
  JobControl,
  LogLikelihoods,
  Moments,
  MomentsRequest,
  SampleRequest,
  TransportOptions,
} from './backend'
import { trajectory } from './cpuSampling'
import { train } from './cpuTraining'
import { mixtureMomentFlops } from './flops'
import { histograms } from './histogram'
import { Pacer, pieceSize } from './jobControl'
import { mixtureLogLikelihoods, mixtureMoments, mmpsScore } from './mixture'

export function createCpuBackend(): Backend {
  return {
    adapter: { kind: 'cpu', name: 'TypeScript, float64' },
    lost: new Promise(() => undefined),
    sample,
    trajectory,
    moments,
    logLikelihoods,
    train,
    transport,
    histograms: (samples, features, bins, range) =>
      Promise.resolve(histograms(samples, features, bins, range)),
    destroy: () => undefined,
  }
}

async function sample(request: SampleRequest, control?: JobControl): Promise<Float32Array> {
  return (await trajectory({ ...request, frames: [] }, control)).samples
}

/** Calls `compute` for piece after piece of the points begin ≤ i < end, as float64. */
async function forEachPiece(
  request: MomentsRequest,
  control: JobControl | undefined,
  compute: (part: Parameters<typeof mmpsScore>[0], begin: number) => void,
): Promise<void> {
  const { mixture, observation, covX } = request
  const { features } = mixture
  const count = request.sigma.length
  if (request.xT.length !== count * features) {
    throw new RangeError(`${request.xT.length} numbers are not ${count} points of ${features} features.`)
  }
  if (observation.count !== 1) throw new RangeError('Moments need exactly one observation.')
  const pacer = new Pacer(control)
  await pacer.begin()
  const flopsEach = mixtureMomentFlops(mixture.means.length / features, features)
  const size = pieceSize(flopsEach)
  const shared = {
    mixture,
    A: Float64Array.from(observation.A),
    y: Float64Array.from(observation.y),
    sigmaY: observation.sigmaY,
    covX,
  }
  const progress = (done: number) =>
    ({ stage: 'compute', done, total: count, flops: done * flopsEach }) as const
  for (let begin = 0; begin < count; begin += size) {
    const end = Math.min(begin + size, count)
    const xT = Float64Array.from(request.xT.subarray(begin * features, end * features))
    compute({ ...shared, xT, sigma: Float64Array.from(request.sigma.subarray(begin, end)) }, begin)
    if (pacer.due) await pacer.pause(progress(end))
  }
  control?.onProgress?.(progress(count))
}

async function moments(request: MomentsRequest, control?: JobControl): Promise<Moments> {
  const n = request.mixture.features
  const count = request.sigma.length
  const result = {
    mean: new Float32Array(count * n),
    score: new Float32Array(count * n),
    covariance: new Float32Array(count * n * n),
    mmpsScore: new Float32Array(count * n),
  }
  await forEachPiece(request, control, (part, begin) => {
    const { mean, score, covariance } = mixtureMoments(part.mixture, part.xT, part.sigma)
    result.mean.set(mean, begin * n)
    result.score.set(score, begin * n)
    result.covariance.set(covariance, begin * n * n)
    result.mmpsScore.set(mmpsScore(part), begin * n)
  })
  return result
}

async function logLikelihoods(request: MomentsRequest, control?: JobControl): Promise<LogLikelihoods> {
  const count = request.sigma.length
  const result = {
    exact: new Float32Array(count),
    tweedie: new Float32Array(count),
    zero: new Float32Array(count),
    identity: new Float32Array(count),
    pigdm: new Float32Array(count),
    gaussian: new Float32Array(count),
    tmpd: new Float32Array(count),
  }
  const names = Object.keys(result) as (keyof typeof result)[]
  await forEachPiece(request, control, (part, begin) => {
    const values = mixtureLogLikelihoods(part)
    for (const name of names) result[name].set(values[name], begin)
  })
  return result
}

async function transport(
  u: Float32Array,
  v: Float32Array,
  features: number,
  options: TransportOptions,
  control?: JobControl,
): Promise<number> {
  const { regularization, iterations, tolerance, scaling } = options
  if (!(regularization > 0)) throw new RangeError('The regularisation must be above zero.')
  const stages = sinkhornStages(options)
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
  const iterate = async (k: number) => {
    let moved = 0
    for (const [side, count, size] of sides) {
      for (let begin = 0; begin < count; begin += size) {
        moved = Math.max(moved, sinkhorn.update(side, begin, Math.min(begin + size, count)))
        if (pacer.due) await pacer.pause(progress(k))
      }
    }
    return moved
  }
  for (let k = 0; k < iterations; k++) {
    const iteration = iterationAt(stages, k)
    sinkhorn.begin(iteration)
    const moved = await iterate(k)
    if (iteration.last && moved <= tolerance) break
  }
  if (scaling) {
    sinkhorn.begin(settlingIteration(stages))
    await iterate(iterations)
  }
  let cost = 0
  for (let begin = 0; begin < rows.count; begin += sides[0][2]) {
    const end = Math.min(begin + sides[0][2], rows.count)
    cost += scaling ? sinkhorn.correctedCost(begin, end) : sinkhorn.cost(begin, end)
    if (pacer.due) await pacer.pause(progress(iterations))
  }
  control?.onProgress?.(progress(iterations))
  return cost
}
