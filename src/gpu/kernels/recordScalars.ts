/**
 * Scalars kept in a vector until it is read.
 * Kernel: shaders/record_scalars.wgsl; twin: src/linalg/cpuVectors.ts.
 */
import source from '../../../shaders/record_scalars.wgsl?raw'
import type { GpuVector, Scalars } from '../../linalg/vectorSpace'
import { type CommandStream, type StreamKernel, createStreamKernel } from '../commandStream'
import type { GpuScalars } from '../scalarBank'

export class RecordScalarsKernel {
  private constructor(private readonly kernel: StreamKernel) {}

  static async create(device: GPUDevice): Promise<RecordScalarsKernel> {
    const kernel = await createStreamKernel(device, {
      label: 'record scalars',
      code: source,
      entryPoint: 'record_scalars',
      storage: ['read', 'write'],
    })
    return new RecordScalarsKernel(kernel)
  }

  encode(
    stream: CommandStream,
    bank: GPUBuffer,
    out: GpuVector,
    column: number,
    scalars: readonly Scalars[],
  ): void {
    const slots = scalars.map((kept) => (kept as GpuScalars).slot)
    const words = [out.batch, out.size, column, scalars.length, ...slots]
    stream.dispatch(this.kernel, words, [bank, out.buffer], [Math.ceil(out.batch / 64)])
  }
}
