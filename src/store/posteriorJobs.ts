/** The posterior lab's long jobs, the methods table and Figure 2: each runs once at a time and can be paused. */
import { nextTask } from '../diffusion/jobControl'
import { figure2Seed, type Figure2Settings } from '../experiments/mixture/figure2'
import { methodDefinitions, scoreMethod } from '../experiments/mixture/methods'
import type { MethodSettings, MixtureSettings } from '../experiments/mixture/settings'
import { explainPosterior, type PosteriorDevice, type PosteriorHost } from './posteriorDevice'
import type { JobName } from './posteriorMessages'
import type { JobState, Scene } from './posteriorTypes'

const PROGRESS_MILLISECONDS = 100

/** What a job's steps are given. */
export interface StepControl {
  readonly signal: AbortSignal
  ready(): Promise<void>
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

  constructor(
    private readonly host: PosteriorHost,
    private readonly name: JobName,
  ) {}

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
        this.publish(job, { status: 'failed', problem: explainPosterior(error, what) })
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
    return {
      signal,
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

  private publish(job: number, patch: Partial<JobState>): void {
    this.host.publish({ type: 'job', name: this.name, job, patch })
  }
}

/** Scores one method after the other against the exact posterior. */
export async function runTable(
  { host, device, pausable }: { host: PosteriorHost; device: PosteriorDevice; pausable: PausableJob },
  job: number,
  scene: () => Scene,
  settings: MixtureSettings,
  methods: readonly (MethodSettings | 'exact')[],
): Promise<void> {
  await pausable.run(job, 'The table', async ({ signal, ready, report }) => {
    const shown = scene()
    for (const [k, method] of methods.entries()) {
      const label = method === 'exact' ? 'Exact posterior' : methodDefinitions[method.method].label
      const progress = (fraction: number) => report((k + fraction) / methods.length, label)
      progress(0)
      await ready()
      const row = await device.use((backend) =>
        scoreMethod(backend, shown, settings, method, {
          signal,
          ready,
          onProgress: ({ done, total }) => progress(done / Math.max(total, 1)),
        }),
      )
      signal.throwIfAborted()
      host.publish({ type: 'tableRow', job, row })
    }
  })
}

/** Figure 2, seed after seed. */
export async function runFigure2(
  { host, device, pausable }: { host: PosteriorHost; device: PosteriorDevice; pausable: PausableJob },
  job: number,
  settings: Figure2Settings,
  seeds: readonly number[],
): Promise<void> {
  await pausable.run(job, 'Figure 2', async ({ signal, ready, report }) => {
    for (const [k, seed] of seeds.entries()) {
      await ready()
      const rows = await device.use((backend) =>
        figure2Seed(backend, settings, seed, {
          signal,
          ready,
          onProgress: (fraction, label) => report((k + fraction) / seeds.length, `Seed ${seed}: ${label}`),
        }),
      )
      signal.throwIfAborted()
      host.publish({ type: 'figure2Rows', job, rows })
    }
  })
}
