/**
 * A GPU device for tests: Dawn in Node, on the Vulkan driver that the environment names.
 */
import { create, globals } from 'webgpu'
import { afterAll } from 'vitest'
import { BufferScope, createCounters } from '../../src/gpu/buffers'
import { type OpenDevice, openDevice } from '../../src/gpu/device'

Object.assign(globalThis, globals)

/** Dawn's entry point; held here because devices die with it. */
export const gpu: GPU = create([])

/** Opens a device that is destroyed after the file's last test. */
export async function openTestDevice(): Promise<OpenDevice & { scope: BufferScope }> {
  const opened = await openDevice(gpu)
  const scope = new BufferScope(opened.device, createCounters())
  opened.device.addEventListener('uncapturederror', ({ error }) => {
    throw new Error(`Uncaptured GPU error: ${error.message}`)
  })
  afterAll(() => {
    scope.destroy()
    opened.device.destroy()
  })
  return { ...opened, scope }
}
