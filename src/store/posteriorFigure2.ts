/** Figure 2 in the posterior lab's store: a worker of its own, rows seed by seed, kept for a reload. */
import type { StoreApi } from 'zustand/vanilla'
import { figure2Defaults, type Figure2Row, type Figure2Settings } from '../experiments/mixture/figure2'
import { validateFigure2 } from '../experiments/mixture/figure2Settings'
import { forgetFigure2, loadFigure2, saveFigure2 } from './figure2Storage'
import type { Connect, PosteriorClient } from './posteriorClient'
import { figure2Command, figure2File } from './posteriorExports'
import type { PosteriorEvent } from './posteriorMessages'
import type { Figure2State, PosteriorLab } from './posteriorTypes'

type Lab = () => StoreApi<PosteriorLab>

export class PosteriorFigure2 {
  private readonly client: PosteriorClient
  private job = 0
  /** Seeds that the job was given. */
  private given = 0
  /** Rows of the present settings, whatever their seed: more than are shown where fewer seeds are asked for. */
  private rows: readonly Figure2Row[] = []

  constructor(
    connect: Connect,
    private readonly lab: Lab,
  ) {
    this.client = connect(
      'figure 2',
      (event) => this.receive(event),
      (message) =>
        this.set({
          status: 'failed',
          problem: {
            title: 'Figure 2’s background worker failed',
            message,
            nextStep: 'Press Run to go on: the finished seeds are kept.',
            action: 'retry',
            place: 'run',
          },
        }),
    )
  }

  readonly initial: Figure2State = {
    status: 'idle',
    label: '',
    fraction: 0,
    problem: null,
    settings: figure2Defaults,
    rows: [],
    seedsDone: 0,
  }

  /** Rows that an earlier visit has left. Without storage there are none. */
  async restore(): Promise<void> {
    const { settings } = this.state
    const stored = await loadFigure2(settings).catch(() => [])
    if (this.state.settings !== settings) return
    const known = new Set(this.rows.map(({ seed }) => seed))
    this.rows = [...this.rows, ...stored.filter(({ seed }) => !known.has(seed))]
    this.show()
  }

  change(partial: Partial<Figure2Settings>): readonly string[] {
    const before = this.state.settings
    const settings: Figure2Settings = { ...before, ...partial }
    const problems = validateFigure2(settings).map(({ message }) => message)
    if (problems.length > 0) return problems
    const keys = (Object.keys(settings) as (keyof Figure2Settings)[]).filter(
      (key) => settings[key] !== before[key],
    )
    if (keys.length === 0) return []
    this.halt()
    if (keys.some((key) => key !== 'seeds' && key !== 'seed')) this.rows = []
    this.set({ settings, problem: null })
    this.show()
    void this.restore()
    return []
  }

  run(): void {
    const { status, settings } = this.state
    if (status === 'paused') this.client.send({ type: 'resume', name: 'figure2' })
    if (status === 'paused' || status === 'running') return
    const done = new Set(this.rows.map(({ seed }) => seed))
    const seeds = seedsOf(settings).filter((seed) => !done.has(seed))
    if (seeds.length === 0) return
    this.job += 1
    this.given = seeds.length
    this.set({ status: 'running', label: '', problem: null })
    this.client.send({ type: 'runFigure2', job: this.job, settings, seeds })
  }

  pause(): void {
    this.client.send({ type: 'pause', name: 'figure2' })
  }

  cancel(): void {
    this.halt()
  }

  /** Forgets every seed of the present settings. */
  reset(): void {
    this.halt()
    this.rows = []
    this.set({ problem: null })
    this.show()
    void forgetFigure2(this.state.settings).catch(() => undefined)
  }

  export(): Blob {
    return figure2File(this.state)
  }

  command(): string {
    return figure2Command(this.state.settings)
  }

  private halt(): void {
    const { status } = this.state
    if (status !== 'running' && status !== 'paused') return
    this.client.send({ type: 'cancel', name: 'figure2' })
    this.job += 1
    this.set({ status: 'idle', label: '', secondsLeft: undefined })
    this.show()
  }

  private receive(event: PosteriorEvent): void {
    if (event.type !== 'job' && event.type !== 'figure2Rows') return
    if (event.job !== this.job) return
    if (event.type === 'job') {
      const { fraction, ...patch } = event.patch
      this.set(fraction === undefined ? patch : { ...patch, fraction: this.overall(fraction) })
      return
    }
    const { rows } = event
    const { settings } = this.state
    const seeds = new Set(rows.map(({ seed }) => seed))
    this.rows = [...this.rows.filter(({ seed }) => !seeds.has(seed)), ...rows]
    this.show()
    saveFigure2(settings, rows).catch((error: unknown) => this.reportStorage(error))
  }

  /** A job's fraction is that of the seeds it was given; the figure's counts the finished ones too. */
  private overall(fraction: number): number {
    const { seeds } = this.state.settings
    return (seeds - this.given * (1 - fraction)) / seeds
  }

  private reportStorage(error: unknown): void {
    // Without any storage, as in a private window, there is nothing to free.
    if (this.state.problem || typeof indexedDB === 'undefined') return
    this.set({
      problem: {
        title: 'Figure 2 could not be saved for a reload',
        message: `The browser’s storage answered: ${error instanceof Error ? error.message : String(error)}`,
        nextStep: 'The computation goes on. Export the rows before you close the tab, or free some space.',
        action: 'none',
        place: 'storage',
      },
    })
  }

  /** Publishes the rows of the seeds that are asked for. */
  private show(): void {
    const { settings, status } = this.state
    const wanted = new Set(seedsOf(settings))
    const rows = this.rows.filter(({ seed }) => wanted.has(seed))
    const seedsDone = new Set(rows.map(({ seed }) => seed)).size
    const busy = status === 'running' || status === 'paused' || status === 'failed'
    this.set({
      rows,
      seedsDone,
      fraction: seedsDone / settings.seeds,
      ...(!busy && { status: seedsDone === settings.seeds ? 'finished' : 'idle' }),
    })
  }

  private get state(): Figure2State {
    return this.lab().getState().figure2
  }

  private set(patch: Partial<Figure2State>): void {
    this.lab().setState(({ figure2 }) => ({ figure2: { ...figure2, ...patch } }))
  }
}

function seedsOf({ seed, seeds }: Figure2Settings): number[] {
  return Array.from({ length: seeds }, (_, i) => seed + i)
}
