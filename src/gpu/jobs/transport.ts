/**
 * Entropic transport cost between two point clouds: slices of Sinkhorn iterations until one says that it has converged.
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
  const { iterations: total } = options
  const kernel = await job.compile<SinkhornKernel | ScaledSinkhornKernel>(() =>
    options.scaling
      ? job.context.kernel(`scaled sinkhorn ${features}`, (device) =>
          ScaledSinkhornKernel.create(device, features),
        )
      : job.context.kernel(`sinkhorn ${features}`, (device) => SinkhornKernel.create(device, features)),
  )
  const problem = await job.checked(() => kernel.prepare(scope, u, v, options))
  const flopsPerIteration = 2 * rows * columns * flopsPerEntry(features)
  const report = (done: number, iterations = done) =>
    control?.onProgress?.({ stage: 'compute', done, total, flops: iterations * flopsPerIteration })

  // Each slice leaves a copy of the state, read while the slice after it computes.
  const unread: GPUBuffer[] = []
  const free: GPUBuffer[] = []
  let encoded = 0
  await job.slices({
    total,
    first: 1,
    most: 256,
    submit(units) {
      const copy = free.pop() ?? scope.staging('sinkhorn state copy', STATE_BYTES)
      unread.push(copy)
      const finished = job.submit((encoder) => {
        const pass = encoder.beginComputePass()
        for (let k = 0; k < units; k++) problem.encodeIteration(pass, encoded++)
        pass.end()
        encoder.copyBufferToBuffer(problem.state, 0, copy, 0, STATE_BYTES)
      })
      return { units, finished }
    },
    async finished(done) {
      const copy = unread.shift()!
      const { converged, iterations } = problem.parse(await job.guard(scope.mapped(copy)))
      free.push(copy)
      report(converged ? total : done, Math.min(iterations, done))
      return converged
    },
  })
  await job.compute((pass) => problem.encodeCost(pass))
  return problem.parse(await job.read(problem.state, STATE_BYTES))
}
