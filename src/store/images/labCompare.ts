/** The comparison in the image lab's store: a row a method. */
import type { StoreApi } from 'zustand/vanilla'
import type { ImageMethodName } from '../../diffusion/image/types'
import { methodLabel } from '../../experiments/images/compare'
import type { Problem } from '../labTypes'
import type { ImagesClient } from './client'
import type { ImagesEvent, TaskRequest } from './messages'
import type { CompareRow, CompareState, ImagesLab } from './types'

export class LabCompare {
  /** Number of the newest job; what earlier ones still say is ignored. */
  private job = 0

  constructor(
    private readonly client: ImagesClient,
    private readonly lab: () => StoreApi<ImagesLab>,
  ) {}

  initial(methods: readonly ImageMethodName[]): CompareState {
    return {
      methods,
      status: 'idle',
      settings: null,
      observation: null,
      rows: [],
      fraction: 0,
      label: '',
      problem: null,
    }
  }

  get isGoing(): boolean {
    return this.state.status === 'running' || this.state.status === 'paused'
  }

  start(task: TaskRequest): void {
    this.job += 1
    const { methods } = this.state
    const { settings } = task
    const { observation } = this.lab().getState()
    const rows = methods.map((method): CompareRow => ({
      method,
      label: methodLabel({ ...settings, method }),
      status: 'waiting',
      fraction: 0,
      steps: 0,
      picture: null,
      psnr: null,
      ssim: null,
      misfit: null,
      evaluations: 0,
      seconds: null,
      message: '',
    }))
    this.set({
      status: 'running',
      settings,
      observation,
      rows,
      fraction: 0,
      label: 'Starting',
      problem: null,
    })
    this.client.send({ type: 'compare', job: this.job, task, methods })
  }

  resume(): void {
    if (this.state.status === 'paused') this.client.send({ type: 'resume', name: 'compare' })
  }

  pause(): void {
    if (this.state.status === 'running') this.client.send({ type: 'pause', name: 'compare' })
  }

  /** Finished rows stay. */
  cancel(): void {
    if (!this.isGoing) return
    this.job += 1
    this.client.send({ type: 'cancel', name: 'compare' })
    this.set({ status: 'idle', label: '', secondsLeft: undefined, rows: this.withoutRunning() })
  }

  fail(problem: Problem): void {
    const status = this.isGoing ? 'failed' : this.state.status
    this.set({ status, problem, label: '', secondsLeft: undefined, rows: this.withoutRunning() })
  }

  receive(event: Extract<ImagesEvent, { type: 'job' | 'compareRow' }>): void {
    if (event.job !== this.job) return
    if (event.type === 'job') this.set(event.patch)
    else {
      const rows = this.state.rows.map((row) =>
        row.method === event.method ? { ...row, ...event.patch } : row,
      )
      this.set({ rows })
    }
  }

  /** A row that was left in the middle has no numbers. */
  private withoutRunning(): CompareRow[] {
    return this.state.rows.map((row) =>
      row.status === 'running' ? { ...row, status: 'waiting', fraction: 0 } : row,
    )
  }

  private get state(): CompareState {
    return this.lab().getState().compare
  }

  private set(patch: Partial<CompareState>): void {
    this.lab().setState(({ compare }) => ({ compare: { ...compare, ...patch } }))
  }
}
