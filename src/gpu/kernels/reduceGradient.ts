/**
 * Sums partial gradients and loss partials in a fixed order; closes the forward half of a training step.
 * Kernel: shaders/reduce_gradient.wgsl.
 */
import source from '../../../shaders/reduce_gradient.wgsl?raw'
import stateSource from '../../../shaders/shared/train_state.wgsl?raw'
import type { BufferScope } from '../buffers'
import { type ComputeKernel, composeShader, createComputeKernel } from '../compile'
import { type Encode, boundDispatch } from '../dispatch'

export interface ReduceGradientBuffers {
  /** [splits, parameterCount]. */
  readonly partials: GPUBuffer
  /** [lossPartials]; their sum is the step's mean loss. */
  readonly lossPartials: GPUBuffer
  /** [parameterCount], written. */
  readonly gradient: GPUBuffer
  /** [normCount(parameterCount)], sums of squares, written. */
  readonly norms: GPUBuffer
  /** [steps]; element state.step is written. */
  readonly losses: GPUBuffer
  /** TrainState: step u32, loss_sum f32. */
  readonly state: GPUBuffer
}

/** Workgroups of the kernel: length of `norms`. */
export function normCount(parameterCount: number): number {
  return Math.ceil(parameterCount / 4 / 256)
}

export class ReduceGradientKernel {
  private constructor(
    private readonly kernel: ComputeKernel,
    private readonly workgroups: number,
  ) {}

  static async create(device: GPUDevice, parameterCount: number): Promise<ReduceGradientKernel> {
    const code = composeShader({ PARAMETERS: parameterCount }, [stateSource, source])
    const kernel = await createComputeKernel(device, {
      label: 'reduce gradient',
      code,
      entryPoint: 'reduce_gradient',
    })
    return new ReduceGradientKernel(kernel, normCount(parameterCount))
  }

  bind(
    scope: BufferScope,
    buffers: ReduceGradientBuffers,
    sizes: { splits: number; lossPartials: number },
  ): Encode {
    const parameters = scope.uniform('reduce parameters', [sizes.splits, sizes.lossPartials])
    const { partials, lossPartials, gradient, norms, losses, state } = buffers
    const resources = [parameters, partials, lossPartials, gradient, norms, losses, state]
    return boundDispatch(scope, this.kernel, resources, [this.workgroups, 1])
  }
}
