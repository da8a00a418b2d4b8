/**
 * Denoising loss of a training batch, with the layers' inputs and deltas for the weight gradient.
 * Kernel: shaders/denoising_loss.wgsl; twin: src/diffusion/mlpDenoiser.ts.
 */
import kernelSource from '../../../shaders/denoising_loss.wgsl?raw'
import denoiserSource from '../../../shaders/shared/denoiser.wgsl?raw'
import drawnBatchSource from '../../../shaders/shared/drawn_batch.wgsl?raw'
import givenBatchSource from '../../../shaders/shared/given_batch.wgsl?raw'
import embeddedInputsSource from '../../../shaders/shared/embedded_inputs.wgsl?raw'
import networkSource from '../../../shaders/shared/network.wgsl?raw'
import randomSource from '../../../shaders/shared/random.wgsl?raw'
import sincosSource from '../../../shaders/shared/sincos.wgsl?raw'
import type { NetworkShape } from '../../diffusion/types'
import type { BufferScope } from '../buffers'
import { type ComputeKernel, composeShader, createComputeKernel } from '../compile'
import { type Encode, boundDispatch } from '../dispatch'
import { chooseTile, networkConstants } from '../tile'

export interface DenoisingLossBuffers {
  /** Packed by `packWeights`. */
  readonly weights: GPUBuffer
  /** `embeddingFrequencies` in float32, [embedding / 2]. */
  readonly frequencies: GPUBuffer
  /** Clean samples, [sampleCount, features]; of a given batch its x, [batch, features]. */
  readonly samples: GPUBuffer
  /** u32 words, the first is the training step k; of a given batch z and t, [batch, features + 1]. */
  readonly batch: GPUBuffer
  /** [capacity · activationStride] of `gpuLayout`, written. */
  readonly activations: GPUBuffer
  /** [capacity · deltaStride] of `gpuLayout`, written. */
  readonly deltas: GPUBuffer
  /** Sums that add up to the mean loss, one a tile, written. */
  readonly losses: GPUBuffer
}

/** What stays the same through a training. */
export interface DenoisingLossSettings {
  readonly seed: number
  readonly stream: number
  readonly sampleCount: number
  readonly sigmaMin: number
  readonly sigmaMax: number
  /** t ~ Beta(alpha, beta), integers with alpha + beta - 1 ≤ 15; unused for a given batch. */
  readonly time: { readonly alpha: number; readonly beta: number }
  /** Batch elements that activations and deltas have room for. */
  readonly capacity: number
  /** Elements of the whole batch: the mean's denominator. */
  readonly batch: number
}

/** Elements begin … begin + count - 1 of the batch; `begin` a multiple of `tileSamples`. */
export interface BatchChunk {
  readonly begin: number
  readonly count: number
}

/** The kernel bound to a training's buffers and one chunk of the batch; can be encoded any number of times. */
export interface BoundDenoisingLoss {
  readonly encode: Encode
}

export class DenoisingLossKernel {
  private constructor(
    private readonly kernel: ComputeKernel,
    /** Samples a workgroup owns. */
    readonly tileSamples: number,
  ) {}

  /**
   * `given`: the batch is given (x, z, t) instead of drawn. Errors: RangeError, DeviceLimitError (see `chooseTile`).
   */
  static async create(device: GPUDevice, shape: NetworkShape, given = false): Promise<DenoisingLossKernel> {
    const tile = chooseTile(shape, device.limits)
    const code = composeShader(networkConstants(shape, tile), [
      sincosSource,
      randomSource,
      networkSource,
      denoiserSource,
      embeddedInputsSource,
      given ? givenBatchSource : drawnBatchSource,
      kernelSource,
    ])
    const label = 'denoising loss'
    const kernel = await createComputeKernel(device, { label, code, entryPoint: 'denoising_loss' })
    return new DenoisingLossKernel(kernel, tile.samples)
  }

  /** Length of `losses` for a batch. */
  lossCount(batch: number): number {
    return Math.ceil(batch / this.tileSamples)
  }

  /** Errors: RangeError for a chunk that exceeds the capacity or does not begin with a tile, or a Beta out of range. */
  bind(
    scope: BufferScope,
    buffers: DenoisingLossBuffers,
    settings: DenoisingLossSettings,
    chunk: BatchChunk = { begin: 0, count: settings.batch },
  ): BoundDenoisingLoss {
    const { seed, stream, sampleCount, sigmaMin, sigmaMax, capacity, batch } = settings
    const { alpha, beta } = settings.time
    if (chunk.count > capacity || chunk.begin % this.tileSamples !== 0) {
      throw new RangeError(
        `A chunk must begin at a multiple of ${this.tileSamples} and hold at most ${capacity} elements.`,
      )
    }
    if (!Number.isInteger(alpha) || !Number.isInteger(beta) || alpha < 1 || beta < 1 || alpha + beta > 16) {
      throw new RangeError(
        `Beta(${alpha}, ${beta}) is not supported: integers from 1 on, at most 16 together.`,
      )
    }
    const parameters = scope.uniform('denoising loss parameters', [
      chunk.begin,
      chunk.count,
      batch,
      capacity,
      seed,
      stream,
      sampleCount,
      alpha,
      beta,
      { f32: Math.log(sigmaMin) },
      { f32: Math.log(sigmaMax) },
      chunk.begin / this.tileSamples,
    ])
    const { weights, frequencies, samples, activations, deltas, losses } = buffers
    const resources = [parameters, weights, frequencies, samples, buffers.batch, activations, deltas, losses]
    const tiles = Math.ceil(chunk.count / this.tileSamples)
    return { encode: boundDispatch(scope, this.kernel, resources, tiles) }
  }
}
