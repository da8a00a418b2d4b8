/**
 * What the image lab computes on: WebGPU, where ONNX Runtime and our kernels share a device, else WASM and vectors in the
 * memory of the worker. The lab is the same on both, the second slower.
 */
import type { AdapterDescription } from '../../diffusion/backend'
import { createCounters } from '../../gpu/buffers'
import { openDevice } from '../../gpu/device'
import { createGpuImagePrimitives } from '../../gpu/imagePrimitives'
import { createGpuVectors } from '../../gpu/vectors'
import { createCpuVectors } from '../../linalg/cpuVectors'
import type { VectorSpace } from '../../linalg/vectorSpace'
import { wasmRuntime, webGpuRuntime } from '../../onnx/session/browserRuntime'
import type { OrtRuntime } from '../../onnx/session/runtime'
import { createCpuImagePrimitives } from '../../operators/cpuPrimitives'
import type { ImagePrimitives } from '../../operators/primitives'
import type { Problem } from '../labTypes'
import { cpuFallback } from '../openBackend'
import { OpenedDevice } from '../openedDevice'
import type { ImagesEvent } from './messages'

export interface ImagesDevice {
  readonly adapter: AdapterDescription
  readonly space: VectorSpace
  readonly primitives: ImagePrimitives
  readonly runtime: OrtRuntime
  /** Bytes that a denoiser and its vectors may take; a guess on a GPU, which does not say. */
  readonly limits: { readonly all: number }
  /** Resolves with the reason when the device is lost; never for the CPU. */
  readonly lost: Promise<string>
  destroy(): void
}

export interface DeviceHost {
  openDevice(): Promise<{ readonly device: ImagesDevice; readonly fallback: Problem | null }>
  publish(event: ImagesEvent): void
}

/** WebAssembly's memory is 4 GB, of which the runtime and the weights want some. */
const CPU_BYTES = 2.5e9
/** Graphics memory that nearly every device has. */
const GPU_BYTES = 4e9

/** Opens WebGPU with its ONNX Runtime; where one of them fails, WASM, with the reason. */
export async function openImagesDevice(): Promise<{ device: ImagesDevice; fallback: Problem | null }> {
  try {
    return { device: await openGpu(), fallback: null }
  } catch (error) {
    const onCpu = 'The image lab runs here all the same, through WebAssembly, several times slower.'
    return { device: await openCpu(), fallback: cpuFallback(error, onCpu) }
  }
}

async function openGpu(): Promise<ImagesDevice> {
  const opened = await openDevice(navigator.gpu)
  const { device, name, lost } = opened
  try {
    const counters = createCounters()
    const [space, runtime] = await Promise.all([
      createGpuVectors(device, counters, (work) => opened.guard(work)),
      webGpuRuntime(opened),
    ])
    return {
      adapter: { kind: 'webgpu', name },
      space,
      primitives: await createGpuImagePrimitives(space),
      runtime,
      limits: { all: GPU_BYTES },
      lost,
      destroy: () => device.destroy(),
    }
  } catch (error) {
    device.destroy()
    throw error
  }
}

async function openCpu(): Promise<ImagesDevice> {
  const space = createCpuVectors()
  return {
    adapter: { kind: 'cpu', name: 'WebAssembly (Web Worker)' },
    space,
    primitives: createCpuImagePrimitives(space),
    runtime: await wasmRuntime(),
    limits: { all: CPU_BYTES },
    lost: new Promise(() => undefined),
    destroy: () => undefined,
  }
}

export type PresentDevice = OpenedDevice<ImagesDevice>

/** Opens the worker's device on first use, and tells the page of it. */
export function createPresentDevice(host: DeviceHost): PresentDevice {
  return new OpenedDevice(async () => {
    const { device, fallback } = await host.openDevice()
    host.publish({ type: 'device', adapter: device.adapter, fallback })
    return device
  })
}
