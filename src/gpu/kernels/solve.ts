/**
 * Batched dense solve x_i = M_i⁻¹ b_i, exact or by iterations of CG, GMRES or BiCGSTAB from zero.
 * Kernel: shaders/solve.wgsl; twins: src/linalg.
 */
import chosenSolverSource from '../../../shaders/shared/chosen_solver.wgsl?raw'
import solversSource from '../../../shaders/shared/solvers.wgsl?raw'
import spectrumSource from '../../../shaders/shared/spectrum.wgsl?raw'
import solveSource from '../../../shaders/solve.wgsl?raw'
import type { SolverName } from '../../diffusion/types'
import type { BufferScope } from '../buffers'
import { type ComputeKernel, composeShader, createComputeKernel } from '../compile'
import { boundDispatch } from '../dispatch'
import { solverCodes } from './posteriorPlan'

/** Largest system, rows and columns. */
export const largestSystem = 16

export interface SolveBuffers {
  /** [count, size, size]. */
  readonly matrices: GPUBuffer
  /** [count, size]. */
  readonly rights: GPUBuffer
  /** [count, size], written. */
  readonly solutions: GPUBuffer
}

export class SolveKernel {
  private constructor(private readonly kernel: ComputeKernel) {}

  /** `projected`: M is replaced by its positive semi-definite projection first. */
  static async create(
    device: GPUDevice,
    size: number,
    method: SolverName,
    projected = false,
  ): Promise<SolveKernel> {
    if (!Number.isInteger(size) || size < 1 || size > largestSystem) {
      throw new RangeError(`A system must have 1 to ${largestSystem} rows, not ${size}.`)
    }
    const code = composeShader({ SIZE: size, ORDER: size, SOLVER: solverCodes[method], PROJECT: projected }, [
      solversSource,
      chosenSolverSource,
      spectrumSource,
      solveSource,
    ])
    return new SolveKernel(await createComputeKernel(device, { label: 'solve', code, entryPoint: 'solve' }))
  }

  encode(
    pass: GPUComputePassEncoder,
    scope: BufferScope,
    buffers: SolveBuffers,
    count: number,
    iterations: number,
  ): void {
    const parameters = scope.uniform('solve parameters', [count, iterations])
    const resources = [parameters, buffers.matrices, buffers.rights, buffers.solutions]
    boundDispatch(scope, this.kernel, resources, Math.ceil(count / 64))(pass)
  }
}
