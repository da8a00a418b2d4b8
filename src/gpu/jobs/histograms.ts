/**
 * Histograms of samples that come from the host.
 */
import type { Histograms } from '../../diffusion/backend'
import type { Job } from '../job'
import { HistogramKernel } from '../kernels/histogram'

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
  // as many samples at a time as one binding holds; their counts add up
  const part = Math.min(count, Math.floor(job.largestBinding / (4 * features)))
  const counts = await job.checked(() => job.scope.storage('counts', kernel.length * 4))
  for (let begin = 0; begin < count; begin += part) {
    const end = Math.min(begin + part, count)
    await job.compute((pass) => {
      const buffer = job.scope.upload('samples', samples.subarray(begin * features, end * features))
      kernel.bind(job.scope, { samples: buffer, counts }, { count: end - begin, range })(pass)
    })
  }
  const data = await job.guard(job.scope.read(counts, kernel.length * 4))
  return kernel.unpack(new Uint32Array(data), count, range)
}
