/**
 * One call of the backend: its buffers, its submits, and what goes wrong with them.
 */
import { DeviceLimitError, type JobControl } from '../diffusion/backend'
import { BufferScope, type GpuCounters } from './buffers'
import type { OpenDevice } from './device'
import { type SlicedWork, runSlices } from './slices'

/** What a job needs of the backend. */
export interface JobContext {
  readonly opened: OpenDevice
  readonly counters: GpuCounters
  /** The kernel stored under `key`, built on first use. */
  kernel<T>(key: string, create: (device: GPUDevice) => Promise<T>): Promise<T>
}

/** For example "512 MiB", "3.5 KiB". */
const sizeOf = (bytes: number): string => {
  const [value, unit] = bytes >= 2 ** 20 ? [bytes / 2 ** 20, 'MiB'] : [bytes / 2 ** 10, 'KiB']
  return `${value >= 10 ? Math.round(value) : Math.round(10 * value) / 10} ${unit}`
}

/** Memory ran out, where less of the work at a time may still fit. */
export class GpuMemoryError extends DeviceLimitError {}

/** Most bytes of one read back: its staging buffer is as large. */
const readBytes = 2 ** 26

/** Largest binding of a device in bytes. */
export function largestBinding({ limits }: GPUDevice): number {
  return Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize)
}

export class Job {
  readonly scope: BufferScope

  constructor(
    readonly context: JobContext,
    readonly control: JobControl | undefined,
  ) {
    this.scope = new BufferScope(context.opened.device, context.counters)
  }

  get device(): GPUDevice {
    return this.context.opened.device
  }

  /** Rejects with DeviceLostError as soon as the device is lost. */
  guard<T>(promise: Promise<T>): Promise<T> {
    return this.context.opened.guard(promise)
  }

  /** Compiles what `create` names, or takes it from the cache; reports the stage first. */
  async compile<T>(kernels: Promise<T> | (() => Promise<T>)): Promise<T> {
    this.control?.signal?.throwIfAborted()
    this.control?.onProgress?.({ stage: 'compile', done: 0, total: 1, flops: 0 })
    return this.guard(typeof kernels === 'function' ? kernels() : kernels)
  }

  /** Largest binding in bytes. */
  get largestBinding(): number {
    return largestBinding(this.device)
  }

  /** Errors: DeviceLimitError saying how many `items` of `bytesEach` fit, stored in multiples of `together`. */
  requireBinding(items: number, bytesEach: number, what: string, together = 1): void {
    const largest = together * Math.floor(this.largestBinding / (together * bytesEach))
    if (items > largest) {
      throw new DeviceLimitError(
        `${items} ${what} do not fit into one GPU buffer of ${sizeOf(this.largestBinding)}; ${largest} would.`,
      )
    }
  }

  /**
   * Does `work` (at once: it creates buffers, encodes, submits) and rejects where the device reports an error
   * in it. Errors: GpuMemoryError when memory runs out, Error for the program's own mistakes.
   */
  async checked<T>(work: () => T): Promise<Awaited<T>> {
    const { device } = this
    const before = this.context.counters.bytesAllocated
    device.pushErrorScope('validation')
    device.pushErrorScope('internal')
    device.pushErrorScope('out-of-memory')
    let result: T
    let reports: Promise<GPUError | null>[] = []
    try {
      result = work()
      // what fails first is reported below; a promise left behind must not count as unhandled
      if (result instanceof Promise) result.catch(() => undefined)
    } finally {
      // the scopes close in the same turn, so that jobs side by side do not see each other's errors
      reports = [device.popErrorScope(), device.popErrorScope(), device.popErrorScope()]
      for (const report of reports) report.catch(() => undefined)
    }
    const [memory, internal, validation] = await this.guard(Promise.all(reports))
    if (memory) {
      const bytes = this.context.counters.bytesAllocated - before
      const room = await this.guard(roomLeft(device, bytes))
      throw new GpuMemoryError(
        `The GPU has no room for another ${sizeOf(bytes)}; ${room > 0 ? `about ${sizeOf(room)} would fit` : 'nothing more fits'}. Lower the number of samples, the batch or the hidden width, or close other tabs that use the GPU.`,
      )
    }
    const error = internal ?? validation
    if (error) throw new Error(`The GPU refused a command: ${error.message}`)
    return await result
  }

  /** Submits what `encode` records; resolves when the GPU has finished it. */
  submit(encode: (encoder: GPUCommandEncoder) => void): Promise<void> {
    const { device, scope } = this
    const finished = this.checked(() => {
      const encoder = device.createCommandEncoder()
      encode(encoder)
      scope.submit(encoder)
      return device.queue.onSubmittedWorkDone()
    })
    return this.guard(finished.then(() => undefined))
  }

  /** As `submit`, for compute passes alone. */
  compute(encode: (pass: GPUComputePassEncoder) => void): Promise<void> {
    return this.submit((encoder) => {
      const pass = encoder.beginComputePass()
      encode(pass)
      pass.end()
    })
  }

  /** The first `bytes` of a buffer, after all work submitted so far. Errors: as `checked`. */
  async read(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    const part = (offset: number): Promise<ArrayBuffer> =>
      this.guard(this.checked(() => this.scope.read(buffer, Math.min(readBytes, bytes - offset), offset)))
    if (bytes <= readBytes) return part(0)
    const whole = new Uint8Array(bytes)
    for (let offset = 0; offset < bytes; offset += readBytes) {
      whole.set(new Uint8Array(await part(offset)), offset)
    }
    return whole.buffer
  }

  slices(work: SlicedWork): Promise<void> {
    return runSlices(work, (promise) => this.guard(promise), this.control)
  }
}

/** About how many of `bytes` can still be had: the largest of bytes/2, bytes/4, … that a buffer takes, from 1 MiB on. */
async function roomLeft(device: GPUDevice, bytes: number): Promise<number> {
  for (let size = Math.floor(bytes / 8) * 4; size >= 2 ** 20; size = Math.floor(size / 8) * 4) {
    if (size > device.limits.maxBufferSize) continue
    device.pushErrorScope('out-of-memory')
    const probe = device.createBuffer({ label: 'probe', size, usage: GPUBufferUsage.STORAGE })
    const report = device.popErrorScope()
    probe.destroy()
    if (!(await report)) return size
  }
  return 0
}

/** Runs `work` as a job and destroys its buffers, whatever happens. */
export async function withJob<T>(
  context: JobContext,
  control: JobControl | undefined,
  work: (job: Job) => Promise<T>,
): Promise<T> {
  const job = new Job(context, control)
  try {
    return await job.guard(work(job))
  } finally {
    job.scope.destroy()
  }
}
