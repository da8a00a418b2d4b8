/**
 * Correlation of planes with a kernel, reflected at the borders, and its transpose.
 * Kernel: shaders/reflected_correlation.wgsl; twin: `correlation` of src/operators/cpuPrimitives.ts.
 */
import source from '../../../shaders/reflected_correlation.wgsl?raw'
import type { CorrelationKernel, Planes, Tap } from '../../operators/primitives'
import { type CommandStream, type StreamKernel, createStreamKernel } from '../commandStream'

export class ReflectedCorrelationKernel {
  private constructor(
    private readonly forward: StreamKernel,
    private readonly backward: StreamKernel,
  ) {}

  static async create(device: GPUDevice): Promise<ReflectedCorrelationKernel> {
    const create = (entryPoint: string) =>
      createStreamKernel(device, {
        label: entryPoint,
        code: source,
        entryPoint,
        storage: ['read', 'read', 'write'],
      })
    const [forward, backward] = await Promise.all([create('correlate'), create('correlate_adjoint')])
    return new ReflectedCorrelationKernel(forward, backward)
  }

  /** x and out [count, height, width]; `taps` holds `tapCount` of `packTaps`. */
  encode(
    stream: CommandStream,
    direction: 'apply' | 'adjoint',
    { rows, columns }: CorrelationKernel,
    tapCount: number,
    { count, height, width }: Planes,
    buffers: { taps: GPUBuffer; x: GPUBuffer; out: GPUBuffer },
  ): void {
    stream.dispatch(
      direction === 'apply' ? this.forward : this.backward,
      [height, width, tapCount, (rows - 1) / 2, (columns - 1) / 2],
      [buffers.taps, buffers.x, buffers.out],
      [Math.ceil((height * width) / 256), count],
    )
  }
}

/** Offset and weight of each, padded to four numbers. */
export function packTaps(taps: readonly Tap[]): Float32Array {
  return Float32Array.from(taps.flatMap(({ dy, dx, weight }) => [dy, dx, weight, 0]))
}
