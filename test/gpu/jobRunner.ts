/**
 * Jobs without a backend around them, as tests of single jobs need.
 */
import type { JobControl } from '../../src/diffusion/backend'
import { createCounters } from '../../src/gpu/buffers'
import type { OpenDevice } from '../../src/gpu/device'
import { type Job, type JobContext, withJob } from '../../src/gpu/job'

/** A function that runs jobs on the device and keeps their kernels. */
export function jobRunner(opened: OpenDevice) {
  const kernels = new Map<string, Promise<unknown>>()
  const context: JobContext = {
    opened,
    counters: createCounters(),
    kernel<T>(key: string, create: (device: GPUDevice) => Promise<T>): Promise<T> {
      const kernel = (kernels.get(key) as Promise<T> | undefined) ?? create(opened.device)
      kernels.set(key, kernel)
      return kernel
    },
  }
  return <T>(work: (job: Job) => Promise<T>, control?: JobControl): Promise<T> =>
    withJob(context, control, work)
}
