/**
 * Short programs on the scalars of every sample.
 * Kernel: shaders/scalar_program.wgsl; twin: src/linalg/cpuVectors.ts.
 */
import source from '../../../shaders/scalar_program.wgsl?raw'
import type { ScalarInstruction, ScalarOperand, ScalarOperation } from '../../linalg/vectorSpace'
import type { UniformWord } from '../buffers'
import { type CommandStream, type StreamKernel, createStreamKernel } from '../commandStream'
import type { GpuScalars } from '../scalarBank'

const codes: Record<ScalarOperation, number> = {
  add: 0,
  subtract: 1,
  multiply: 2,
  ratio: 3,
  root: 4,
  magnitude: 5,
  larger: 6,
  choose: 7,
}

const word = (operand: ScalarOperand): UniformWord =>
  typeof operand === 'number' ? { f32: operand } : (operand as GpuScalars).slot

export class ScalarProgramKernel {
  private constructor(private readonly kernel: StreamKernel) {}

  static async create(device: GPUDevice): Promise<ScalarProgramKernel> {
    const kernel = await createStreamKernel(device, {
      label: 'scalar program',
      code: source,
      entryPoint: 'scalar_program',
      storage: ['write'],
      parameterBytes: 4096,
    })
    return new ScalarProgramKernel(kernel)
  }

  encode(stream: CommandStream, bank: GPUBuffer, batch: number, program: readonly ScalarInstruction[]): void {
    const words: UniformWord[] = [batch, program.length, 0, 0]
    for (const { operation, out, a, b = 0 } of program) {
      const kinds = (typeof a === 'number' ? 256 : 0) + (typeof b === 'number' ? 512 : 0)
      words.push(codes[operation] + kinds, (out as GpuScalars).slot, word(a), word(b))
    }
    stream.dispatch(this.kernel, words, [bank], [Math.ceil(batch / 64)])
  }
}
