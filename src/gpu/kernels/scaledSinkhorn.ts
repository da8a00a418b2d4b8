/**
 * Entropic optimal transport with epsilon scaling: the stages of src/math/sinkhornStages.ts, eight rows a workgroup,
 * convergence decided on the GPU in the last stage.
 * Kernels: shaders/scaled_sinkhorn.wgsl, shaders/extrapolate_potentials.wgsl; twin: src/math/sinkhorn.ts.
 */
import extrapolation from '../../../shaders/extrapolate_potentials.wgsl?raw'
import source from '../../../shaders/scaled_sinkhorn.wgsl?raw'
import type { TransportOptions } from '../../diffusion/backend'
import { iterationAt, largestRaise, sinkhornStages } from '../../math/sinkhornStages'
import { type BufferScope, dispatchSize } from '../buffers'
import { type ComputeKernel, composeShader, createComputeKernel } from '../compile'
import {
  entriesPerDispatch,
  scaledCloud,
  STATE_BYTES,
  zeroPotentials,
  type SinkhornProblem,
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

type Step = (pass: GPUComputePassEncoder) => void

export class ScaledSinkhornKernel {
  private constructor(
    readonly features: number,
    private readonly update: ComputeKernel,
    private readonly close: ComputeKernel,
    private readonly cost: ComputeKernel,
    private readonly sum: ComputeKernel,
    private readonly extrapolate: ComputeKernel,
  ) {}

  static async create(device: GPUDevice, features: number): Promise<ScaledSinkhornKernel> {
    const code = composeShader({ FEATURES: features }, [source])
    const kernel = (entryPoint: string, text = code) =>
      createComputeKernel(device, { label: `scaled sinkhorn ${entryPoint}`, code: text, entryPoint })
    return new ScaledSinkhornKernel(
      features,
      ...(await Promise.all([
        kernel('update_potentials'),
        kernel('close_iteration'),
        kernel('transport_cost'),
        kernel('sum_costs'),
        kernel('extrapolate_potentials', extrapolation),
      ])),
    )
  }

  /** u [uCount, features] and v [vCount, features] on the device, potentials at zero. */
  prepare(scope: BufferScope, u: Float32Array, v: Float32Array, options: TransportOptions): SinkhornProblem {
    const { features } = this
    const rows = u.length / features
    const columns = v.length / features
    const unit = options.regularization / Math.LOG2E
    const uPoints = scope.upload('u', scaledCloud(u, features, unit))
    const vPoints = scope.upload('v', scaledCloud(v, features, unit))
    const f = scope.upload('f', zeroPotentials(rows))
    const g = scope.upload('g', zeroPotentials(columns))
    const state = scope.storage('sinkhorn state', STATE_BYTES)
    const costs = scope.storage('row costs', rows * 4)
    const stages = sinkhornStages(options)

    const step = (
      kernel: ComputeKernel,
      buffers: readonly (GPUBuffer | undefined)[],
      workgroups: number,
    ): Step => {
      const group = kernel.bind(buffers)
      return (pass) => {
        pass.setPipeline(kernel.pipeline)
        pass.setBindGroup(0, group)
        pass.dispatchWorkgroups(...dispatchSize(workgroups))
        scope.counters.dispatches++
      }
    }
    const parameters = (sizes: readonly [number, number, number], { phase, epsilon, relaxation }: Mode) =>
      scope.uniform('stage parameters', [
        ...sizes,
        phases[phase],
        { f32: options.regularization / epsilon },
        { f32: relaxation - 1 },
        { f32: (largestRaise(relaxation) * epsilon) / unit },
        { f32: options.tolerance / unit },
      ])
    /** Dispatches of `kernel` over all rows of an [n, m] problem, a bounded part at a time. */
    const overRows = (
      kernel: ComputeKernel,
      [n, m]: readonly [number, number],
      mode: Mode,
      buffers: readonly (GPUBuffer | undefined)[],
    ): Step[] => {
      const part = rowsPerWorkgroup * Math.max(1, Math.floor(entriesPerDispatch / m / rowsPerWorkgroup))
      return Array.from({ length: Math.ceil(n / part) }, (_, i) =>
        step(
          kernel,
          [parameters([n, m, i * part], mode), ...buffers],
          Math.ceil(Math.min(part, n - i * part) / rowsPerWorkgroup),
        ),
      )
    }
    const updates = (mode: Mode): Step[] => [
      ...overRows(this.update, [rows, columns], mode, [uPoints, vPoints, f, g, state]),
      ...overRows(this.update, [columns, rows], mode, [vPoints, uPoints, g, f, state]),
    ]
    const settling: Mode = { phase: 'settling', epsilon: options.regularization, relaxation: 1 }
    const alone = parameters([rows, columns, 0], settling)
    const sides = [
      { potentials: f, previous: scope.storage('previous f', rows * 4), count: rows },
      { potentials: g, previous: scope.storage('previous g', columns * 4), count: columns },
    ]

    const prepared = stages.map(({ regularization: epsilon, relaxation, extrapolation }, index) => {
      const last = index === stages.length - 1
      const phase = last ? 'converging' : 'scaling'
      const start = sides.map(({ potentials, previous, count }) => {
        const block = scope.uniform('extrapolation', [count, { f32: extrapolation }])
        return step(this.extrapolate, [block, potentials, previous], Math.ceil(count / 64))
      })
      const close = last
        ? [step(this.close, [alone, undefined, undefined, undefined, undefined, state], 1)]
        : []
      return {
        first: [...start, ...updates({ phase, epsilon, relaxation: 1 }), ...close],
        other: [...updates({ phase, epsilon, relaxation }), ...close],
      }
    })
    const cost = [
      ...updates(settling),
      ...overRows(this.cost, [rows, columns], settling, [uPoints, vPoints, f, g, undefined, costs]),
      step(this.sum, [alone, undefined, undefined, undefined, g, state, costs], 1),
    ]
    const scaling = stages.slice(0, -1).reduce((sum, { iterations }) => sum + iterations, 0)
    return {
      state,
      encodeIteration(pass, k) {
        const { index, first } = iterationAt(stages, k)
        prepared[index]![first ? 'first' : 'other'].forEach((encode) => encode(pass))
      },
      encodeCost: (pass) => cost.forEach((encode) => encode(pass)),
      parse(data) {
        const [, finished, last] = new Uint32Array(data)
        return {
          cost: new Float32Array(data)[3]! * unit,
          iterations: Math.min(scaling + last!, options.iterations),
          converged: finished === 1,
        }
      },
    }
  }
}
