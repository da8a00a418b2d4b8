/**
 * This project's kernels one by one: time, GFLOP/s and share of the adapter's FMA ceiling; bytes that a kernel must move
 * at least, and their share of the copy ceiling.
 *
 * A kernel runs alone, many times in one compute pass; the time is the pass's, by timestamps where the device has them,
 * else the submit's on the clock. Of a batch that is trained in chunks, one chunk is measured.
 */
import type { Ceilings } from './ceilings'
import { type Inputs, OBSERVED, createInputs, training } from './cases'
import { stepFlops } from './measure'
import { bindForward, bindMmps, createMmpsKernel } from './ownKernels'
import { type TimePass, shortest, wallTimer } from './timing'
import { forwardFlops } from '../src/diffusion/flops'
import type { NetworkShape } from '../src/diffusion/types'
import { BufferScope, createCounters } from '../src/gpu/buffers'
import { openDevice } from '../src/gpu/device'
import type { Encode } from '../src/gpu/dispatch'
import { largestBinding } from '../src/gpu/job'
import { batchCapacity, trainingBuffers } from '../src/gpu/jobs/train'
import { AdamKernel } from '../src/gpu/kernels/adam'
import { DenoiserForwardKernel } from '../src/gpu/kernels/denoiserForward'
import { DenoisingLossKernel } from '../src/gpu/kernels/denoisingLoss'
import { ReduceGradientKernel } from '../src/gpu/kernels/reduceGradient'
import { WeightGradientKernel } from '../src/gpu/kernels/weightGradient'
import { gpuLayout } from '../src/gpu/network'

export interface KernelShare {
  readonly kernel: string
  /** Batch elements that it worked on. */
  readonly batch: number
  readonly milliseconds: number
  readonly gigaflops: number
  readonly shareOfFma: number
  /** Of what it must read and write of buffers that grow with the batch or hold parameters, each once. */
  readonly gigabytesPerSecond: number
  readonly shareOfCopy: number
}

/** One kernel at work on its buffers. */
interface Work {
  readonly kernel: string
  readonly batch: number
  readonly flops: number
  readonly bytes: number
  readonly encode: Encode
}

/** `gpu`, whose devices can time passes where their adapter can. */
function withTimestamps(gpu: GPU): GPU {
  const requestAdapter: GPU['requestAdapter'] = async (options) => {
    const adapter = await gpu.requestAdapter(options)
    if (!adapter?.features.has('timestamp-query')) return adapter
    const requestDevice: GPUAdapter['requestDevice'] = (descriptor) =>
      Reflect.apply(Object.getPrototypeOf(adapter).requestDevice as GPUAdapter['requestDevice'], adapter, [
        { ...descriptor, requiredFeatures: [...(descriptor?.requiredFeatures ?? []), 'timestamp-query'] },
      ])
    return Object.defineProperty(adapter, 'requestDevice', { value: requestDevice })
  }
  return { requestAdapter } as GPU
}

/** By timestamps where the device has them. */
function passTimer(device: GPUDevice, scope: BufferScope): TimePass {
  const wall = wallTimer(device)
  if (!device.features.has('timestamp-query')) return wall
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 })
  const times = scope.storage('times', 16)
  const { QUERY_RESOLVE, COPY_SRC } = GPUBufferUsage
  const resolved = device.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SRC })
  return async (encode) => {
    const encoder = device.createCommandEncoder()
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 }
    const pass = encoder.beginComputePass({ timestampWrites })
    encode(pass)
    pass.end()
    encoder.resolveQuerySet(querySet, 0, 2, resolved, 0)
    encoder.copyBufferToBuffer(resolved, 0, times, 0, 16)
    const start = performance.now()
    scope.submit(encoder)
    await device.queue.onSubmittedWorkDone()
    const milliseconds = performance.now() - start
    const [begin, end] = new BigUint64Array(await scope.read(times, 16))
    // some drivers reset their clock
    return end! > begin! ? Number(end! - begin!) / 1e6 : milliseconds
  }
}

/** Measures each kernel at a batch. Errors: those of the kernels. */
export async function measureKernels(
  gpu: GPU,
  network: NetworkShape,
  batch: number,
  ceilings: Ceilings,
): Promise<KernelShare[]> {
  const { device } = await openDevice(withTimestamps(gpu))
  const scope = new BufferScope(device, createCounters())
  try {
    const time = passTimer(device, scope)
    const shares: KernelShare[] = []
    for (const work of await prepareKernels(device, scope, network, batch)) {
      const milliseconds = await shortest(time, work.encode)
      const gigaflops = work.flops / milliseconds / 1e6
      const gigabytesPerSecond = work.bytes / milliseconds / 1e6
      shares.push({
        kernel: work.kernel,
        batch: work.batch,
        milliseconds,
        gigaflops,
        shareOfFma: gigaflops / ceilings.gigaflops,
        gigabytesPerSecond,
        shareOfCopy: gigabytesPerSecond / ceilings.gigabytesPerSecond,
      })
    }
    return shares
  } finally {
    scope.destroy()
    device.destroy()
  }
}

async function prepareKernels(
  device: GPUDevice,
  scope: BufferScope,
  network: NetworkShape,
  batch: number,
): Promise<Work[]> {
  const inputs = createInputs(network, batch)
  const { features } = network
  const weightBytes = gpuLayout(network).weightCount * 4
  const forward = await DenoiserForwardKernel.create(device, network)
  const works: Work[] = [
    {
      kernel: 'denoiser_forward',
      batch,
      flops: stepFlops('forward', network, batch),
      bytes: weightBytes + batch * (2 * features + 1) * 4,
      encode: bindForward(scope, forward, inputs).encode,
    },
    ...(await trainingKernels(device, scope, network, batch, inputs)),
  ]
  for (const solver of ['cg', 'exact'] as const) {
    const name = `mmps-${solver}` as const
    const kernel = await createMmpsKernel(device, network, name)
    const { sampler } = bindMmps(scope, kernel, name, inputs, 1)
    works.push({
      kernel: `sample, ${name}`,
      batch,
      flops: stepFlops(name, network, batch),
      bytes: weightBytes + batch * (2 * features + OBSERVED * (features + 1)) * 4,
      encode: (pass) => sampler.encode(pass, { begin: 0, end: batch, first: 0, last: 1, start: false }),
    })
  }
  return works
}

/** The four kernels of a training step, at one chunk of the batch. */
async function trainingKernels(
  device: GPUDevice,
  scope: BufferScope,
  network: NetworkShape,
  batch: number,
  { samples, weights }: Inputs,
): Promise<Work[]> {
  const layout = gpuLayout(network)
  const [loss, weightGradient, reduce, adam] = await Promise.all([
    DenoisingLossKernel.create(device, network),
    WeightGradientKernel.create(device, network),
    ReduceGradientKernel.create(device, layout.parameterCount),
    AdamKernel.create(device, network),
  ])
  const count = batchCapacity(largestBinding(device), layout, batch, loss.tileSamples)
  const parameterBytes = layout.parameterCount * 4
  const splits = weightGradient.splits(count)
  const lossPartials = loss.lossCount(count)
  const request = { network, weights, samples, steps: 1 }
  const buffers = trainingBuffers(scope, request, { capacity: count, splits, lossPartials })
  const settings = {
    ...training,
    sampleCount: samples.length / network.features,
    capacity: count,
    batch: count,
  }
  const sizes = { capacity: count, count, splits, accumulate: false }
  const adamOptions = {
    ...training,
    steps: 1,
    learningRate: { start: training.learningRate, end: training.learningRate },
    averaging: 0,
  }
  const lossBuffers = { ...buffers, batch: buffers.state, losses: buffers.lossPartials }
  const rowBytes = count * (layout.activationStride + layout.deltaStride) * 4
  return [
    {
      kernel: 'denoising_loss',
      batch: count,
      // the derivative goes back to the first layer's output
      flops: 2 * count * forwardFlops(network),
      bytes: buffers.weights.size + rowBytes,
      encode: loss.bind(scope, lossBuffers, settings).encode,
    },
    {
      kernel: 'weight_gradient',
      batch: count,
      flops: count * forwardFlops(network),
      bytes: rowBytes + splits * parameterBytes,
      encode: weightGradient.bind(scope, buffers, sizes),
    },
    {
      kernel: 'reduce_gradient',
      batch: count,
      flops: splits * layout.parameterCount,
      bytes: (splits + 1) * parameterBytes,
      encode: reduce.bind(scope, buffers, { splits, lossPartials }),
    },
    {
      kernel: 'adam',
      batch: count,
      // per parameter: two moments, two corrections, a root, a quotient
      flops: 12 * layout.parameterCount,
      // gradient, moments twice, weights twice, average, transposed copies
      bytes: 7 * parameterBytes + (layout.weightCount - layout.parameterCount) * 4,
      encode: adam.bind(scope, buffers, adamOptions),
    },
  ]
}
