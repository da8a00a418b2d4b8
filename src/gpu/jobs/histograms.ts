/**
 * Histograms of samples that come from the host.
 */
import type { Histograms } from '../../diffusion/backend'
import type { Job } from '../job'
import { HistogramKernel } from '../kernels/histogram'
import { groupBytes } from './groups'

export async function histograms(
  job: Job,
  samples: Float32Array,
  features: number,
  bins: number,
  range: number,
): Promise<Histograms> {
  const count = samples.length / features
  const kernel = await job.context.kernel(`histogram ${features} ${bins}`, (device) =>
    HistogramKernel.create(device, features, bins),
  )
  job.requireBinding(kernel.length, 4, 'bins')
  // as many samples at a time as one buffer holds, which each part fills anew; their counts add up
  const part = Math.min(count, Math.floor(Math.min(job.largestBinding, groupBytes) / (4 * features)))
  const buffers = await job.checked(() => ({
    counts: job.scope.storage('counts', kernel.length * 4),
    samples: job.scope.storage('samples', part * features * 4),
  }))
  for (let begin = 0; begin < count; begin += part) {
    const end = Math.min(begin + part, count)
    await job.compute((pass) => {
      job.scope.write(buffers.samples, samples.subarray(begin * features, end * features))
      kernel.bind(job.scope, buffers, { count: end - begin, range })(pass)
    })
  }
  const data = await job.read(buffers.counts, kernel.length * 4)
  return kernel.unpack(new Uint32Array(data), count, range)
}
