/** Chooses the device of a page's run: WebGPU where there is one, else the TypeScript twins, with the reason. */
import type { Backend } from '../diffusion/backend'
import { createWebGpuBackend, loadJobs } from '../gpu/backend'
import type { Problem } from './labTypes'

/** After the device is there: the page shows it first. */
const PREPARE_MILLISECONDS = 500

/** `onCpu` says what works where there is no WebGPU. */
export async function openBackend(
  onCpu = 'The Tiny preset runs here all the same, on the float64 TypeScript twins of the kernels.',
): Promise<{ backend: Backend; fallback: Problem | null }> {
  try {
    const backend = await createWebGpuBackend(navigator.gpu)
    // While a visitor reads, and before the network may be gone. A first job that comes earlier loads them itself.
    setTimeout(() => loadJobs().catch(() => undefined), PREPARE_MILLISECONDS)
    return { backend, fallback: null }
  } catch (error) {
    // Most visitors never need it.
    const { createCpuBackend } = await import('../diffusion/cpuBackend')
    return { backend: createCpuBackend(), fallback: cpuFallback(error, onCpu) }
  }
}

/** What is said where the CPU computes because of `error`. `onCpu` says what works all the same. */
export function cpuFallback(error: unknown, onCpu: string): Problem {
  const reason = error instanceof Error ? error.message : String(error)
  return {
    title: 'Computing on the CPU',
    message: `${reason} ${onCpu}`,
    nextStep: browserAdvice(navigator.userAgent),
    action: 'none',
    place: 'device',
  }
}

/** The setting or version that brings WebGPU, by browser. */
export function browserAdvice(userAgent: string): string {
  const version = (name: RegExp) => Number(name.exec(userAgent)?.[1] ?? Number.NaN)
  const firefox = version(/Firefox\/(\d+)/)
  if (firefox) {
    return firefox < 141
      ? `This is Firefox ${firefox}; WebGPU is on from Firefox 141 on Windows and 145 on Macs with Apple silicon. Update it, or use Chrome or Edge.`
      : 'In Firefox, WebGPU is on for Windows and Apple silicon; elsewhere open about:config and set dom.webgpu.enabled to true, or use Chrome.'
  }
  const chromium = version(/(?:Chrome|Chromium|Edg)\/(\d+)/)
  if (chromium) {
    if (chromium < 113)
      return `This is Chromium ${chromium}; WebGPU is on from version 113. Update the browser.`
    return /Linux(?!.*Android)/.test(userAgent)
      ? 'On Linux, open chrome://flags/#enable-unsafe-webgpu, choose Enabled and restart; chrome://gpu shows whether a Vulkan driver was found.'
      : 'Turn on “Use graphics acceleration when available” in the browser’s system settings and restart; chrome://gpu says why WebGPU is off.'
  }
  const safari = version(/Version\/(\d+)[\d.]* (?:Mobile\/\S+ )?Safari/)
  if (safari) {
    return safari < 26
      ? `This is Safari ${safari}; WebGPU is on from Safari 26. Update the system, or use Chrome.`
      : 'In Safari’s settings, Feature Flags, turn on WebGPU.'
  }
  return 'Chrome or Edge 113, Safari 26 or Firefox 141 and later have WebGPU.'
}
