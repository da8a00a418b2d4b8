/**
 * All pair marginals and single marginals of a sample, by atomic counts.
 * Kernel: shaders/histogram.wgsl; twin: src/diffusion/histogram.ts.
 */
import source from '../../../shaders/histogram.wgsl?raw'
import type { Histograms } from '../../diffusion/backend'
import type { BufferScope } from '../buffers'
import { type ComputeKernel, composeShader, createComputeKernel } from '../compile'
import { type Encode, boundDispatch } from '../dispatch'

export class HistogramKernel {
  private constructor(
    private readonly kernel: ComputeKernel,
    readonly features: number,
    readonly bins: number,
  ) {}

  static async create(device: GPUDevice, features: number, bins: number): Promise<HistogramKernel> {
    if (!Number.isInteger(bins) || bins < 1) throw new RangeError(`A histogram needs bins, not ${bins}.`)
    const code = composeShader({ FEATURES: features, BINS: bins }, [source])
    const kernel = await createComputeKernel(device, { label: 'histogram', code, entryPoint: 'histogram' })
    return new HistogramKernel(kernel, features, bins)
  }

  /** Length of `counts`: joint [pairs, bins, bins], then marginal [features, bins]. */
  get length(): number {
    const { features, bins } = this
    return ((features * (features - 1)) / 2) * bins * bins + features * bins
  }

  /** Adds the counts of `samples` [count, features] to `counts` [length]. */
  bind(
    scope: BufferScope,
    buffers: { samples: GPUBuffer; counts: GPUBuffer },
    sizes: { count: number; range: number },
  ): Encode {
    const range = Math.fround(sizes.range)
    const scale = this.bins / Math.fround(2 * range)
    const parameters = scope.uniform('histogram parameters', [sizes.count, { f32: range }, { f32: scale }])
    const resources = [parameters, buffers.samples, buffers.counts]
    return boundDispatch(scope, this.kernel, resources, Math.ceil(sizes.count / 64))
  }

  /** `counts` as read back → histograms of `count` samples. */
  unpack(counts: Uint32Array, count: number, range: number): Histograms {
    const { features, bins } = this
    const joint = ((features * (features - 1)) / 2) * bins * bins
    return { features, bins, range, count, joint: counts.slice(0, joint), marginal: counts.slice(joint) }
  }
}
