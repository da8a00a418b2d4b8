/** How long things take: kernels on the device, and the process's own CPU time. */
import type { Encode } from '../src/gpu/dispatch'

/** Milliseconds of one compute pass. */
export type TimePass = (encode: Encode) => Promise<number>

/** By the clock, from submitting a pass to its end. */
export function wallTimer(device: GPUDevice): TimePass {
  return async (encode) => {
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    encode(pass)
    pass.end()
    const start = performance.now()
    device.queue.submit([encoder.finish()])
    await device.queue.onSubmittedWorkDone()
    return performance.now() - start
  }
}

/** Long enough that submitting does not count, short enough for every driver's watchdog. */
const MEASURED_MILLISECONDS = 40
const MEASUREMENTS = 3

/** Shortest milliseconds that one of `encode` took, in passes of as many as last long enough. */
export async function shortest(time: TimePass, encode: Encode): Promise<number> {
  const many = (repetitions: number): Promise<number> =>
    time((pass) => {
      for (let i = 0; i < repetitions; i++) encode(pass)
    })
  let repetitions = 1
  // the first run only warms up
  for (let last = await many(1); (last = await many(repetitions)) < MEASURED_MILLISECONDS / 2;) {
    repetitions = Math.min(
      4 * repetitions,
      Math.ceil((repetitions * MEASURED_MILLISECONDS) / Math.max(last, 0.01)),
    )
  }
  let least = Infinity
  for (let i = 0; i < MEASUREMENTS; i++) least = Math.min(least, (await many(repetitions)) / repetitions)
  return least
}

/** The process's CPU time in milliseconds, in Node. */
export const cpuMilliseconds: (() => number) | undefined =
  typeof process === 'undefined' || typeof process.cpuUsage !== 'function'
    ? undefined
    : () => {
        const { user, system } = process.cpuUsage()
        return (user + system) / 1000
      }
