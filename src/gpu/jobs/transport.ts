/**
 * Entropic transport cost between two point clouds: slices of the dispatches of Sinkhorn iterations, until one
 * says that it has converged. An iteration over many points is several slices.
 */
import type { TransportOptions } from '../../diffusion/backend'
import type { Job } from '../job'
import { ScaledSinkhornKernel } from '../kernels/scaledSinkhorn'
import { SinkhornKernel, STATE_BYTES, type SinkhornResult } from '../kernels/sinkhorn'

/** Operations per entry of the cost matrix: difference and square per feature, and the exponential. */
const flopsPerEntry = (features: number): number => 3 * features + 6

export async function transport(
  job: Job,
  u: Float32Array,
  v: Float32Array,
  features: number,
  options: TransportOptions,
): Promise<SinkhornResult> {
  const rows = u.length / features
  const columns = v.length / features
  if (!(rows >= 1 && columns >= 1 && Number.isInteger(rows) && Number.isInteger(columns))) {
    throw new RangeError('Both point clouds need at least one point, and whole points.')
  }
  if (!(options.regularization > 0)) throw new RangeError('The regularisation must be above zero.')
  // a coordinate of four points is a vec4
  job.requireBinding(Math.max(rows, columns), 4 * features, 'points', 4)
  const { scope, control } = job
  const { iterations } = options
  const kernel = await job.compile<SinkhornKernel | ScaledSinkhornKernel>(() =>
    options.scaling
      ? job.context.kernel(`scaled sinkhorn ${features}`, (device) =>
          ScaledSinkhornKernel.create(device, features),
        )
      : job.context.kernel(`sinkhorn ${features}`, (device) => SinkhornKernel.create(device, features)),
  )
  const problem = await job.checked(() => kernel.prepare(scope, u, v, options))
  const flopsOfAll = iterations * 2 * rows * columns * flopsPerEntry(features)
  let total = 0
  for (let k = 0; k < iterations; k++) total += problem.iteration(k).length
  const report = (done: number, worked = done) =>
    control?.onProgress?.({ stage: 'compute', done, total, flops: (worked / total) * flopsOfAll })
  let iteration = 0
  let part = 0
  const encodeNext = (pass: GPUComputePassEncoder): void => {
    const parts = problem.iteration(iteration)
    parts[part++]!(pass)
    if (part === parts.length) [iteration, part] = [iteration + 1, 0]
  }

  // Each slice leaves a copy of the state, read while the slice after it computes.
  const unread: GPUBuffer[] = []
  const free: GPUBuffer[] = []
  await job.slices({
    total,
    first: 1,
    most: 1024,
    submit(units) {
      const copy = free.pop() ?? scope.staging('sinkhorn state copy', STATE_BYTES)
      unread.push(copy)
      const finished = job.submit((encoder) => {
        const pass = encoder.beginComputePass()
        for (let k = 0; k < units; k++) encodeNext(pass)
        pass.end()
        encoder.copyBufferToBuffer(problem.state, 0, copy, 0, STATE_BYTES)
      })
      return { units, finished }
    },
    async finished(done) {
      const copy = unread.shift()!
      const { converged } = problem.parse(await job.guard(scope.mapped(copy)))
      free.push(copy)
      report(converged ? total : done, done)
      return converged
    },
  })
  await Promise.all(problem.cost.map((encode) => job.compute(encode)))
  return problem.parse(await job.read(problem.state, STATE_BYTES))
}
