/**
 * Entropic optimal transport between two point clouds with uniform weights: log-domain Sinkhorn at one regularisation,
 * costs recomputed on the fly, convergence decided on the GPU. With epsilon scaling: scaledSinkhorn.ts.
 * Kernel: shaders/sinkhorn.wgsl; twin: src/math/sinkhorn.ts.
 */
import source from '../../../shaders/sinkhorn.wgsl?raw'
import type { TransportOptions } from '../../diffusion/backend'
import { type BufferScope, dispatchSize } from '../buffers'
import { type ComputeKernel, composeShader, createComputeKernel } from '../compile'

/** Entries of the cost matrix that one dispatch may touch: milliseconds, even on a small GPU. */
export const entriesPerDispatch = 2 ** 26

export interface SinkhornResult {
  /** ⟨P, C⟩. */
  readonly cost: number
  readonly iterations: number
  readonly converged: boolean
}

/** One transport problem on the GPU. */
export interface SinkhornProblem {
  /** STATE_BYTES, changed by each iteration. */
  readonly state: GPUBuffer
  /** Iteration k, from 0 (rows, then columns, then the check); does nothing once converged. */
  encodeIteration(pass: GPUComputePassEncoder, k: number): void
  encodeCost(pass: GPUComputePassEncoder): void
  /** What a copy of the state says. */
  parse(state: ArrayBuffer): SinkhornResult
}

export const STATE_BYTES = 16

type Step = (pass: GPUComputePassEncoder) => void

export class SinkhornKernel {
  private constructor(
    readonly features: number,
    private readonly update: ComputeKernel,
    private readonly close: ComputeKernel,
    private readonly cost: ComputeKernel,
    private readonly sum: ComputeKernel,
  ) {}

  static async create(device: GPUDevice, features: number): Promise<SinkhornKernel> {
    const code = composeShader({ FEATURES: features }, [source])
    const entryPoints = ['update_potentials', 'close_iteration', 'transport_cost', 'sum_costs']
    const kernels = await Promise.all(
      entryPoints.map((entryPoint) =>
        createComputeKernel(device, { label: `sinkhorn ${entryPoint}`, code, entryPoint }),
      ),
    )
    return new SinkhornKernel(
      features,
      ...(kernels as [ComputeKernel, ComputeKernel, ComputeKernel, ComputeKernel]),
    )
  }

  /** u [uCount, features] and v [vCount, features] on the device, potentials at zero. */
  prepare(scope: BufferScope, u: Float32Array, v: Float32Array, options: TransportOptions): SinkhornProblem {
    const rows = u.length / this.features
    const columns = v.length / this.features
    const unit = options.regularization / Math.LOG2E
    const uPoints = scope.upload('u', scaledCloud(u, this.features, unit))
    const vPoints = scope.upload('v', scaledCloud(v, this.features, unit))
    const f = scope.upload('f', zeroPotentials(rows))
    const g = scope.upload('g', zeroPotentials(columns))
    const state = scope.storage('sinkhorn state', STATE_BYTES)
    const costs = scope.storage('row costs', rows * 4)
    const tolerance = { f32: options.tolerance / unit }

    /** Dispatches of `kernel` over all rows of an [n, m] problem, a bounded part at a time. */
    const overRows = (
      kernel: ComputeKernel,
      n: number,
      m: number,
      buffers: readonly (GPUBuffer | undefined)[],
    ): Step[] => {
      const part = Math.max(1, Math.floor(entriesPerDispatch / m))
      return Array.from({ length: Math.ceil(n / part) }, (_, i) => {
        const parameters = scope.uniform('sinkhorn parameters', [n, m, i * part, tolerance])
        return step(kernel, [parameters, ...buffers], Math.min(part, n - i * part))
      })
    }
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

    const parameters = scope.uniform('sinkhorn parameters', [rows, columns, 0, tolerance])
    const iteration = [
      ...overRows(this.update, rows, columns, [uPoints, vPoints, f, g, state]),
      ...overRows(this.update, columns, rows, [vPoints, uPoints, g, f, state]),
      step(this.close, [parameters, undefined, undefined, undefined, undefined, state], 1),
    ]
    const cost = [
      ...overRows(this.cost, rows, columns, [uPoints, vPoints, f, g, undefined, costs]),
      step(this.sum, [parameters, undefined, undefined, undefined, undefined, state, costs], 1),
    ]
    return {
      state,
      encodeIteration: (pass) => iteration.forEach((encode) => encode(pass)),
      encodeCost: (pass) => cost.forEach((encode) => encode(pass)),
      parse(data) {
        const [, finished, iterations] = new Uint32Array(data)
        return { cost: new Float32Array(data)[3]! * unit, iterations: iterations!, converged: finished === 1 }
      },
    }
  }
}

/** [count, features] → in units of √unit, [features, count rounded up to a multiple of 4]. */
export function scaledCloud(points: Float32Array, features: number, unit: number): Float32Array {
  const count = points.length / features
  const stride = Math.ceil(count / 4) * 4
  const scale = 1 / Math.sqrt(unit)
  const scaled = new Float32Array(features * stride)
  for (let i = 0; i < count; i++) {
    for (let d = 0; d < features; d++) scaled[d * stride + i] = points[i * features + d]! * scale
  }
  return scaled
}

/** Zeros, and in the padding potentials so low that it weighs nothing. */
export function zeroPotentials(count: number): Float32Array {
  return new Float32Array(Math.ceil(count / 4) * 4).fill(-1e30, count)
}
