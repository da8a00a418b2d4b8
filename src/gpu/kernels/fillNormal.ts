/**
 * Standard normals at their addresses.
 * Kernel: shaders/fill_normal.wgsl; twin: src/linalg/cpuVectors.ts, src/math/philox.ts.
 */
import source from '../../../shaders/fill_normal.wgsl?raw'
import randomSource from '../../../shaders/shared/random.wgsl?raw'
import sincosSource from '../../../shaders/shared/sincos.wgsl?raw'
import type { GpuVector, NoiseAddress } from '../../linalg/vectorSpace'
import { type CommandStream, type StreamKernel, createStreamKernel } from '../commandStream'
import { composeShader } from '../compile'

export class FillNormalKernel {
  private constructor(private readonly kernel: StreamKernel) {}

  static async create(device: GPUDevice): Promise<FillNormalKernel> {
    const kernel = await createStreamKernel(device, {
      label: 'fill normal',
      code: composeShader({}, [sincosSource, randomSource, source]),
      entryPoint: 'fill_normal',
      storage: ['write'],
    })
    return new FillNormalKernel(kernel)
  }

  encode(
    stream: CommandStream,
    out: GpuVector,
    { seed, stream: key, step, domain }: NoiseAddress,
    firstIndex: number,
  ): void {
    const words = [out.size, firstIndex, step, domain, seed, key]
    stream.dispatch(this.kernel, words, [out.buffer], [Math.ceil(out.size / 256), out.batch])
  }
}
