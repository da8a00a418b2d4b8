/**
 * The WebGPU backend: the one owner that submits work and reads results back.
 *
 * Kernels (src/gpu/kernels) only encode; jobs (src/gpu/jobs) order them into slices. Each call allocates its
 * buffers and destroys them; compiled pipelines are kept, by shape and options.
 */
import type { Backend } from '../diffusion/backend'
import { type GpuCounters, createCounters } from './buffers'
import { openDevice } from './device'
import { type JobContext, withJob } from './job'
import { histograms } from './jobs/histograms'
import { logLikelihoods, moments } from './jobs/moments'
import { sample, trajectory } from './jobs/sample'
import { train } from './jobs/train'
import { transport } from './jobs/transport'

export interface WebGpuBackend extends Backend {
  /** Dispatches, submits and bytes so far. */
  readonly counters: GpuCounters
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
  return {
    adapter: { kind: 'webgpu', name: opened.name },
    lost: opened.lost,
    counters,
    sample: (request, control) => withJob(context, control, (job) => sample(job, request)),
    trajectory: (request, control) => withJob(context, control, (job) => trajectory(job, request)),
    moments: (request, control) => withJob(context, control, (job) => moments(job, request)),
    logLikelihoods: (request, control) => withJob(context, control, (job) => logLikelihoods(job, request)),
    train: (request, control) => withJob(context, control, (job) => train(job, request)),
    async transport(u, v, features, options, control) {
      const { cost } = await withJob(context, control, (job) => transport(job, u, v, features, options))
      return cost
    },
    histograms: (samples, features, bins, range) =>
      withJob(context, undefined, (job) => histograms(job, samples, features, bins, range)),
    destroy: () => opened.device.destroy(),
  }
}
