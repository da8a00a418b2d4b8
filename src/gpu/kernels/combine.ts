/**
 * out ← Σ factor · vector, one to four terms.
 * Kernel: shaders/combine.wgsl; twin: src/linalg/cpuVectors.ts.
 */
import source from '../../../shaders/combine.wgsl?raw'
import type { GpuVector, Term } from '../../linalg/vectorSpace'
import type { UniformWord } from '../buffers'
import { type CommandStream, type StreamKernel, createStreamKernel } from '../commandStream'
import type { GpuScalars } from '../scalarBank'

const NO_SLOT = 0xffffffff
/** Numbers a workgroup writes; also those of multiply. */
export const ROW_PIECE = 1024

export class CombineKernel {
  private constructor(private readonly kernel: StreamKernel) {}

  static async create(device: GPUDevice): Promise<CombineKernel> {
    const storage = ['read', 'write', 'read', 'read', 'read', 'read'] as const
    const kernel = await createStreamKernel(device, {
      label: 'combine',
      code: source,
      entryPoint: 'combine',
      storage,
    })
    return new CombineKernel(kernel)
  }

  /** `unused` is bound where there is no term. Sizes and batches are checked by the caller. */
  encode(
    stream: CommandStream,
    bank: GPUBuffer,
    unused: GPUBuffer,
    out: GpuVector,
    terms: readonly Term[],
  ): void {
    const words: UniformWord[] = [out.size, terms.length, 0, 0]
    const inputs = [unused, unused, unused, unused]
    terms.forEach(({ factor, vector }, t) => {
      const { buffer } = vector as GpuVector
      // a buffer cannot be read through one binding and written through another
      const self = buffer === out.buffer
      if (!self) inputs[t] = buffer
      if (typeof factor === 'number') words.push({ f32: factor }, NO_SLOT)
      else if ('minus' in factor) words.push({ f32: -1 }, (factor.minus as GpuScalars).slot)
      else words.push({ f32: 1 }, (factor as GpuScalars).slot)
      words.push(self ? 0 : t + 1, vector.batch === 1 ? 0 : vector.size)
    })
    const workgroups = [Math.ceil(out.size / ROW_PIECE), out.batch] as const
    stream.dispatch(this.kernel, words, [bank, out.buffer, ...inputs], workgroups)
  }
}
