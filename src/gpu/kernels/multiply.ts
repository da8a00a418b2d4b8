/**
 * out ← a ∘ b, or out ← max(a, least), element by element.
 * Kernel: shaders/multiply.wgsl; twin: src/linalg/cpuVectors.ts.
 */
import source from '../../../shaders/multiply.wgsl?raw'
import type { GpuVector } from '../../linalg/vectorSpace'
import { type CommandStream, type StreamKernel, createStreamKernel } from '../commandStream'
import { ROW_PIECE } from './combine'

const ONE = 2

export class MultiplyKernel {
  private constructor(private readonly kernel: StreamKernel) {}

  static async create(device: GPUDevice): Promise<MultiplyKernel> {
    const kernel = await createStreamKernel(device, {
      label: 'multiply',
      code: source,
      entryPoint: 'multiply',
      storage: ['write', 'read', 'read'],
    })
    return new MultiplyKernel(kernel)
  }

  /** out ← a ∘ b (a where there is no b), not below `least` where that is given. `unused` is bound where out is an operand. */
  encode(
    stream: CommandStream,
    unused: GPUBuffer,
    out: GpuVector,
    a: GpuVector,
    b?: GpuVector,
    least?: number,
  ): void {
    const source = (vector: GpuVector) => (vector.buffer === out.buffer ? 0 : 1)
    const stride = ({ batch, size }: GpuVector) => (batch === 1 ? 0 : size)
    const bound = (vector: GpuVector | undefined) =>
      vector && vector.buffer !== out.buffer ? vector.buffer : unused
    const words = [
      out.size,
      source(a),
      stride(a),
      b ? source(b) : ONE,
      b ? stride(b) : 0,
      least === undefined ? 0 : 1,
      { f32: least ?? 0 },
    ]
    const workgroups = [Math.ceil(out.size / ROW_PIECE), out.batch] as const
    stream.dispatch(this.kernel, words, [out.buffer, bound(a), bound(b)], workgroups)
  }
}
