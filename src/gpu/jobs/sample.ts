/**
 * Drawing samples: the whole sampler is one kernel that advances a range of samples by a range of plan steps.
 *
 * The host only decides how much one submit does: many steps of all samples where that is quick, else one step
 * of some of the samples. Neither changes a bit of the result, because random numbers are counted by sample
 * and step. Groups of samples run the plan one after the other where all of them do not fit one binding, would
 * take more memory than they gain, or where the device has no room for as many.
 */
import {
  DeviceLimitError,
  type Histograms,
  type SampleRequest,
  type Trajectory,
  type TrajectoryRequest,
} from '../../diffusion/backend'
import { priorEvaluationFlops } from '../../diffusion/flops'
import { featuresOf } from '../../diffusion/types'
import { BufferScope } from '../buffers'
import type { Job } from '../job'
import { priorShape } from '../kernels/denoiserModule'
import { packCovariances, packPlan, posteriorKernelOptions } from '../kernels/posteriorPlan'
import { type BoundSampler, SampleKernel } from '../kernels/sample'
import { groupBytes, inGroups } from './groups'
import { Previews, added } from './previews'
import { requireMixture } from './requirements'
import { twistedSample } from './twistedSample'

/** Sample-steps of the first submit of a network: small enough for the slowest GPU. */
const networkSlice = 2048
/** Operations of the first submit of a mixture, likewise. */
const mixtureSliceFlops = 2 ** 26
/** A submit takes a multiple of this many samples, whole tiles of the kernel. */
const granularity = 64
/** A group has this many samples where one binding holds them, so that frames do not leave a large GPU idle. */
const groupSamples = 16384

/** Where the sampler stands: every sample is at `step`, those before `begin` one further. */
export interface SampleCursor {
  step: number
  begin: number
}

/**
 * The next part of the work within `offered` sample-steps and `most` plan steps; moves the cursor on. Parts of one step are
 * about equal, so that none is a remainder too small to time or to fill the GPU.
 */
export function advance(
  cursor: SampleCursor,
  offered: number,
  count: number,
  steps: number,
  most = Infinity,
) {
  const { step, begin } = cursor
  if (begin === 0 && offered >= count) {
    const last = Math.min(steps, step + Math.min(most, Math.floor(offered / count)))
    cursor.step = last
    return { first: step, last, begin: 0, end: count, units: (last - step) * count }
  }
  const affordable = Math.max(granularity, Math.floor(offered / granularity) * granularity)
  const left = count - begin
  const share = left / Math.ceil(left / affordable)
  const end = Math.min(count, begin + Math.ceil(share / granularity) * granularity)
  cursor.begin = end < count ? end : 0
  if (end === count) cursor.step++
  return { first: step, last: step + 1, begin, end, units: end - begin }
}

function validate({ prior, plan, count, mean, observations, posterior, frames }: TrajectoryRequest): void {
  const features = featuresOf(prior)
  if (plan.length === 0) throw new RangeError('The sampler has no steps.')
  if (mean.length !== features) {
    throw new RangeError(`The mean has ${mean.length} features, the prior ${features}.`)
  }
  if (observations && observations.count !== count && observations.count !== 1) {
    throw new RangeError(`There are ${observations.count} observations for ${count} samples.`)
  }
  if (observations && !posterior) throw new RangeError('Observations need the options of the posterior.')
  if (frames.some((step, i) => !(step in plan) || (i > 0 && step <= frames[i - 1]!))) {
    throw new RangeError(`Frames are steps of the plan, ascending, from 0 to ${plan.length - 1}.`)
  }
  if (prior.kind === 'mixture') requireMixture(prior.mixture)
}

/** The kernel for the request's prior and posterior, whatever numbers they have. */
function sampleKernel(job: Job, { prior, observations, posterior }: SampleRequest): Promise<SampleKernel> {
  const shape = priorShape(prior)
  const options =
    observations && posterior ? posteriorKernelOptions(observations.observed, posterior) : undefined
  return job.context.kernel(`sample ${JSON.stringify([shape, options])}`, (device) =>
    SampleKernel.create(device, shape, options),
  )
}

/** Samples first … first + count - 1 on the device, and the sampler bound to them. */
interface Group {
  readonly first: number
  readonly count: number
  /** x, then the frames, [1 + frames, count, features]. */
  readonly state: GPUBuffer
  readonly sampler: BoundSampler
}

/** What all groups have in common, packed for the kernel. */
interface PackedPlan {
  readonly steps: Float32Array
  readonly covariances: Float32Array | undefined
}

function packedPlan({ prior, plan, observations, posterior, frames }: TrajectoryRequest): PackedPlan {
  const conditional = observations && posterior
  return {
    steps: packPlan(plan, conditional, frames),
    covariances: conditional && packCovariances(plan, featuresOf(prior), conditional),
  }
}

function prepareGroup(
  scope: BufferScope,
  kernel: SampleKernel,
  request: TrajectoryRequest,
  { steps, covariances }: PackedPlan,
  first: number,
  count: number,
): Group {
  const { prior, observations, posterior, frames } = request
  const features = featuresOf(prior)
  const shared = observations?.count === 1
  const part = (label: string, data: Float32Array, width: number): GPUBuffer =>
    scope.upload(label, shared ? data : data.subarray(first * width, (first + count) * width))
  const state = scope.storage('samples', (1 + frames.length) * count * features * 4)
  const buffers = {
    plan: scope.upload('plan', steps),
    state,
    observations: observations && {
      A: part('A', observations.A, observations.observed * features),
      y: part('y', observations.y, observations.observed),
      covariances: covariances && scope.upload('covariances', covariances),
    },
  }
  const sampler = kernel.bind(scope, prior, buffers, {
    ...request,
    count,
    origin: first,
    sigmaY: observations?.sigmaY,
    sharedObservation: shared,
    // more iterations than rows add nothing but rounding
    solverIterations: Math.min(posterior?.solverIterations ?? 0, observations?.observed ?? 0),
  })
  return { first, count, state, sampler }
}

/**
 * Samples of a group, by its largest buffer: its state, or its observations. Errors: DeviceLimitError where not even one
 * sample's frames, or the means of a mixture, fit one binding.
 */
function groupSize(job: Job, { prior, observations, frames }: TrajectoryRequest): number {
  const features = featuresOf(prior)
  const rows = observations && observations.count !== 1 ? observations.observed : 1
  job.requireBinding(1 + frames.length, 4 * features, 'frames of a sample, the result among them,')
  if (prior.kind === 'mixture') {
    job.requireBinding(prior.mixture.means.length / features, 4 * features, 'components')
  }
  const bytesEach = 4 * features * Math.max(rows, 1 + frames.length)
  const fit = (bytes: number) => Math.floor(bytes / bytesEach)
  return Math.min(fit(job.largestBinding), Math.max(fit(groupBytes), groupSamples))
}

/** Room on the host for all samples and frames. Errors: DeviceLimitError saying how many frames would fit. */
function allocate(count: number, features: number, frames: number) {
  const room = (kept: number) => new Float32Array(kept * count * features)
  try {
    return { samples: room(1), kept: room(frames) }
  } catch (cause) {
    let fewer = frames
    while (fewer > 0) {
      fewer = Math.floor(fewer / 2)
      try {
        room(fewer)
        break
      } catch {
        // half as many, then
      }
    }
    throw new DeviceLimitError(
      `${frames} frames of ${count} samples do not fit into this program's memory; ${fewer} would.`,
      { cause },
    )
  }
}

/** Samples and asked frames. Errors: RangeError where the request does not fit together, DeviceLimitError. */
export async function trajectory(job: Job, request: TrajectoryRequest): Promise<Trajectory> {
  if (request.observations && request.posterior?.method === 'tds') {
    if (request.prior.kind === 'mlp') throw new RangeError('TDS on the GPU takes the mixture prior only.')
    return twistedSample(job, request)
  }
  validate(request)
  const { prior, plan, count, observations, posterior, frames } = request
  const features = featuresOf(prior)
  const { samples, kept } = allocate(count, features, frames.length)
  if (count === 0) return { samples, frames: kept }
  const most = groupSize(job, request)
  const packed = packedPlan(request)
  const widest = Math.max(packed.steps.byteLength, packed.covariances?.byteLength ?? 0)
  job.requireBinding(plan.length, widest / plan.length, 'steps of the plan')
  const kernel = await job.compile(() => sampleKernel(job, request))
  const previews = await Previews.create(job, request)
  const flopsPerUnit = priorEvaluationFlops(
    prior,
    observations?.observed ?? 0,
    observations ? posterior : undefined,
  )
  const firstSlice = prior.kind === 'mlp' ? networkSlice : Math.ceil(mixtureSliceFlops / flopsPerUnit)
  let earlier: Histograms | undefined

  // random numbers go by sample, so that the size of a group changes no bit
  await inGroups(count, most, granularity, async (first, size) => {
    const scope = new BufferScope(job.device, job.context.counters)
    try {
      const group = await job.checked(() => prepareGroup(scope, kernel, request, packed, first, size))
      await runPlan(job, group, plan.length, firstSlice, previews, {
        preview: (histograms) => job.control?.onPreview?.(added(earlier, histograms)),
        progress(units) {
          const done = first * plan.length + units
          const total = count * plan.length
          job.control?.onProgress?.({ stage: 'compute', done, total, flops: done * flopsPerUnit })
        },
      })
      const length = size * features
      const data = await job.read(group.state, (1 + frames.length) * length * 4)
      samples.set(new Float32Array(data, 0, length), first * features)
      for (let f = 0; f < frames.length; f++) {
        kept.set(new Float32Array(data, 4 * (1 + f) * length, length), (f * count + first) * features)
      }
      if (previews && first + size < count) {
        const drawn = previews.draw(group.state, size)
        await job.submit((encoder) => drawn.encode(encoder))
        earlier = added(earlier, await drawn.read())
      }
    } finally {
      scope.destroy()
    }
  })
  return { samples, frames: kept }
}

/** Samples [count, features]. Errors: as `trajectory`. */
export async function sample(job: Job, request: SampleRequest): Promise<Float32Array> {
  return (await trajectory(job, { ...request, frames: [] })).samples
}

/** Runs the plan over one group of samples. */
async function runPlan(
  job: Job,
  group: Group,
  steps: number,
  firstSlice: number,
  previews: Previews | undefined,
  report: { preview(histograms: Histograms): void; progress(units: number): void },
): Promise<void> {
  const { first, count } = group
  const cursor: SampleCursor = { step: 0, begin: 0 }
  let reading: Promise<void> | undefined
  await job.slices({
    total: count * steps,
    first: firstSlice,
    submit(offered) {
      const part = advance(cursor, offered, count, steps, group.sampler.steps)
      // before the first step is through, some samples have not even started
      const drawn = previews?.due && cursor.step > 0 ? previews.draw(group.state, count) : undefined
      const finished = job.submit((encoder) => {
        const pass = encoder.beginComputePass()
        group.sampler.encode(pass, {
          begin: first + part.begin,
          end: first + part.end,
          first: part.first,
          last: part.last,
          start: part.first === 0,
        })
        pass.end()
        drawn?.encode(encoder)
      })
      if (drawn) {
        reading = finished.then(() => drawn.read()).then((histograms) => report.preview(histograms))
        reading.catch(() => undefined) // awaited below
      }
      return { units: part.units, finished }
    },
    finished: (done) => report.progress(done),
  })
  await reading
}
