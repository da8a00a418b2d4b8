/**
 * Drawing samples: the whole sampler is one kernel that advances a range of samples by a range of plan steps.
 *
 * The host only decides how much one submit does: many steps of all samples where that is quick, else one step
 * of some of the samples. Neither changes a bit of the result, because random numbers are counted by sample
 * and step. Where the samples do not fit one binding, groups of them run the plan one after the other.
 */
import type { Histograms, SampleRequest } from '../../diffusion/backend'
import { samplerEvaluationFlops } from '../../diffusion/flops'
import { embeddingFrequencies } from '../../diffusion/mlp'
import { BufferScope } from '../buffers'
import type { Job } from '../job'
import {
  type BoundSampler,
  SampleKernel,
  maximumSliceSteps,
  packCovariances,
  packPlan,
  posteriorKernelOptions,
} from '../kernels/sample'
import { packWeights } from '../network'
import { Previews, added } from './previews'

/** Sample-steps of the first submit: small enough for the slowest GPU. */
const firstSlice = 2048
/** A submit takes a multiple of this many samples, whole tiles of the kernel. */
const granularity = 64

/** Where the sampler stands: every sample is at `step`, those before `begin` one further. */
export interface SampleCursor {
  step: number
  begin: number
}

/** The next part of the work within `offered` sample-steps; moves the cursor on. */
export function advance(cursor: SampleCursor, offered: number, count: number, steps: number) {
  const { step, begin } = cursor
  if (begin === 0 && offered >= count) {
    const last = Math.min(steps, step + Math.min(maximumSliceSteps, Math.floor(offered / count)))
    cursor.step = last
    return { first: step, last, begin: 0, end: count, units: (last - step) * count }
  }
  const end = Math.min(count, begin + Math.max(granularity, Math.floor(offered / granularity) * granularity))
  cursor.begin = end < count ? end : 0
  if (end === count) cursor.step++
  return { first: step, last: step + 1, begin, end, units: end - begin }
}

function validate({ network, plan, count, mean, observations, posterior }: SampleRequest): void {
  if (plan.length === 0) throw new RangeError('The sampler has no steps.')
  if (mean.length !== network.features) {
    throw new RangeError(`The mean has ${mean.length} features, the network ${network.features}.`)
  }
  if (observations && observations.count !== count) {
    throw new RangeError(`There are ${observations.count} observations for ${count} samples.`)
  }
  if (observations && !posterior) throw new RangeError('Observations need the options of the posterior.')
}

/** The kernel for the request's network and posterior. */
function sampleKernel(job: Job, { network, observations, posterior }: SampleRequest): Promise<SampleKernel> {
  const options =
    observations && posterior ? posteriorKernelOptions(observations.observed, posterior) : undefined
  return job.context.kernel(`sample ${JSON.stringify([network, options])}`, (device) =>
    SampleKernel.create(device, network, options),
  )
}

/** Samples first … first + count - 1 on the device: their state x [count, features] and the sampler bound to it. */
interface Group {
  readonly first: number
  readonly count: number
  readonly state: GPUBuffer
  readonly sampler: BoundSampler
}

function prepareGroup(
  scope: BufferScope,
  kernel: SampleKernel,
  request: SampleRequest,
  first: number,
  count: number,
): Group {
  const { network, weights, plan, observations, posterior } = request
  const { features, embedding } = network
  const covariance = observations && posterior?.covariance
  const part = (label: string, data: Float32Array, width: number): GPUBuffer =>
    scope.upload(label, data.subarray(first * width, (first + count) * width))
  const covX = covariance === 'gaussian' ? posterior?.covX : undefined
  if (covariance === 'gaussian' && !covX) {
    throw new RangeError('The Gaussian covariance needs the covariance of a fit.')
  }
  const state = scope.storage('samples', count * features * 4)
  const buffers = {
    weights: scope.upload('weights', packWeights(network, weights)),
    frequencies: scope.upload('frequencies', Float32Array.from(embeddingFrequencies(embedding))),
    plan: scope.upload('plan', packPlan(plan, covariance)),
    state,
    observations: observations && {
      A: part('A', observations.A, observations.observed * features),
      y: part('y', observations.y, observations.observed),
      covariances: covX && scope.upload('covariances', packCovariances(plan, features, covX)),
    },
  }
  const sampler = kernel.bind(scope, buffers, {
    ...request,
    origin: first,
    sigmaY: observations?.sigmaY,
    // more iterations than rows add nothing but rounding
    solverIterations: Math.min(posterior?.solverIterations ?? 0, observations?.observed ?? 0),
  })
  return { first, count, state, sampler }
}

/** Samples [count, features]. */
export async function sample(job: Job, request: SampleRequest): Promise<Float32Array> {
  validate(request)
  const { network, plan, count, observations, posterior } = request
  const { features } = network
  const result = new Float32Array(count * features)
  if (count === 0) return result
  const kernel = await job.compile(() => sampleKernel(job, request))
  const previews = await Previews.create(job, request)
  const observed = observations?.observed ?? 0
  // a group is what fits one binding: x, A and y of its samples
  const most = Math.floor(job.largestBinding / (4 * features * Math.max(1, observed)))
  const flopsPerUnit = samplerEvaluationFlops(network, observed, observations ? posterior : undefined)
  let earlier: Histograms | undefined

  for (let first = 0; first < count; first += most) {
    const size = Math.min(most, count - first)
    const scope = new BufferScope(job.device, job.context.counters)
    try {
      const group = await job.checked(() => prepareGroup(scope, kernel, request, first, size))
      await runPlan(job, group, plan.length, previews, {
        preview: (histograms) => job.control?.onPreview?.(added(earlier, histograms)),
        progress(units) {
          const done = first * plan.length + units
          const total = count * plan.length
          job.control?.onProgress?.({ stage: 'compute', done, total, flops: done * flopsPerUnit })
        },
      })
      if (previews && first + size < count) {
        const drawn = previews.draw(group.state, size)
        await job.submit((encoder) => drawn.encode(encoder))
        earlier = added(earlier, await drawn.read())
      }
      const data = await job.guard(scope.read(group.state, size * features * 4))
      result.set(new Float32Array(data), first * features)
    } finally {
      scope.destroy()
    }
  }
  return result
}

/** Runs the plan over one group of samples. */
async function runPlan(
  job: Job,
  group: Group,
  steps: number,
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
      const part = advance(cursor, offered, count, steps)
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
