/**
 * Dispatches of kernels: pipeline, bind group and workgroups, counted.
 */
import type { BufferScope } from './buffers'
import type { ComputeKernel } from './compile'

/** Encodes work into a compute pass, any number of times. */
export type Encode = (pass: GPUComputePassEncoder) => void

/** How many: folded into rows where one dimension's limit is passed, or [x, y] as they are. */
type Workgroups = number | readonly [number, number]

/** Most workgroups in one dimension. */
const limit = 65535

function dispatchSize(workgroups: Workgroups): readonly [number, number] {
  if (typeof workgroups !== 'number') return workgroups
  if (workgroups <= limit) return [workgroups, 1]
  const rows = Math.ceil(workgroups / limit)
  return [Math.ceil(workgroups / rows), rows]
}

/** Encodes one dispatch of `kernel` with `group` as its group 0. */
export function dispatch(
  pass: GPUComputePassEncoder,
  scope: BufferScope,
  kernel: ComputeKernel,
  group: GPUBindGroup,
  workgroups: Workgroups,
): void {
  pass.setPipeline(kernel.pipeline)
  pass.setBindGroup(0, group)
  pass.dispatchWorkgroups(...dispatchSize(workgroups))
  scope.counters.dispatches++
}

/** A dispatch of `kernel` with its buffers bound, the binding number the place in the list. */
export function boundDispatch(
  scope: BufferScope,
  kernel: ComputeKernel,
  resources: readonly (GPUBuffer | undefined)[],
  workgroups: Workgroups,
): Encode {
  const group = kernel.bind(resources)
  return (pass) => dispatch(pass, scope, kernel, group, workgroups)
}
