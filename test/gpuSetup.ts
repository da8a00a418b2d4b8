/** Chooses the software Vulkan driver for the workers that vitest starts after this. */
import { prepareVulkan } from '../scripts/vulkan.mjs'

export default function setup(): void {
  prepareVulkan({ software: true })
}
