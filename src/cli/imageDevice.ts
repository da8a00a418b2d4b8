/** What the image programs compute on: ONNX Runtime on the CPU, natively or as WebAssembly, or on WebGPU with our kernels. */
import { totalmem } from 'node:os'
import type { ModelDevice } from '../experiments/images/models'
import { createCounters, type GpuCounters } from '../gpu/buffers'
import { openDevice } from '../gpu/device'
import { createGpuImagePrimitives } from '../gpu/imagePrimitives'
import { createGpuVectors } from '../gpu/vectors'
import { createCpuVectors } from '../linalg/cpuVectors'
import { nativeRuntime, nodeWasmRuntime, nodeWebGpuRuntime } from '../onnx/session/nodeRuntimes'
import type { OrtRuntime, ProviderName } from '../onnx/session/runtime'
import { createCpuImagePrimitives } from '../operators/cpuPrimitives'
import type { ImagePrimitives } from '../operators/primitives'
import { createNodeGpu } from './nodeGpu'
import { UsageError } from './program'

export const providerNames = ['native', 'wasm', 'webgpu'] as const satisfies readonly ProviderName[]

/** WebAssembly's memory is 4 GB, of which the runtime and the weights want some. */
const WASM_BYTES = 2.5e9
/** Graphics memory that nearly every device has; none says how much is its own. */
const GPU_BYTES = 4e9

export interface ImageDevice extends ModelDevice {
  readonly name: string
  readonly primitives: ImagePrimitives
  /** Of our kernels. */
  readonly counters: GpuCounters
  destroy(): void
}

/** Without a provider, native where it can be loaded, else WebAssembly. Errors: WebGpuUnavailableError, OrtError. */
export async function openImageDevice(provider?: ProviderName): Promise<ImageDevice> {
  const counters = createCounters()
  if (provider === 'webgpu') return await openGpu(counters)
  const runtime = await openCpuRuntime(provider)
  const isNative = runtime.provider === 'native'
  const space = createCpuVectors()
  return {
    name: isNative ? 'onnxruntime-node, one thread' : 'WebAssembly, one thread',
    space,
    primitives: createCpuImagePrimitives(space),
    runtime,
    limits: { all: isNative ? totalmem() : WASM_BYTES },
    counters,
    destroy: () => undefined,
  }
}

async function openGpu(counters: GpuCounters): Promise<ImageDevice> {
  const gpu = await createNodeGpu()
  const opened = await openDevice(gpu)
  const { device, name } = opened
  try {
    const space = await createGpuVectors(device, counters, (work) => opened.guard(work))
    return {
      name: `WebGPU on ${name}`,
      space,
      primitives: await createGpuImagePrimitives(space),
      runtime: await nodeWebGpuRuntime(gpu, opened),
      limits: { all: GPU_BYTES },
      counters,
      destroy: () => device.destroy(),
    }
  } catch (error) {
    device.destroy()
    throw error
  }
}

/** Without a provider, native where it can be loaded, else WebAssembly. */
export async function openCpuRuntime(provider?: 'native' | 'wasm'): Promise<OrtRuntime> {
  if (provider === 'wasm') return await nodeWasmRuntime()
  try {
    return await nativeRuntime()
  } catch (error) {
    if (provider) throw error
    process.stderr.write('onnxruntime-node cannot be loaded here; using WebAssembly (slower).\n')
    return await nodeWasmRuntime()
  }
}

/** Error: UsageError for none of `allowed`. */
export function readProvider<Name extends ProviderName>(
  text: string | undefined,
  allowed: readonly Name[],
): Name | undefined {
  if (text === undefined) return undefined
  const provider = allowed.find((name) => name === text)
  if (provider) return provider
  throw new UsageError(`--provider is one of ${allowed.join(', ')}, not "${text}".`)
}
