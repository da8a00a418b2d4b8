/**
 * Entropic optimal transport between two point clouds with uniform weights: log-domain Sinkhorn at one regularisation,
 * costs recomputed on the fly, convergence decided on the GPU. With it what scaledSinkhorn.ts, which scales epsilon,
 * has in common: shaders/shared/sinkhorn_state.wgsl. Kernel: shaders/sinkhorn.wgsl; twin: src/math/sinkhorn.ts.
 */
import stateSource from '../../../shaders/shared/sinkhorn_state.wgsl?raw'
import source from '../../../shaders/sinkhorn.wgsl?raw'
import type { TransportOptions } from '../../diffusion/backend'
import type { BufferScope } from '../buffers'
import { type ComputeKernel, composeShader, createComputeKernel } from '../compile'
import { type Encode, boundDispatch } from '../dispatch'

/** Entries of the cost matrix that one dispatch may touch: milliseconds, even on a small GPU. */
const entriesPerDispatch = 2 ** 24

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
  /** Dispatches of iteration k, from 0 (rows, then columns, then the check); they do nothing once converged. */
  iteration(k: number): readonly Encode[]
  readonly cost: readonly Encode[]
  /** What a copy of the state says. */
  parse(state: ArrayBuffer): SinkhornResult
}

export const STATE_BYTES = 16

/** A Sinkhorn shader's entry points. */
export interface SinkhornPipelines {
  readonly update: ComputeKernel
  readonly close: ComputeKernel
  readonly cost: ComputeKernel
  readonly sum: ComputeKernel
}

export async function createSinkhornPipelines(
  device: GPUDevice,
  name: string,
  features: number,
  shader: string,
): Promise<SinkhornPipelines> {
  const code = composeShader({ FEATURES: features }, [stateSource, shader])
  const kernel = (entryPoint: string) =>
    createComputeKernel(device, { label: `${name} ${entryPoint}`, code, entryPoint })
  const [update, close, cost, sum] = await Promise.all([
    kernel('update_potentials'),
    kernel('close_iteration'),
    kernel('transport_cost'),
    kernel('sum_costs'),
  ])
  return { update, close, cost, sum }
}

/** One cloud on the device, and its potentials, zero at first. */
interface Side {
  readonly count: number
  readonly points: GPUBuffer
  readonly potentials: GPUBuffer
}

/** A shader's uniform block for the rows from `begin` on of a [rows, columns] problem. */
type Parameters = (rows: number, columns: number, begin: number) => GPUBuffer

/** The buffers of a transport problem, u [uCount, features] and v [vCount, features], and its dispatches. */
export class SinkhornDispatches {
  /** Of costs and potentials on the device. */
  readonly unit: number
  readonly u: Side
  readonly v: Side
  readonly state: GPUBuffer
  private readonly costs: GPUBuffer

  constructor(
    private readonly scope: BufferScope,
    private readonly pipelines: SinkhornPipelines,
    private readonly rowsPerWorkgroup: number,
    features: number,
    u: Float32Array,
    v: Float32Array,
    regularization: number,
  ) {
    this.unit = regularization / Math.LOG2E
    const side = (name: string, cloud: Float32Array): Side => {
      const count = cloud.length / features
      return {
        count,
        points: scope.upload(`${name} points`, scaledCloud(cloud, features, this.unit)),
        potentials: scope.upload(`${name} potentials`, zeroPotentials(count)),
      }
    }
    this.u = side('u', u)
    this.v = side('v', v)
    this.state = scope.storage('sinkhorn state', STATE_BYTES)
    this.costs = scope.storage('row costs', this.u.count * 4)
  }

  /** Rows from columns, then columns from rows. */
  updates(parameters: Parameters): Encode[] {
    const { u, v, state } = this
    const { update } = this.pipelines
    return [
      ...this.overRows(update, u, v, parameters, state),
      ...this.overRows(update, v, u, parameters, state),
    ]
  }

  /** The check after an iteration; `parameters` of the whole problem. */
  close(parameters: GPUBuffer): Encode {
    return this.once(this.pipelines.close, [
      parameters,
      undefined,
      undefined,
      undefined,
      undefined,
      this.state,
    ])
  }

  /** Every row's cost, and their sum; `parameters` of the whole problem, `summed` the column potentials if it adds them. */
  cost(parts: Parameters, parameters: GPUBuffer, summed?: GPUBuffer): Encode[] {
    const { u, v, state, costs } = this
    const { cost, sum } = this.pipelines
    return [
      ...this.overRows(cost, u, v, parts, undefined, costs),
      this.once(sum, [parameters, undefined, undefined, undefined, summed, state, costs]),
    ]
  }

  /** What a copy of the state says. */
  parse(state: ArrayBuffer): SinkhornResult {
    const [, finished, iterations] = new Uint32Array(state)
    const cost = new Float32Array(state)[3]! * this.unit
    return { cost, iterations: iterations!, converged: finished === 1 }
  }

  private once(kernel: ComputeKernel, resources: readonly (GPUBuffer | undefined)[]): Encode {
    return boundDispatch(this.scope, kernel, resources, 1)
  }

  /** Dispatches of `kernel` over all rows, a bounded part of whole workgroups at a time. */
  private overRows(
    kernel: ComputeKernel,
    rows: Side,
    columns: Side,
    parameters: Parameters,
    ...others: readonly (GPUBuffer | undefined)[]
  ): Encode[] {
    const { scope, rowsPerWorkgroup } = this
    const most = Math.floor(entriesPerDispatch / columns.count / rowsPerWorkgroup)
    const part = rowsPerWorkgroup * Math.max(1, most)
    return Array.from({ length: Math.ceil(rows.count / part) }, (_, i) => {
      const block = parameters(rows.count, columns.count, i * part)
      const buffers = [block, rows.points, columns.points, rows.potentials, columns.potentials, ...others]
      const count = Math.min(part, rows.count - i * part)
      return boundDispatch(scope, kernel, buffers, Math.ceil(count / rowsPerWorkgroup))
    })
  }
}

export class SinkhornKernel {
  private constructor(
    readonly features: number,
    private readonly pipelines: SinkhornPipelines,
  ) {}

  static async create(device: GPUDevice, features: number): Promise<SinkhornKernel> {
    return new SinkhornKernel(features, await createSinkhornPipelines(device, 'sinkhorn', features, source))
  }

  /** u [uCount, features] and v [vCount, features] on the device, potentials at zero. */
  prepare(scope: BufferScope, u: Float32Array, v: Float32Array, options: TransportOptions): SinkhornProblem {
    const work = new SinkhornDispatches(scope, this.pipelines, 1, this.features, u, v, options.regularization)
    const tolerance = { f32: options.tolerance / work.unit }
    const parameters = (rows: number, columns: number, begin: number): GPUBuffer =>
      scope.uniform('sinkhorn parameters', [rows, columns, begin, tolerance])
    const whole = parameters(work.u.count, work.v.count, 0)
    const iteration = [...work.updates(parameters), work.close(whole)]
    return {
      state: work.state,
      iteration: () => iteration,
      cost: work.cost(parameters, whole),
      parse: (state) => work.parse(state),
    }
  }
}

/** [count, features] → in units of √unit, [features, count rounded up to a multiple of 4]. */
function scaledCloud(points: Float32Array, features: number, unit: number): Float32Array {
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
function zeroPotentials(count: number): Float32Array {
  return new Float32Array(Math.ceil(count / 4) * 4).fill(-1e30, count)
}
