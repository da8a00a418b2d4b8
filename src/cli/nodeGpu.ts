/**
 * WebGPU in Node: Dawn, from the npm package `webgpu`.
 *
 * Which driver Dawn finds is decided by environment variables that scripts/vulkan.mjs sets before this
 * module is loaded.
 */
import { WebGpuUnavailableError } from '../gpu/device'

/** Dawn destroys its devices when this object is collected, so it is held for the life of the process. */
let entry: GPU | undefined

/**
 * Dawn's counterpart of `navigator.gpu`; defines WebGPU's globals (GPUBufferUsage …) as well.
 * Errors: WebGpuUnavailableError when Dawn cannot be loaded here; its `requestAdapter` throws the same, with
 * what to install, instead of resolving with null.
 */
export async function createNodeGpu(): Promise<GPU> {
  if (entry) return entry
  let dawn: typeof import('webgpu')
  try {
    dawn = await import('webgpu')
  } catch (cause) {
    throw new WebGpuUnavailableError(
      'no-webgpu',
      `WebGPU for Node has no build for this system (${process.platform} ${process.arch}; on Linux glibc is needed). ` +
        'Use the page in a browser instead, or another machine.',
      { cause },
    )
  }
  Object.assign(globalThis, dawn.globals)
  const gpu = dawn.create([])
  const requestAdapter = gpu.requestAdapter.bind(gpu)
  gpu.requestAdapter = async (options) => {
    const adapter = await requestAdapter(options)
    if (!adapter) throw new WebGpuUnavailableError('no-adapter', missingDriver())
    return adapter
  }
  entry = gpu
  return gpu
}

function missingDriver(): string {
  if (process.platform !== 'linux')
    return 'No graphics adapter was found. Update the graphics driver and try again.'
  const chosen = process.env['VK_DRIVER_FILES']
  return chosen
    ? `The Vulkan driver ${chosen} gives no adapter that Dawn accepts. Run \`node scripts/prepare.mjs\`, or name another driver in VK_DRIVER_FILES.`
    : "This machine's Vulkan drivers give no adapter that Dawn accepts. Set DIEM_SOFTWARE=1 to compute on the CPU with Mesa's lavapipe."
}
