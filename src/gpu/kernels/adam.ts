/**
 * Adam with global-norm clipping, linear learning rate and weight averaging, all on the GPU.
 * Kernel: shaders/adam.wgsl; twin: src/diffusion/adam.ts.
 */
import source from '../../../shaders/adam.wgsl?raw'
import stateSource from '../../../shaders/shared/train_state.wgsl?raw'
import type { TrainRequest } from '../../diffusion/backend'
import type { NetworkShape } from '../../diffusion/types'
import type { BufferScope } from '../buffers'
import { type ComputeKernel, composeShader, createComputeKernel } from '../compile'
import { type Encode, boundDispatch } from '../dispatch'
import { gpuLayout } from '../network'
import { normCount } from './reduceGradient'
import { perLayer } from './weightGradient'

export interface AdamBuffers {
  readonly state: GPUBuffer
  readonly gradient: GPUBuffer
  readonly norms: GPUBuffer
  /** [weightCount]: parameters and their transposed copies, updated. */
  readonly weights: GPUBuffer
  /** [2, parameterCount], zero at first. */
  readonly moments: GPUBuffer
  /** [parameterCount], the starting parameters at first. */
  readonly average: GPUBuffer
}

export type AdamOptions = Pick<TrainRequest, 'steps' | 'learningRate' | 'adam' | 'clipNorm' | 'averaging'>

export class AdamKernel {
  private constructor(
    private readonly kernel: ComputeKernel,
    private readonly workgroups: number,
  ) {}

  static async create(device: GPUDevice, shape: NetworkShape): Promise<AdamKernel> {
    const layout = gpuLayout(shape)
    const constants = {
      LAYERS: layout.layers.length,
      PARAMETERS: layout.parameterCount,
      NORMS: normCount(layout.parameterCount),
      OUTPUTS: perLayer(layout, ({ outputs }) => outputs),
      OUTPUT_STRIDE: perLayer(layout, ({ outputStride }) => outputStride),
      PARAMETER_OFFSET: perLayer(layout, ({ parameterOffset }) => parameterOffset),
      TRANSPOSED_INPUTS: perLayer(layout, ({ transposedInputs }) => transposedInputs),
      TRANSPOSED_STRIDE: perLayer(layout, ({ transposedStride }) => transposedStride),
      TRANSPOSED_OFFSET: perLayer(layout, ({ transposedOffset }) => transposedOffset),
    }
    const code = composeShader(constants, [stateSource, source])
    const kernel = await createComputeKernel(device, { label: 'adam', code, entryPoint: 'adam' })
    return new AdamKernel(kernel, normCount(layout.parameterCount))
  }

  bind(scope: BufferScope, buffers: AdamBuffers, options: AdamOptions): Encode {
    const { learningRate, clipNorm, averaging, steps } = options
    const { beta1, beta2, epsilon } = options.adam
    const values = [
      steps,
      learningRate.start,
      learningRate.end,
      clipNorm,
      beta1,
      1 - beta1,
      Math.log(Math.max(beta1, 1e-30)),
      beta2,
      1 - beta2,
      Math.log(Math.max(beta2, 1e-30)),
      epsilon,
      1 - averaging,
    ]
    const parameters = scope.uniform(
      'adam parameters',
      values.map((f32) => ({ f32 })),
    )
    const { state, gradient, norms, weights, moments, average } = buffers
    const resources = [parameters, state, gradient, norms, weights, moments, average]
    return boundDispatch(scope, this.kernel, resources, [this.workgroups, 1])
  }
}
