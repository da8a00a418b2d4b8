/** The run in the image lab's store: its frames, film, numbers and result. */
import type { StoreApi } from 'zustand/vanilla'
import type { Problem } from '../labTypes'
import type { ImagesClient } from './client'
import { extendFilm } from './film'
import type { ImagesEvent, TaskRequest } from './messages'
import type { ImageRunState, ImagesLab } from './types'

export const noRun: ImageRunState = {
  status: 'idle',
  settings: null,
  observation: null,
  step: 0,
  steps: 0,
  label: '',
  frames: [],
  film: [],
  records: [],
  result: null,
  problem: null,
}

export class LabRun {
  /** Number of the newest job; what earlier ones still say is ignored. */
  private job = 0

  constructor(
    private readonly client: ImagesClient,
    private readonly lab: () => StoreApi<ImagesLab>,
  ) {}

  get isGoing(): boolean {
    return this.state.status === 'running' || this.state.status === 'paused'
  }

  /** Begins a run; the result of the one before stays until there is another, and its numbers until the first step. */
  start(task: TaskRequest): void {
    this.job += 1
    const { result, records } = this.state
    const { settings } = task
    const { steps } = settings
    const { observation } = this.lab().getState()
    this.lab().setState({
      run: { ...noRun, status: 'running', settings, observation, steps, label: 'Starting', result, records },
    })
    this.client.send({ type: 'run', job: this.job, task })
  }

  resume(): void {
    if (this.state.status === 'paused') this.client.send({ type: 'resume', name: 'run' })
  }

  pause(): void {
    if (this.state.status === 'running') this.client.send({ type: 'pause', name: 'run' })
  }

  /** Between two steps; frames so far stay to be seen. */
  cancel(): void {
    if (!this.isGoing) return
    this.job += 1
    this.client.send({ type: 'cancel', name: 'run' })
    this.set({ status: 'idle', label: '', secondsLeft: undefined })
  }

  /** Nothing was computed: what is missing, or what went wrong with the worker. */
  fail(problem: Problem): void {
    this.set({
      status: this.isGoing ? 'failed' : this.state.status,
      problem,
      label: '',
      secondsLeft: undefined,
    })
  }

  receive(event: Extract<ImagesEvent, { type: 'job' | 'step' | 'result' }>): void {
    if (event.job !== this.job) return
    if (event.type === 'job') {
      const { fraction: _, ...patch } = event.patch
      this.set(patch)
      return
    }
    if (event.type === 'result') {
      this.set({ result: event.result, records: event.result.steps })
      return
    }
    const { step, steps, records, frames } = event
    const picture = frames?.[0]
    const sigma = records.at(-1)?.sigma ?? 0
    const isFirst = records[0]?.step === 1
    this.set({
      step,
      steps,
      records: isFirst ? records : [...this.state.records, ...records],
      ...(frames && { frames }),
      ...(picture && { film: extendFilm(this.state.film, { step, sigma, picture }) }),
    })
  }

  private get state(): ImageRunState {
    return this.lab().getState().run
  }

  private set(patch: Partial<ImageRunState>): void {
    this.lab().setState(({ run }) => ({ run: { ...run, ...patch } }))
  }
}
