/**
 * Entropic transport cost between two point clouds: slices of Sinkhorn iterations, one read at the end.
 */
import type { TransportOptions } from '../../diffusion/backend'
import type { Job } from '../job'
import { SinkhornKernel, type SinkhornResult } from '../kernels/sinkhorn'

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
  job.requireBinding(Math.max(rows, columns), 4 * features, 'points')
  const kernel = await job.compile(() =>
    job.context.kernel(`sinkhorn ${features}`, (device) => SinkhornKernel.create(device, features)),
  )
  const problem = await job.checked(() => kernel.prepare(job.scope, u, v, options))
  const flopsPerIteration = 2 * rows * columns * flopsPerEntry(features)
  await job.slices({
    total: options.iterations,
    first: 1,
    most: 256,
    submit: (units) => ({
      units,
      finished: job.compute((pass) => {
        for (let k = 0; k < units; k++) problem.encodeIteration(pass)
      }),
    }),
    finished(done) {
      const { iterations: total } = options
      job.control?.onProgress?.({ stage: 'compute', done, total, flops: done * flopsPerIteration })
    },
  })
  await job.compute((pass) => problem.encodeCost(pass))
  return job.guard(problem.result())
}
