/**
 * Training the denoiser: every step is a few dispatches, many steps are one submit, and one number a slice
 * comes back to the host.
 *
 *     denoising_loss → weight_gradient (both once for each part of the batch) → reduce_gradient → adam
 */
import { NonFiniteLossError, type TrainRequest, type TrainResult } from '../../diffusion/backend'
import { trainingStepFlops } from '../../diffusion/flops'
import { embeddingFrequencies } from '../../diffusion/mlp'
import type { BufferScope } from '../buffers'
import type { Job } from '../job'
import { AdamKernel } from '../kernels/adam'
import { DenoisingLossKernel } from '../kernels/denoisingLoss'
import { ReduceGradientKernel, normCount } from '../kernels/reduceGradient'
import { WeightGradientKernel } from '../kernels/weightGradient'
import { type GpuLayout, gpuLayout, packWeights, unpackWeights } from '../network'

const shapeKey = (shape: TrainRequest['network']): string =>
  `${shape.features} ${shape.embedding} ${shape.hidden} ${shape.hiddenLayers}`

/** Kernels of a training step for one shape. */
async function trainingKernels(job: Job, shape: TrainRequest['network']) {
  const { parameterCount } = gpuLayout(shape)
  const { context } = job
  const key = shapeKey(shape)
  const [loss, weightGradient, reduce, adam] = await Promise.all([
    context.kernel(`denoising loss ${key}`, (device) => DenoisingLossKernel.create(device, shape)),
    context.kernel(`weight gradient ${key}`, (device) => WeightGradientKernel.create(device, shape)),
    context.kernel(`reduce gradient ${parameterCount}`, (device) =>
      ReduceGradientKernel.create(device, parameterCount),
    ),
    context.kernel(`adam ${key}`, (device) => AdamKernel.create(device, shape)),
  ])
  return { loss, weightGradient, reduce, adam }
}

/** Bytes of activations and deltas together, whatever the batch is: memory stays bounded, and a GPU has work enough … */
const chunkBytes = 2 ** 26
/** … also of a wide network, of which this many batch elements are a chunk where one binding holds them. */
const chunkElements = 4096

/**
 * Batch elements of a chunk: whole tiles where that is not the batch. Depends on sizes and the device's limits alone, so that
 * results repeat to the bit.
 */
export function batchCapacity(
  largestBinding: number,
  layout: GpuLayout,
  batch: number,
  tileSamples: number,
): number {
  const { activationStride, deltaStride } = layout
  const pays = Math.max(chunkElements, Math.floor(chunkBytes / (4 * (activationStride + deltaStride))))
  const most = Math.min(pays, Math.floor(largestBinding / (4 * Math.max(activationStride, deltaStride))))
  if (batch <= most) return batch
  return Math.max(tileSamples, Math.floor(most / tileSamples) * tileSamples)
}

/** All that the four kernels read and write. */
export function trainingBuffers(
  scope: BufferScope,
  { network, weights, samples, steps }: Pick<TrainRequest, 'network' | 'weights' | 'samples' | 'steps'>,
  sizes: { readonly capacity: number; readonly splits: number; readonly lossPartials: number },
) {
  const { parameterCount, activationStride, deltaStride } = gpuLayout(network)
  const bytes = parameterCount * 4
  const packed = packWeights(network, weights)
  return {
    samples: scope.upload('samples', samples),
    frequencies: scope.upload('frequencies', Float32Array.from(embeddingFrequencies(network.embedding))),
    state: scope.storage('train state', 8),
    weights: scope.upload('weights', packed),
    moments: scope.storage('moments', 2 * bytes),
    average: scope.upload('average', packed.subarray(0, parameterCount)),
    gradient: scope.storage('gradient', bytes),
    norms: scope.storage('norms', normCount(parameterCount) * 4),
    partials: scope.storage('partial gradients', sizes.splits * bytes),
    activations: scope.storage('activations', sizes.capacity * activationStride * 4),
    deltas: scope.storage('deltas', sizes.capacity * deltaStride * 4),
    lossPartials: scope.storage('loss partials', sizes.lossPartials * 4),
    losses: scope.storage('losses', steps * 4),
  }
}

/** Buffers and bind groups of a run, made once; `encodeStep` then only records dispatches. */
function prepare(job: Job, request: TrainRequest, kernels: Awaited<ReturnType<typeof trainingKernels>>) {
  const { scope } = job
  const { network, batch } = request
  const layout = gpuLayout(network)
  const bytes = layout.parameterCount * 4
  const capacity = batchCapacity(job.largestBinding, layout, batch, kernels.loss.tileSamples)
  const splits = Math.min(
    kernels.weightGradient.splits(batch),
    Math.max(1, Math.floor(job.largestBinding / bytes)),
  )
  const chunks = Array.from({ length: Math.ceil(batch / capacity) }, (_, i) => ({
    begin: i * capacity,
    count: Math.min(capacity, batch - i * capacity),
  }))
  const lossPartials = kernels.loss.lossCount(batch)
  const buffers = trainingBuffers(scope, request, { capacity, splits, lossPartials })
  const sampleCount = request.samples.length / network.features
  const settings = { ...request, sampleCount, capacity }
  const lossBuffers = { ...buffers, batch: buffers.state, losses: buffers.lossPartials }
  const dispatches = chunks.flatMap((chunk, i) => {
    const loss = kernels.loss.bind(scope, lossBuffers, settings, chunk)
    const sizes = { capacity, count: chunk.count, splits, accumulate: i > 0 }
    return [loss.encode, kernels.weightGradient.bind(scope, buffers, sizes)]
  })
  dispatches.push(kernels.reduce.bind(scope, buffers, { splits, lossPartials }))
  dispatches.push(kernels.adam.bind(scope, buffers, request))
  return {
    layout,
    buffers,
    encodeStep: (pass: GPUComputePassEncoder) => dispatches.forEach((encode) => encode(pass)),
  }
}

/** Errors: NonFiniteLossError, and those of every job. */
export async function train(job: Job, request: TrainRequest): Promise<TrainResult> {
  const { network, steps, batch, samples } = request
  const { scope, device } = job
  if (samples.length < network.features) throw new RangeError('Training needs at least one sample.')
  job.requireBinding(samples.length / network.features, 4 * network.features, 'training samples')
  job.requireBinding(steps, 4, 'training steps')
  // Adam's two moments are the largest buffer that has to hold all of the network
  job.requireBinding(gpuLayout(network).parameterCount, 8, 'weights of the network')
  const kernels = await job.compile(() => trainingKernels(job, network))
  const { layout, buffers, encodeStep } = await job.checked(() => prepare(job, request, kernels))

  const { state, losses } = buffers
  const flopsPerStep = trainingStepFlops(network, batch)
  const readLosses = async (count: number): Promise<Float32Array> =>
    new Float32Array(await job.guard(scope.read(losses, count * 4)))
  // as many as there are slices in flight, and the one being read
  const stagings = Array.from({ length: 3 }, () => scope.staging('loss of a slice', 4))
  const results: { units: number; sum: number }[] = []
  await job.slices({
    total: steps,
    first: 1,
    most: 512,
    submit(units) {
      const staging = stagings.pop()!
      const finished = job
        .checked(() => {
          const encoder = device.createCommandEncoder({ label: 'training' })
          encoder.clearBuffer(state, 4, 4)
          const pass = encoder.beginComputePass()
          for (let k = 0; k < units; k++) encodeStep(pass)
          pass.end()
          encoder.copyBufferToBuffer(state, 4, staging, 0, 4)
          scope.submit(encoder)
          return scope.mapped(staging)
        })
        .then((data) => {
          stagings.push(staging)
          results.push({ units, sum: new Float32Array(data)[0]! })
        })
      return { units, finished }
    },
    async finished(done) {
      const { units, sum } = results.shift()!
      if (!Number.isFinite(sum)) {
        const step = (await readLosses(done)).findIndex((loss) => !Number.isFinite(loss))
        throw new NonFiniteLossError(step < 0 ? done - 1 : step)
      }
      const flops = done * flopsPerStep
      job.control?.onProgress?.({ stage: 'compute', done, total: steps, flops, loss: sum / units })
    },
  })

  const source = request.averaging > 0 ? buffers.average : buffers.weights
  const packed = new Float32Array(await job.guard(scope.read(source, layout.parameterCount * 4)))
  // the last update's damage shows in no loss any more
  if (!packed.every(Number.isFinite)) throw new NonFiniteLossError(Math.max(0, steps - 1))
  return {
    weights: unpackWeights(network, packed),
    losses: steps > 0 ? await readLosses(steps) : new Float32Array(0),
  }
}
