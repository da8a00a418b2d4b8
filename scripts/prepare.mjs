/**
 * Prepares this machine for the tests: `node scripts/prepare.mjs` finds or installs a Vulkan driver for Node
 * and a Chromium, and names them. The tests do the same by themselves; as root this is the one command to run.
 */
import { MissingSoftwareError } from './apt.mjs'
import { prepareBrowser } from './browser.mjs'
import { prepareVulkan } from './vulkan.mjs'

let missing = 0
for (const prepare of [
  () => {
    prepareVulkan({ software: true })
    return `WebGPU in Node: ${process.env['VK_DRIVER_FILES'] ?? "the system's own graphics interface"}`
  },
  () => `Browser: ${prepareBrowser()}`,
]) {
  try {
    console.log(prepare())
  } catch (error) {
    if (!(error instanceof MissingSoftwareError)) throw error
    console.error(error.message)
    missing++
  }
}
process.exitCode = missing > 0 ? 1 : 0
