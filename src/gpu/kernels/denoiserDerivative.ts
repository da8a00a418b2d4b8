/**
 * The denoiser and the products Jᵀ v (VJP) or J u (JVP) of a batch on the GPU, J = ∂d/∂x_t.
 * Kernel: shaders/denoiser_derivative.wgsl; twin: src/diffusion/mlpDenoiser.ts.
 */
import kernelSource from '../../../shaders/denoiser_derivative.wgsl?raw'
import type { NetworkShape } from '../../diffusion/types'
import type { BufferScope } from '../buffers'
import type { ComputeKernel } from '../compile'
import { type Encode, boundDispatch } from '../dispatch'
import { type DenoiserForwardBuffers, createDenoiserKernel } from './denoiserForward'

export interface DenoiserDerivativeBuffers extends DenoiserForwardBuffers {
  /** Cotangents v or tangents u, [count, directions, features]. */
  readonly vectors: GPUBuffer
  /** [count, directions, features], written. */
  readonly products: GPUBuffer
}

export class DenoiserDerivativeKernel {
  private constructor(
    private readonly kernel: ComputeKernel,
    private readonly tileSamples: number,
  ) {}

  /** Errors: RangeError, DeviceLimitError (see `chooseTile`). */
  static async create(
    device: GPUDevice,
    shape: NetworkShape,
    product: 'vjp' | 'jvp',
  ): Promise<DenoiserDerivativeKernel> {
    const { kernel, tileSamples } = await createDenoiserKernel(
      device,
      shape,
      'denoiser_derivative',
      kernelSource,
      {
        TRANSPOSED: product === 'vjp',
      },
    )
    return new DenoiserDerivativeKernel(kernel, tileSamples)
  }

  bind(scope: BufferScope, buffers: DenoiserDerivativeBuffers, count: number, directions: number): Encode {
    const { weights, frequencies, xT, sigma, denoised, vectors, products } = buffers
    const parameters = scope.uniform('denoiser parameters', [count, directions])
    const resources = [parameters, weights, frequencies, xT, sigma, denoised, vectors, products]
    return boundDispatch(scope, this.kernel, resources, Math.ceil(count / this.tileSamples))
  }
}
