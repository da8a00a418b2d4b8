/**
 * The denoiser d(x_t, sigma) of a batch on the GPU.
 * Kernel: shaders/denoiser_forward.wgsl; twin: src/diffusion/mlpDenoiser.ts.
 */
import kernelSource from '../../../shaders/denoiser_forward.wgsl?raw'
import denoisedBatchSource from '../../../shaders/shared/denoised_batch.wgsl?raw'
import denoiserSource from '../../../shaders/shared/denoiser.wgsl?raw'
import embeddedInputsSource from '../../../shaders/shared/embedded_inputs.wgsl?raw'
import networkSource from '../../../shaders/shared/network.wgsl?raw'
import sincosSource from '../../../shaders/shared/sincos.wgsl?raw'
import type { NetworkShape } from '../../diffusion/types'
import type { BufferScope } from '../buffers'
import { type ComputeKernel, composeShader, createComputeKernel } from '../compile'
import { type Encode, boundDispatch } from '../dispatch'
import { chooseTile, networkConstants } from '../tile'

export interface DenoiserForwardBuffers {
  /** Packed by `packWeights`. */
  readonly weights: GPUBuffer
  /** `embeddingFrequencies` in float32, [embedding / 2]. */
  readonly frequencies: GPUBuffer
  /** [count, features]. */
  readonly xT: GPUBuffer
  /** [count]. */
  readonly sigma: GPUBuffer
  /** d(x_t, sigma), [count, features], written. */
  readonly denoised: GPUBuffer
}

/** Compiles a kernel that evaluates the denoiser at x_t, sigma, and says how many samples a workgroup takes. */
export async function createDenoiserKernel(
  device: GPUDevice,
  shape: NetworkShape,
  entryPoint: string,
  source: string,
  constants: Readonly<Record<string, boolean>> = {},
): Promise<{ kernel: ComputeKernel; tileSamples: number }> {
  const tile = chooseTile(shape, device.limits)
  const code = composeShader({ ...networkConstants(shape, tile), ...constants }, [
    sincosSource,
    networkSource,
    denoiserSource,
    embeddedInputsSource,
    denoisedBatchSource,
    source,
  ])
  const kernel = await createComputeKernel(device, { label: entryPoint.replace('_', ' '), code, entryPoint })
  return { kernel, tileSamples: tile.samples }
}

export class DenoiserForwardKernel {
  private constructor(
    private readonly kernel: ComputeKernel,
    private readonly tileSamples: number,
  ) {}

  /** Errors: RangeError, DeviceLimitError (see `chooseTile`). */
  static async create(device: GPUDevice, shape: NetworkShape): Promise<DenoiserForwardKernel> {
    const { kernel, tileSamples } = await createDenoiserKernel(
      device,
      shape,
      'denoiser_forward',
      kernelSource,
    )
    return new DenoiserForwardKernel(kernel, tileSamples)
  }

  bind(scope: BufferScope, buffers: DenoiserForwardBuffers, count: number): Encode {
    const { weights, frequencies, xT, sigma, denoised } = buffers
    const parameters = scope.uniform('denoiser parameters', [count])
    const resources = [parameters, weights, frequencies, xT, sigma, denoised]
    return boundDispatch(scope, this.kernel, resources, Math.ceil(count / this.tileSamples))
  }
}
