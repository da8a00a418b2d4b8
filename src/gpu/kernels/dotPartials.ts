/**
 * First half of ⟨a_i, b_i⟩, or the whole where a sample is one chunk.
 * Kernel: shaders/dot_partials.wgsl; twin: src/linalg/cpuVectors.ts.
 */
import source from '../../../shaders/dot_partials.wgsl?raw'
import type { GpuVector } from '../../linalg/vectorSpace'
import { type CommandStream, type StreamKernel, createStreamKernel } from '../commandStream'
import type { GpuScalars } from '../scalarBank'
import { MOST_CHUNKS } from './dotTotal'

/** Numbers that a workgroup sums at least, 8 a thread. */
const CHUNK = 2048

/** Chunks of a sample: they depend on its size alone, so that a batch changes no sum. */
export function chunkCount(size: number): number {
  return Math.min(MOST_CHUNKS, Math.ceil(size / CHUNK))
}

export class DotPartialsKernel {
  private constructor(private readonly kernel: StreamKernel) {}

  static async create(device: GPUDevice): Promise<DotPartialsKernel> {
    const kernel = await createStreamKernel(device, {
      label: 'dot partials',
      code: source,
      entryPoint: 'dot_partials',
      storage: ['read', 'read', 'write', 'write'],
    })
    return new DotPartialsKernel(kernel)
  }

  /** Writes `partials` [batch, chunks], or `out` where there is one chunk. Returns the chunks. */
  encode(
    stream: CommandStream,
    bank: GPUBuffer,
    partials: GPUBuffer,
    out: GpuScalars,
    a: GpuVector,
    b: GpuVector,
  ): number {
    const chunks = chunkCount(a.size)
    const words = [a.size, Math.ceil(a.size / chunks), chunks, out.slot]
    stream.dispatch(this.kernel, words, [a.buffer, b.buffer, partials, bank], [chunks, a.batch])
    return chunks
  }
}
