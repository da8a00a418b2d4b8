/**
 * Opening a GPU: the adapter, its description, a device with the adapter's useful limits, and its loss.
 *
 * Works wherever a `GPU` object is: a page, a Web Worker (`navigator.gpu`), or Node with Dawn's.
 */
import { DeviceLimitError, DeviceLostError } from '../diffusion/backend'

/** No WebGPU device can be had here. `reason` says which step failed; the message says what to do next. */
export class WebGpuUnavailableError extends Error {
  override readonly name = 'WebGpuUnavailableError'
  constructor(
    readonly reason: 'no-webgpu' | 'no-adapter' | 'no-device',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** What every kernel here assumes: the limits WebGPU guarantees on every conforming adapter. */
const required = {
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxStorageBuffersPerShaderStage: 8,
} as const

/** Limits worth raising to what the adapter has: larger batches, wider networks, larger tiles. */
const useful = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxStorageBuffersPerShaderStage',
] as const

/** Features that some kernels have a variant for. */
const variants = ['subgroups'] as const

export interface OpenDevice {
  readonly device: GPUDevice
  /** For example "nvidia ampere" or "llvmpipe (LLVM 19.1.7)". */
  readonly name: string
  /** Resolves with a plain sentence when the device is lost, also when it is destroyed on purpose. */
  readonly lost: Promise<string>
  /** Settles as `work` does, or rejects with DeviceLostError as soon as the device is lost. */
  guard<T>(work: Promise<T>): Promise<T>
}

/** What the adapter calls itself: its description, else its vendor and architecture. */
export function adapterName(info: GPUAdapterInfo): string {
  const { description, vendor, architecture, device } = info
  if (description) return description
  return [vendor, architecture || device].filter(Boolean).join(' ') || 'a GPU that does not give its name'
}

/**
 * Opens the fastest adapter of `gpu` (`navigator.gpu`, or undefined where there is none).
 * Errors: WebGpuUnavailableError, DeviceLimitError.
 */
export async function openDevice(gpu: GPU | undefined): Promise<OpenDevice> {
  if (!gpu) {
    throw new WebGpuUnavailableError(
      'no-webgpu',
      'This browser does not offer WebGPU. Use a current Chrome, Edge, Firefox or Safari 26, over https or on localhost.',
    )
  }
  const adapter =
    (await gpu.requestAdapter({ powerPreference: 'high-performance' })) ?? (await gpu.requestAdapter())
  if (!adapter) {
    throw new WebGpuUnavailableError(
      'no-adapter',
      'WebGPU is there, but it found no graphics adapter. Turn on hardware acceleration in the browser settings, update the graphics driver, then reload.',
    )
  }
  const name = adapterName(adapter.info)
  for (const [limit, least] of Object.entries(required) as [keyof typeof required, number][]) {
    if (adapter.limits[limit] < least) {
      throw new DeviceLimitError(
        `The adapter "${name}" allows ${limit} = ${adapter.limits[limit]}, but ${least} is needed. Choose another graphics adapter or browser.`,
      )
    }
  }
  const requiredLimits = Object.fromEntries(useful.map((limit) => [limit, adapter.limits[limit]]))
  const requiredFeatures = variants.filter((feature) => adapter.features.has(feature))
  let device: GPUDevice
  try {
    device = await adapter.requestDevice({ label: 'diem', requiredFeatures, requiredLimits })
  } catch (cause) {
    throw new WebGpuUnavailableError(
      'no-device',
      `The adapter "${name}" did not give a device. Close other tabs that use the GPU, then reload.`,
      { cause },
    )
  }

  // Rejections of the work under way. Not one promise for all to race with: it would keep every result of a run
  // that lasts for hours alive.
  const waiting = new Set<(error: DeviceLostError) => void>()
  let loss: DeviceLostError | undefined
  const lost = device.lost.then(({ reason, message }) => {
    const sentence =
      reason === 'destroyed'
        ? 'The GPU device was closed.'
        : `The GPU device was lost${message ? ` (${message.trim()})` : ''}.`
    loss = new DeviceLostError(sentence)
    for (const reject of waiting) reject(loss)
    waiting.clear()
    return sentence
  })
  const unlessLost = async <T>(work: Promise<T>): Promise<T> => {
    if (loss) {
      work.catch(() => undefined)
      throw loss
    }
    let give: ((error: DeviceLostError) => void) | undefined
    try {
      return await new Promise<T>((resolve, reject) => {
        give = reject
        waiting.add(reject)
        work.then(resolve, reject)
      })
    } finally {
      waiting.delete(give!)
    }
  }

  return {
    device,
    name,
    lost,
    async guard(work) {
      try {
        return await unlessLost(work)
      } catch (error) {
        if (error instanceof DeviceLostError) throw error
        // on loss, promises of the queue may reject just before `device.lost` resolves: one more round trip tells
        await Promise.race([lost, device.queue.onSubmittedWorkDone().catch(() => undefined)])
        throw loss ?? error
      }
    },
  }
}
