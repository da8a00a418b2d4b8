/**
 * Long computations on one thread that stay interruptible: every 30 ms they report, wait while paused, let other
 * tasks run (a Worker receives its messages then) and stop when aborted.
 */
import type { JobControl, JobProgress } from './backend'

const SLICE_MILLISECONDS = 30

/** Work between two looks at the clock: some ten milliseconds of JavaScript. */
const FLOPS_PER_PIECE = 1e7

/** Units of `flopsEach` that make a piece of work, a multiple of four as the matrix products like it. */
export function pieceSize(flopsEach: number): number {
  return Math.max(4, Math.min(1024, 4 * Math.floor(FLOPS_PER_PIECE / flopsEach / 4)))
}

/** Resolves when the job may go on; rejects with the signal's reason when it is aborted, even while paused. */
export async function permission(control: JobControl | undefined): Promise<void> {
  const { signal } = control ?? {}
  signal?.throwIfAborted()
  if (!control?.ready) return
  if (!signal) return control.ready()
  let stop: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    await Promise.race([control.ready(), aborted])
  } finally {
    if (stop) signal.removeEventListener('abort', stop)
  }
  signal.throwIfAborted()
}

/** Resolves in a later task. A message arrives at once, where timers are held back to 4 ms or, hidden, to 1 s. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}

/** Work in pieces of a few milliseconds: yields how much is done after each. */
export type Pieces<T> = Generator<number, T>

/** Does work in pieces without a break. */
export function atOnce<T>(pieces: Pieces<T>): T {
  for (;;) {
    const next = pieces.next()
    if (next.done) return next.value
  }
}

/** Times work, without the time for which it is paused: `control` is what the work has to be given. */
export class Stopwatch<Control extends { ready?(): Promise<void> }> {
  private begin = performance.now()
  readonly control: Control

  constructor(control: Control) {
    this.control = {
      ...control,
      ready: async () => {
        const asked = performance.now()
        await control.ready?.()
        this.begin += performance.now() - asked
      },
    }
  }

  get milliseconds(): number {
    return performance.now() - this.begin
  }
}

/** Paces one job. */
export class Pacer {
  private sliceStart = performance.now()

  constructor(private readonly control: JobControl | undefined) {}

  /** To be awaited before the first unit of work: a job aborted or paused beforehand does none. */
  async begin(): Promise<void> {
    await permission(this.control)
    this.sliceStart = performance.now()
  }

  /** Whether the slice has lasted long enough that `pause` should be awaited. */
  get due(): boolean {
    return performance.now() - this.sliceStart >= SLICE_MILLISECONDS
  }

  /** Does work in pieces, with `pause` between them where it is due. Error: the signal's reason. */
  async run<T>(pieces: Pieces<T>, progress: (done: number) => JobProgress): Promise<T> {
    for (;;) {
      const next = pieces.next()
      if (next.done) return next.value
      if (this.due) await this.pause(progress(next.value))
    }
  }

  /** Reports, lets other tasks run, and returns when the job may go on. Error: the signal's reason. */
  async pause(progress: JobProgress): Promise<void> {
    this.control?.onProgress?.(progress)
    await nextTask()
    await permission(this.control)
    this.sliceStart = performance.now()
  }
}
