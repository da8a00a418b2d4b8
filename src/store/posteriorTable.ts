/** The methods table in the posterior lab's store. */
import type { StoreApi } from 'zustand/vanilla'
import { defaultMethod, methodIds, type MethodSettings } from '../experiments/mixture/settings'
import type { Problem } from './labTypes'
import type { PosteriorClient } from './posteriorClient'
import { tableCsv } from './posteriorExports'
import type { PosteriorEvent } from './posteriorMessages'
import type { PosteriorLab, TableState } from './posteriorTypes'

type Lab = () => StoreApi<PosteriorLab>

export class PosteriorTable {
  /** Number of the newest job; what earlier ones still say is ignored. */
  private job = 0

  constructor(
    private readonly client: PosteriorClient,
    private readonly lab: Lab,
  ) {}

  readonly initial: TableState = {
    status: 'idle',
    label: '',
    fraction: 0,
    problem: null,
    rows: [],
    current: true,
  }

  /** Runs all methods that have no row yet, or resumes. */
  run(): void {
    const { status, current, rows } = this.state
    if (status === 'paused') this.client.send({ type: 'resume', name: 'table' })
    if (status === 'paused' || status === 'running') return
    const kept = current ? rows : []
    const wanted = this.methods()
    const missing = wanted.filter((method) => !kept.some((row) => sameMethod(row.method, method)))
    const methods = missing.length > 0 ? missing : wanted
    this.set({
      status: 'running',
      fraction: 0,
      label: '',
      problem: null,
      current: true,
      rows: missing.length > 0 ? kept.filter((row) => wanted.some((one) => sameMethod(row.method, one))) : [],
    })
    const { settings, strokes } = this.lab().getState()
    this.job += 1
    this.client.send({ type: 'runTable', job: this.job, scene: { settings, strokes }, methods })
  }

  pause(): void {
    this.client.send({ type: 'pause', name: 'table' })
  }

  cancel(): void {
    this.client.send({ type: 'cancel', name: 'table' })
  }

  export(): Blob {
    return tableCsv(this.state.rows)
  }

  /** The scene or the sampler is another: rows stay to be read, but are marked, and none are added to them. */
  outdate(): void {
    const { status, rows, current } = this.state
    if (status === 'running' || status === 'paused') {
      this.cancel()
      this.job += 1
      this.set({ status: 'idle', label: '', fraction: 0, secondsLeft: undefined })
    }
    if (rows.length > 0 && current) this.set({ current: false })
  }

  /** The worker is gone. */
  fail(problem: Problem): void {
    if (this.state.status === 'running' || this.state.status === 'paused')
      this.set({ status: 'failed', problem })
  }

  receive(event: Extract<PosteriorEvent, { type: 'job' | 'tableRow' }>): void {
    if (event.job !== this.job) return
    if (event.type === 'job') this.set(event.patch)
    else this.set({ rows: [...this.state.rows, event.row] })
  }

  /** The exact posterior, then every method: with a panel's settings where one shows it. */
  private methods(): (MethodSettings | 'exact')[] {
    const { panels } = this.lab().getState()
    const shown = [panels.a.settings, panels.b.settings]
    return ['exact', ...methodIds.map((id) => shown.find(({ method }) => method === id) ?? defaultMethod(id))]
  }

  private get state(): TableState {
    return this.lab().getState().table
  }

  private set(patch: Partial<TableState>): void {
    this.lab().setState(({ table }) => ({ table: { ...table, ...patch } }))
  }
}

function sameMethod(one: MethodSettings | 'exact', other: MethodSettings | 'exact'): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
