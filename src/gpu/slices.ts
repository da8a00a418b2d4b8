/**
 * Long work as a train of short submits: responsive pages, no driver watchdog, pause and cancel in between.
 *
 * A slice aims at 50 ms, by the measured time of the ones before it. Two are in flight, so that the GPU has
 * work while the host prepares more. Only promises of the GPU pace the loop: timers are throttled in hidden
 * tabs.
 */
import type { JobControl } from '../diffusion/backend'
import { permission } from '../diffusion/jobControl'

const targetMilliseconds = 50
const slicesInFlight = 2
/** A slice grows by this factor at most: the first ones are mostly latency. */
const growth = 4
/** What a slice's time weighs for the size of the next against those before: one alone may be reported late, or with the next. */
const memory = 0.5

export interface Slice {
  /** Units this slice does, at most what was offered (at least 1). */
  readonly units: number
  /** Resolves when the GPU has finished it. */
  readonly finished: Promise<void>
}

export interface SlicedWork {
  /** Units of work in all: steps, sample-steps or iterations. */
  readonly total: number
  /** Units of the first slice. */
  readonly first: number
  /** Most units in one slice, for the sake of the command buffer's size. */
  readonly most?: number
  /** Encodes and submits up to `offered` of the remaining units. */
  submit(offered: number): Slice
  /** After each finished slice, in order; true ends the work early. */
  finished?(done: number): boolean | void | Promise<boolean | void>
}

/**
 * Runs `work` to its end. `guard` rejects when the device is lost. Errors: the signal's reason, DeviceLostError,
 * and what `submit` or `finished` throw; slices in flight are waited for first.
 */
export async function runSlices(
  work: SlicedWork,
  guard: <T>(promise: Promise<T>) => Promise<T>,
  control: JobControl | undefined,
): Promise<void> {
  const inFlight: { units: number; started: number; ended: Promise<number> }[] = []
  const most = work.most ?? Infinity
  let size = Math.min(work.first, most)
  let submitted = 0
  let done = 0
  let previousEnd = 0
  const recent = { units: 0, milliseconds: 0 }
  try {
    while (done < work.total) {
      if (submitted < work.total && inFlight.length < slicesInFlight) {
        await guard(permission(control))
        const started = performance.now()
        const { units, finished } = work.submit(Math.min(size, work.total - submitted))
        const ended = guard(finished).then(() => performance.now())
        ended.catch(() => undefined) // reported when its turn comes, below
        inFlight.push({ units, started, ended })
        submitted += units
        continue
      }
      const { units, started, ended } = inFlight.shift()!
      const end = await ended
      // the slice could not start before the one before it had ended
      const milliseconds = Math.max(end - Math.max(started, previousEnd), 0.1)
      previousEnd = end
      done += units
      recent.units = memory * recent.units + units
      recent.milliseconds = memory * recent.milliseconds + milliseconds
      const ideal = (recent.units * targetMilliseconds) / recent.milliseconds
      size = Math.max(1, Math.min(Math.round(ideal), units * growth, most))
      if (await work.finished?.(done)) break
    }
  } finally {
    await Promise.allSettled(inFlight.map(({ ended }) => ended))
  }
}
