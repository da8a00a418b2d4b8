/** A long job of a worker that can be paused, resumed and cancelled, and says how far it is. */
import { nextTask } from '../diffusion/jobControl'
import type { Problem } from './labTypes'

/** What a job says of itself; see JobState of the posterior lab. */
export interface JobPatch {
  readonly status?: 'idle' | 'running' | 'paused' | 'finished' | 'failed'
  readonly label?: string
  readonly fraction?: number
  readonly secondsLeft?: number
  readonly problem?: Problem | null
}

export interface JobPublisher {
  publish(job: number, patch: JobPatch): void
  /** What is said of what a job threw. `what`: for example "The table". */
  explain(error: unknown, what: string): Problem
}

const PROGRESS_MILLISECONDS = 100

/** What a job's steps are given. */
export interface StepControl {
  readonly signal: AbortSignal
  ready(): Promise<void>
  /** Time before the first call, of loading and compiling, says nothing about the time left. */
  countFromHere(): void
  /** `fraction` of the whole job. */
  report(fraction: number, label: string): void
}

/** One pausable job at a time; a new one takes the place of the old. */
export class PausableJob {
  private abort: AbortController | undefined
  private gate: Promise<void> = Promise.resolve()
  private openGate: (() => void) | undefined
  private job = -1
  private began = 0
  /** Milliseconds spent paused, and when the present pause began. */
  private idle = 0
  private pausedAt = 0

  constructor(private readonly publisher: JobPublisher) {}

  /** Runs `task` as job number `job`; what it throws becomes the job's problem. */
  async run(job: number, what: string, task: (control: StepControl) => Promise<void>): Promise<void> {
    this.stop()
    const abort = new AbortController()
    this.abort = abort
    this.job = job
    this.gate = Promise.resolve()
    this.openGate = undefined
    this.began = performance.now()
    this.idle = 0
    this.publish(job, { status: 'running', problem: null, secondsLeft: undefined })
    try {
      await task(this.control(job, abort.signal))
      if (!abort.signal.aborted)
        this.publish(job, { status: 'finished', fraction: 1, label: '', secondsLeft: undefined })
    } catch (error) {
      if (!abort.signal.aborted)
        this.publish(job, { status: 'failed', problem: this.publisher.explain(error, what) })
    } finally {
      if (this.abort === abort) this.abort = undefined
    }
  }

  pause(): void {
    if (!this.abort || this.openGate) return
    this.gate = new Promise((resolve) => (this.openGate = resolve))
    this.pausedAt = performance.now()
    this.publish(this.job, { status: 'paused', secondsLeft: undefined })
  }

  resume(): void {
    if (!this.openGate) return
    this.idle += performance.now() - this.pausedAt
    this.openGate()
    this.openGate = undefined
    this.gate = Promise.resolve()
    this.publish(this.job, { status: 'running' })
  }

  /** Stops at once; what was published stays. */
  cancel(): void {
    if (!this.abort) return
    this.stop()
    this.publish(this.job, { status: 'idle', secondsLeft: undefined, label: '' })
  }

  private stop(): void {
    this.abort?.abort(new DOMException('The job was cancelled.', 'AbortError'))
    this.openGate?.()
    this.openGate = undefined
    this.abort = undefined
  }

  private control(job: number, signal: AbortSignal): StepControl {
    let last = 0
    let lastLabel = ''
    let isCounting = false
    return {
      signal,
      countFromHere: () => {
        if (isCounting || signal.aborted) return
        isCounting = true
        this.began = performance.now()
        this.idle = 0
      },
      // Work that is done within one task would hear of a pause only after its end: messages come through here.
      ready: async () => {
        await nextTask()
        await this.gate
      },
      report: (fraction, label) => {
        const now = performance.now()
        if (signal.aborted || (label === lastLabel && now - last < PROGRESS_MILLISECONDS)) return
        last = now
        lastLabel = label
        const seconds = (now - this.began - this.idle) / 1000
        const known = fraction > 0.02 && seconds > 1
        this.publish(job, {
          fraction,
          label,
          secondsLeft: known ? (seconds * (1 - fraction)) / fraction : undefined,
        })
      },
    }
  }

  private publish(job: number, patch: JobPatch): void {
    this.publisher.publish(job, patch)
  }
}
