/**
 * ONNX Runtime in Node: for the tests, the command line and the benchmark. Never part of the page.
 *
 * WebGPU needs what a browser has and Node lacks: `navigator.gpu` (Dawn's), and a queue that takes views of shared memory.
 * V8 would spend a minute on optimising the 27 MB of WebAssembly, so that its optimising compiler is turned off before it is loaded; the
 * work is the GPU's anyway.
 */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { OrtRuntime, type OrtModule, type SharedDevice } from './runtime'

/** The WASM provider, as the page runs it without WebGPU. */
export async function nodeWasmRuntime(): Promise<OrtRuntime> {
  const module: OrtModule = await import('onnxruntime-web')
  module.env.wasm.numThreads = 1
  return new OrtRuntime('wasm', module)
}

/** onnxruntime-node on the CPU, several times as fast. */
export async function nativeRuntime(): Promise<OrtRuntime> {
  const module = (await import('onnxruntime-node')) as unknown as OrtModule
  return new OrtRuntime('native', module)
}

/**
 * The WebGPU provider on Dawn. Call it once a device; the module is loaded once a process.
 *
 * @param gpu Dawn's entry point, whose globals are defined
 */
export async function nodeWebGpuRuntime(gpu: GPU, shared: SharedDevice): Promise<OrtRuntime> {
  webGpuModule ??= loadWebGpu(gpu)
  return new OrtRuntime('webgpu', await webGpuModule, shared)
}

let webGpuModule: Promise<OrtModule> | undefined

async function loadWebGpu(gpu: GPU): Promise<OrtModule> {
  for (const flag of ['--liftoff-only', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering'])
    setFlagsFromString(flag)
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true, writable: true })
  copySharedViews()
  // the package gives Node its WASM build only, so the file is named by its place
  const main = pathToFileURL(createRequire(import.meta.url).resolve('onnxruntime-web'))
  const file = new URL('ort.webgpu.bundle.min.mjs', main).href
  const module = (await import(/* @vite-ignore */ file)) as OrtModule
  module.env.wasm.numThreads = 1
  return module
}

/** Dawn refuses views of SharedArrayBuffers, where ONNX Runtime's memory is. */
function copySharedViews(): void {
  const prototype = GPUQueue.prototype as { writeBuffer: GPUQueue['writeBuffer'] }
  const { writeBuffer } = prototype
  prototype.writeBuffer = function (buffer, offset, data, dataOffset, size) {
    const memory = ArrayBuffer.isView(data) ? data.buffer : data
    if (!(memory instanceof SharedArrayBuffer)) {
      return writeBuffer.call(this, buffer, offset, data as GPUAllowSharedBufferSource, dataOffset, size)
    }
    const width = ArrayBuffer.isView(data) && 'BYTES_PER_ELEMENT' in data ? Number(data.BYTES_PER_ELEMENT) : 1
    const whole = ArrayBuffer.isView(data)
      ? new Uint8Array(memory, data.byteOffset, data.byteLength)
      : new Uint8Array(memory)
    const begin = (dataOffset ?? 0) * width
    const end = size === undefined ? whole.length : begin + size * width
    return writeBuffer.call(this, buffer, offset, whole.slice(begin, end))
  }
}
