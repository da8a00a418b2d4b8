/**
 * ONNX Runtime in the page or one of its workers; loaded when it is first asked for, one build of it.
 *
 * With WebGPU: the native WebGPU provider and, in the same module, the CPU's, so that a model can be checked against the other
 * without a second download (26.8 MB, 6.6 MB compressed). Without: the CPU build (14.2 MB, 3.7 MB compressed). Vite serves
 * the .wasm files by the URLs that are imported here, from whatever path; they are fetched here, for the progress.
 */
import { type DownloadControl, download } from '../download'
import { OrtRuntime, type OrtModule, type SharedDevice } from './runtime'

/** Errors: DownloadError where the module cannot be loaded. */
export async function webGpuRuntime(shared: SharedDevice, control?: DownloadControl): Promise<OrtRuntime> {
  return new OrtRuntime('webgpu', await webGpuBuild.load(control), shared)
}

/** The CPU, by whichever build is there already, else by the small one. Errors: as above. */
export async function wasmRuntime(control?: DownloadControl): Promise<OrtRuntime> {
  return new OrtRuntime('wasm', await (webGpuBuild.loaded ? webGpuBuild : cpuBuild).load(control))
}

/** One build of ONNX Runtime; a failed download is forgotten, so that the next call tries again. */
class Build {
  #module: Promise<OrtModule> | undefined
  loaded = false

  /** @param parts the module, and the address of its WebAssembly */
  constructor(private readonly parts: () => Promise<readonly [OrtModule, { readonly default: string }]>) {}

  load(control?: DownloadControl): Promise<OrtModule> {
    this.#module ??= this.#load(control)
    return this.#module
  }

  async #load(control?: DownloadControl): Promise<OrtModule> {
    try {
      const [module, { default: url }] = await this.parts()
      const { wasm } = module.env
      // more threads need COOP and COEP headers, and were not faster
      wasm.numThreads = 1
      wasm.wasmBinary = await download(new URL(url, import.meta.url).href, undefined, control)
      this.loaded = true
      return module
    } catch (error) {
      this.#module = undefined
      throw error
    }
  }
}

const webGpuBuild = new Build(() =>
  Promise.all([
    import('onnxruntime-web/webgpu'),
    import('onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url'),
  ]),
)
const cpuBuild = new Build(() =>
  Promise.all([import('onnxruntime-web/wasm'), import('onnxruntime-web/ort-wasm-simd-threaded.wasm?url')]),
)
