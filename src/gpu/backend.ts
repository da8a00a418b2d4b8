/**
 * The WebGPU backend: the one owner that submits work and reads results back.
 *
 * Kernels (src/gpu/kernels) only encode; jobs (src/gpu/jobs) order them into slices. Each call allocates its
 * buffers and destroys them; compiled pipelines are kept, by shape and options.
 */
import type { Backend, JobControl } from '../diffusion/backend'
import { type GpuCounters, createCounters } from './buffers'
import { openDevice } from './device'
import { type Job, type JobContext, withJob } from './job'

export interface WebGpuBackend extends Backend {
  /** Dispatches, submits and bytes so far. */
  readonly counters: GpuCounters
}

type Jobs = typeof import('./jobs')

let jobs: Promise<Jobs> | undefined

/**
 * Jobs, kernels and shaders are most of the code, and a page can name its device before they are there. Error: the
 * network; the next call tries again.
 */
export function loadJobs(): Promise<Jobs> {
  jobs ??= import('./jobs').catch((error: unknown) => {
    jobs = undefined
    throw error
  })
  return jobs
}

/**
 * Opens `gpu` (`navigator.gpu`, or Dawn's in Node; undefined where the browser has none).
 * Errors: WebGpuUnavailableError, DeviceLimitError.
 */
export async function createWebGpuBackend(gpu: GPU | undefined): Promise<WebGpuBackend> {
  const opened = await openDevice(gpu)
  const counters = createCounters()
  const kernels = new Map<string, Promise<unknown>>()
  const context: JobContext = {
    opened,
    counters,
    kernel<T>(key: string, create: (device: GPUDevice) => Promise<T>): Promise<T> {
      let kernel = kernels.get(key) as Promise<T> | undefined
      if (!kernel) {
        kernel = create(opened.device)
        kernels.set(key, kernel)
        // a failed build must not be remembered: the next call may come after what was wrong
        kernel.catch(() => kernels.delete(key))
      }
      return kernel
    },
  }
  const run = <T>(control: JobControl | undefined, task: (jobs: Jobs, job: Job) => Promise<T>): Promise<T> =>
    withJob(context, control, async (job) => await task(await loadJobs(), job))
  return {
    adapter: { kind: 'webgpu', name: opened.name },
    lost: opened.lost,
    counters,
    sample: (request, control) => run(control, ({ sample }, job) => sample(job, request)),
    trajectory: (request, control) => run(control, ({ trajectory }, job) => trajectory(job, request)),
    moments: (request, control) => run(control, ({ moments }, job) => moments(job, request)),
    logLikelihoods: (request, control) =>
      run(control, ({ logLikelihoods }, job) => logLikelihoods(job, request)),
    train: (request, control) => run(control, ({ train }, job) => train(job, request)),
    async transport(u, v, features, options, control) {
      const { cost } = await run(control, ({ transport }, job) => transport(job, u, v, features, options))
      return cost
    },
    histograms: (samples, features, bins, range) =>
      run(undefined, ({ histograms }, job) => histograms(job, samples, features, bins, range)),
    destroy: () => opened.device.destroy(),
  }
}
