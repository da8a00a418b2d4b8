/**
 * Entropic optimal transport with epsilon scaling: the stages of src/math/sinkhornStages.ts, eight rows a workgroup,
 * convergence decided on the GPU in the last stage.
 * Kernels: shaders/scaled_sinkhorn.wgsl, shaders/extrapolate_potentials.wgsl; twin: src/math/sinkhorn.ts.
 */
import extrapolation from '../../../shaders/extrapolate_potentials.wgsl?raw'
import source from '../../../shaders/scaled_sinkhorn.wgsl?raw'
import type { TransportOptions } from '../../diffusion/backend'
import { iterationAt, largestRaise, sinkhornStages } from '../../math/sinkhornStages'
import type { BufferScope } from '../buffers'
import { type ComputeKernel, createComputeKernel } from '../compile'
import { type Encode, boundDispatch } from '../dispatch'
import {
  SinkhornDispatches,
  type SinkhornPipelines,
  type SinkhornProblem,
  createSinkhornPipelines,
} from './sinkhorn'

/** ROWS of the shader. */
const rowsPerWorkgroup = 8
const phases = { scaling: 0, converging: 1, settling: 2 } as const

/** What an update is for, its ε in units of the cost, and its ω. */
interface Mode {
  readonly phase: keyof typeof phases
  readonly epsilon: number
  readonly relaxation: number
}

export class ScaledSinkhornKernel {
  private constructor(
    readonly features: number,
    private readonly pipelines: SinkhornPipelines,
    private readonly extrapolate: ComputeKernel,
  ) {}

  static async create(device: GPUDevice, features: number): Promise<ScaledSinkhornKernel> {
    const entryPoint = 'extrapolate_potentials'
    const [pipelines, extrapolate] = await Promise.all([
      createSinkhornPipelines(device, 'scaled sinkhorn', features, source),
      createComputeKernel(device, { label: 'extrapolate potentials', code: extrapolation, entryPoint }),
    ])
    return new ScaledSinkhornKernel(features, pipelines, extrapolate)
  }

  /** u [uCount, features] and v [vCount, features] on the device, potentials at zero. */
  prepare(scope: BufferScope, u: Float32Array, v: Float32Array, options: TransportOptions): SinkhornProblem {
    const { regularization, tolerance } = options
    const { pipelines, features } = this
    const work = new SinkhornDispatches(scope, pipelines, rowsPerWorkgroup, features, u, v, regularization)
    const stages = sinkhornStages(options)
    const parameters =
      ({ phase, epsilon, relaxation }: Mode) =>
      (rows: number, columns: number, begin: number): GPUBuffer =>
        scope.uniform('stage parameters', [
          rows,
          columns,
          begin,
          phases[phase],
          { f32: regularization / epsilon },
          { f32: relaxation - 1 },
          { f32: (largestRaise(relaxation) * epsilon) / work.unit },
          { f32: tolerance / work.unit },
        ])
    const updates = (mode: Mode): Encode[] => work.updates(parameters(mode))
    const settling: Mode = { phase: 'settling', epsilon: regularization, relaxation: 1 }
    const whole = parameters(settling)(work.u.count, work.v.count, 0)
    const sides = [work.u, work.v].map(({ count, potentials }) => ({
      count,
      potentials,
      previous: scope.storage('previous potentials', count * 4),
    }))

    const prepared = stages.map(({ regularization: epsilon, relaxation, extrapolation }, index) => {
      const last = index === stages.length - 1
      const phase = last ? 'converging' : 'scaling'
      const start = sides.map(({ potentials, previous, count }) => {
        const block = scope.uniform('extrapolation', [count, { f32: extrapolation }])
        return boundDispatch(scope, this.extrapolate, [block, potentials, previous], Math.ceil(count / 64))
      })
      const close = last ? [work.close(whole)] : []
      return {
        first: [...start, ...updates({ phase, epsilon, relaxation: 1 }), ...close],
        other: [...updates({ phase, epsilon, relaxation }), ...close],
      }
    })
    const cost = [...updates(settling), ...work.cost(parameters(settling), whole, work.v.potentials)]
    const scaling = stages.slice(0, -1).reduce((sum, { iterations }) => sum + iterations, 0)
    return {
      state: work.state,
      iteration(k) {
        const { index, first } = iterationAt(stages, k)
        return prepared[index]![first ? 'first' : 'other']
      },
      cost,
      parse(state) {
        const { iterations, ...result } = work.parse(state)
        return { ...result, iterations: Math.min(scaling + iterations, options.iterations) }
      },
    }
  }
}
