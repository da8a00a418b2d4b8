/**
 * This project's kernels one by one: time, GFLOP/s and share of the adapter's FMA ceiling; bytes that a kernel must move
 * at least, and their share of the copy ceiling.
 *
 * A kernel runs alone, many times in one compute pass; the time is the pass's, by timestamps where the device has them,
 * else the submit's on the clock. Only one chunk of a batch is measured where its activations exceed a binding.
 */
import { CG_ITERATIONS } from './peer'
import type { Ceilings } from './ceilings'
import { NEXT_SIGMA, OBSERVED, SIGMA_Y, STEP_SIGMA, createInputs, training } from './cases'
import { stepFlops } from './measure'
import { forwardFlops } from '../src/diffusion/flops'
import { embeddingFrequencies } from '../src/diffusion/mlp'
import { ddimStep } from '../src/diffusion/samplers/ddim'
import type { NetworkShape, PosteriorOptions } from '../src/diffusion/types'
import { BufferScope, createCounters } from '../src/gpu/buffers'
import { openDevice } from '../src/gpu/device'
import type { Encode } from '../src/gpu/dispatch'
import { AdamKernel } from '../src/gpu/kernels/adam'
import { DenoiserForwardKernel } from '../src/gpu/kernels/denoiserForward'
import { DenoisingLossKernel } from '../src/gpu/kernels/denoisingLoss'
import { packPlan, posteriorKernelOptions } from '../src/gpu/kernels/posteriorPlan'
import { ReduceGradientKernel, normCount } from '../src/gpu/kernels/reduceGradient'
import { SampleKernel } from '../src/gpu/kernels/sample'
import { WeightGradientKernel } from '../src/gpu/kernels/weightGradient'
import { gpuLayout, packWeights } from '../src/gpu/network'

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
        { ...descriptor, requiredFeatures: ['timestamp-query'] },
      ])
    return Object.defineProperty(adapter, 'requestDevice', { value: requestDevice })
  }
  return { requestAdapter } as GPU
}

/** Milliseconds of a pass. */
type TimePass = (encode: Encode) => Promise<number>

function passTimer(device: GPUDevice, scope: BufferScope): TimePass {
  const hasTimestamps = device.features.has('timestamp-query')
  const querySet = hasTimestamps ? device.createQuerySet({ type: 'timestamp', count: 2 }) : undefined
  const times = scope.storage('times', 16)
  const { QUERY_RESOLVE, COPY_SRC } = GPUBufferUsage
  const resolved = device.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SRC })
  return async (encode) => {
    const encoder = device.createCommandEncoder()
    const timestampWrites = querySet && { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 }
    const pass = encoder.beginComputePass(timestampWrites && { timestampWrites })
    encode(pass)
    pass.end()
    if (querySet) {
      encoder.resolveQuerySet(querySet, 0, 2, resolved, 0)
      encoder.copyBufferToBuffer(resolved, 0, times, 0, 16)
    }
    const start = performance.now()
    scope.submit(encoder)
    await device.queue.onSubmittedWorkDone()
    const milliseconds = performance.now() - start
    if (!querySet) return milliseconds
    const [begin, end] = new BigUint64Array(await scope.read(times, 16))
    // some drivers reset their clock
    return end! > begin! ? Number(end! - begin!) / 1e6 : milliseconds
  }
}

const PASS_MILLISECONDS = 60
const MEASUREMENTS = 5

/** Shortest milliseconds of one dispatch, over passes of as many as last long enough. */
async function shortest(time: TimePass, encode: Encode): Promise<number> {
  const many = (repetitions: number): Promise<number> =>
    time((pass) => {
      for (let i = 0; i < repetitions; i++) encode(pass)
    })
  await many(1)
  const once = await many(1)
  const repetitions = Math.min(1000, Math.max(1, Math.round(PASS_MILLISECONDS / once)))
  let least = Infinity
  for (let i = 0; i < MEASUREMENTS; i++) least = Math.min(least, (await many(repetitions)) / repetitions)
  return least
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
  const frequencies = scope.upload('frequencies', Float32Array.from(embeddingFrequencies(network.embedding)))
  const weights = scope.upload('weights', packWeights(network, inputs.weights))
  const weightBytes = weights.size
  const forward = await DenoiserForwardKernel.create(device, network)
  const forwardBuffers = {
    weights,
    frequencies,
    xT: scope.upload('x_t', inputs.xT),
    sigma: scope.upload('sigma', inputs.sigma),
    denoised: scope.storage('denoised', batch * features * 4),
  }
  const works: Work[] = [
    {
      kernel: 'denoiser_forward',
      batch,
      flops: stepFlops('forward', network, batch),
      bytes: weightBytes + batch * (2 * features + 1) * 4,
      encode: (pass) => forward.encode(pass, scope, forwardBuffers, batch),
    },
    ...(await trainingKernels(device, scope, network, batch, { frequencies, samples: inputs.samples })),
  ]
  for (const solver of ['cg', 'exact'] as const) {
    const posterior: PosteriorOptions = {
      covariance: 'tweedie',
      solver,
      solverIterations: CG_ITERATIONS,
      safeguard: 'none',
    }
    const options = posteriorKernelOptions(OBSERVED, posterior)
    const kernel = await SampleKernel.create(device, { kind: 'mlp', network }, options)
    const sampler = kernel.bind(
      scope,
      { kind: 'mlp', network, weights: inputs.weights },
      {
        plan: scope.upload('plan', packPlan([ddimStep(STEP_SIGMA, NEXT_SIGMA, 0)], posterior)),
        state: scope.upload('samples', inputs.stepX),
        observations: { A: scope.upload('A', inputs.A), y: scope.upload('y', inputs.y) },
      },
      {
        count: batch,
        seed: 0,
        stream: 0,
        mean: new Float64Array(features),
        startSigma: 1,
        sigmaY: SIGMA_Y,
        solverIterations: CG_ITERATIONS,
      },
    )
    const name = `mmps-${solver}` as const
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

/** The four kernels of a training step, at the part of the batch that fits a binding. */
async function trainingKernels(
  device: GPUDevice,
  scope: BufferScope,
  network: NetworkShape,
  batch: number,
  given: { readonly frequencies: GPUBuffer; readonly samples: Float32Array },
): Promise<Work[]> {
  const layout = gpuLayout(network)
  const [loss, weightGradient, reduce, adam] = await Promise.all([
    DenoisingLossKernel.create(device, network),
    WeightGradientKernel.create(device, network),
    ReduceGradientKernel.create(device, layout.parameterCount),
    AdamKernel.create(device, network),
  ])
  const bytesEach = 4 * Math.max(layout.activationStride, layout.deltaStride)
  const largest = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize)
  const most = Math.floor(largest / bytesEach / loss.tileSamples) * loss.tileSamples
  const count = Math.min(batch, most)
  const parameterBytes = layout.parameterCount * 4
  const splits = weightGradient.splits(count)
  const { weights } = createInputs(network, 1)
  const packed = packWeights(network, weights)
  const buffers = {
    frequencies: given.frequencies,
    samples: scope.upload('samples', given.samples),
    state: scope.storage('train state', 8),
    weights: scope.upload('trained weights', packed),
    moments: scope.storage('moments', 2 * parameterBytes),
    average: scope.upload('average', packed.subarray(0, layout.parameterCount)),
    gradient: scope.storage('gradient', parameterBytes),
    norms: scope.storage('norms', normCount(layout.parameterCount) * 4),
    partials: scope.storage('partial gradients', splits * parameterBytes),
    activations: scope.storage('activations', count * layout.activationStride * 4),
    deltas: scope.storage('deltas', count * layout.deltaStride * 4),
    lossPartials: scope.storage('loss partials', loss.lossCount(count) * 4),
    losses: scope.storage('losses', 4),
  }
  const settings = {
    ...training,
    sampleCount: given.samples.length / network.features,
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
      encode: reduce.bind(scope, buffers, { splits, lossPartials: loss.lossCount(count) }),
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
