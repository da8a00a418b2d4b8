/**
 * Second half of ⟨a_i, b_i⟩: sums of a sample's chunks.
 * Kernel: shaders/dot_total.wgsl.
 */
import source from '../../../shaders/dot_total.wgsl?raw'
import { type CommandStream, type StreamKernel, createStreamKernel } from '../commandStream'
import type { GpuScalars } from '../scalarBank'

/** Chunks that one workgroup adds up. */
export const MOST_CHUNKS = 64

export class DotTotalKernel {
  private constructor(private readonly kernel: StreamKernel) {}

  static async create(device: GPUDevice): Promise<DotTotalKernel> {
    const kernel = await createStreamKernel(device, {
      label: 'dot total',
      code: source,
      entryPoint: 'dot_total',
      storage: ['read', 'write'],
    })
    return new DotTotalKernel(kernel)
  }

  /** Adds `partials` [batch, chunks] into `out`. */
  encode(stream: CommandStream, bank: GPUBuffer, partials: GPUBuffer, out: GpuScalars, chunks: number): void {
    stream.dispatch(this.kernel, [chunks, out.slot], [partials, bank], [out.batch])
  }
}
