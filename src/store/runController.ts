/**
 * Owns one run and the device it uses: starts, pauses, resumes and cancels steps, recovers from a lost device, and
 * publishes what a page shows. It knows neither React nor Web Workers; runWorker.ts puts it behind messages.
 *
 * Nothing that was computed is lost by a failure: a step either completes or leaves the run as it was.
 */
import {
  DeviceLimitError,
  DeviceLostError,
  NonFiniteLossError,
  type Backend,
  type Histograms,
} from '../diffusion/backend'
import { histograms } from '../diffusion/histogram'
import { nextTask, Pacer } from '../diffusion/jobControl'
import { datasetPieces, type DataOrigin, type Dataset } from '../experiments/manifold/dataset'
import {
  DiemRun,
  HISTOGRAM_RANGE,
  keptSamples,
  NoSamplesError,
  summarize,
  type IterationRecord,
  type RunState,
  type StepStage,
} from '../experiments/manifold/diem'
import { eStepFlops, mStepFlops } from '../experiments/manifold/flops'
import type { SavedRun } from '../experiments/manifold/runFile'
import {
  presetNames,
  presets,
  type ManifoldSettings,
  type PresetName,
} from '../experiments/manifold/settings'
import type { AdapterSpeed } from './autosave'
import type { DataSource, LabState, LossCurve, Problem, StageProgress } from './labTypes'
import { OpenedDevice } from './openedDevice'

export type Patch = Partial<LabState>

/** What the controller needs from where it runs. */
export interface ControllerHost {
  openBackend(): Promise<{ backend: Backend; fallback: Problem | null }>
  publish(patch: Patch): void
  /** Called after each step with the first record that is new. */
  save?(run: SavedRun, firstNew: number): Promise<void>
  loadSpeed?(adapter: string): Promise<AdapterSpeed>
  saveSpeed?(adapter: string, speed: AdapterSpeed): Promise<void>
}

/** Points drawn of the truth and of the prior for histograms, and for one observation's posterior. */
const TRUTH_DRAWS = 65536
const PRIOR_DRAWS = 8192
const POSTERIOR_DRAWS = 1024
/** Samples of the whole prior behind those. */
const PRIOR_SHOWN = 1024
const TRUTH_STREAM = 0x7000_0004
const PROGRESS_MILLISECONDS = 100
const PREVIEW_MILLISECONDS = 250
/** Points of the loss curve; beyond them it is averaged in pieces. */
const CURVE_POINTS = 2000

/** One running step or sequence of steps. */
interface Job {
  readonly abort: AbortController
  /** Pending while paused. */
  gate: Promise<void>
  /** Undefined unless paused. */
  openGate: (() => void) | undefined
}

export class RunController {
  private run: DiemRun | undefined
  private source:
    { settings: ManifoldSettings; preset: PresetName; origin: DataOrigin; dataset: Dataset } | undefined
  private readonly device = new OpenedDevice(() => this.openDevice())
  private job: Job | undefined
  /** Settles when the running job has left; the next one waits for it. */
  private leaving: Promise<void> = Promise.resolve()
  private selected: number | null = null
  private adapterName = ''
  private speed: AdapterSpeed = {}
  private readonly shown = new Map<number, Histograms>()
  private unsaved = 0
  private storageFailed = false

  constructor(private readonly host: ControllerHost) {}

  /** Begins a run with these settings, or continues `state`. The former run, if any, is abandoned. */
  async open(
    settings: ManifoldSettings,
    preset: PresetName,
    origin: DataOrigin,
    state?: RunState,
  ): Promise<void> {
    await this.stopJob()
    this.host.publish({ status: 'starting', progress: stage('data', 'Making the data') })
    // what was just published passes before the data blocks this thread
    await nextTask()
    const dataset = await this.makeDataset(settings, origin)
    const truthDraws = dataset.drawTruth?.(TRUTH_DRAWS, TRUTH_STREAM)
    this.source = { settings, preset, origin, dataset }
    this.shown.clear()
    this.selected = null
    this.host.publish({
      settings,
      preset,
      dataSource: describeOrigin(origin),
      truth: truthDraws ? histograms(truthDraws, settings.features, settings.bins, HISTOGRAM_RANGE) : null,
      unconditional: null,
      posterior: null,
      selected: null,
      progress: stage('device', 'Opening the device'),
    })
    const backend = await this.device.open()
    this.run = new DiemRun(settings, dataset, backend, state)
    // a run that was imported or restored is not what this slot's storage holds under the present writer's name
    this.unsaved = 0
    this.publishRecords()
    this.host.publish({ status: this.restingStatus(), progress: null })
  }

  /** The run's data, in pieces: this thread goes on answering while a million observations are made. */
  private makeDataset(settings: ManifoldSettings, origin: DataOrigin): Promise<Dataset> {
    const total = settings.observations
    const onProgress = ({ done }: { readonly done: number }) =>
      this.host.publish({ progress: { ...stage('data', 'Making the data'), fraction: done / total } })
    return new Pacer({ onProgress }).run(datasetPieces(settings, origin), (done) => ({
      stage: 'compute',
      done,
      total,
      flops: 0,
    }))
  }

  /** More or fewer EM iterations: the one setting that a run can change. */
  async setIterations(iterations: number): Promise<void> {
    if (!this.run || !this.source) return
    this.run.setIterations(iterations)
    const { settings } = this.run
    this.source = { ...this.source, settings }
    this.host.publish(this.job ? { settings } : { settings, status: this.restingStatus() })
    if (this.run.records.length > 0) await this.save()
  }

  /** Runs to the last iteration, or resumes from a pause. */
  async start(): Promise<void> {
    if (this.resume()) return
    await this.work(async (run, control) => {
      while (!run.finished) await this.step(run, control, run.next === 'm' ? 'm' : 'e')
    })
  }

  pause(): void {
    const { job } = this
    // A second press must not replace the gate at which the step waits.
    if (!job || job.openGate) return
    job.gate = new Promise((resolve) => (job.openGate = resolve))
    this.host.publish({ status: 'paused' })
  }

  private resume(): boolean {
    if (!this.job) return false
    this.job.openGate?.()
    this.job.openGate = undefined
    this.job.gate = Promise.resolve()
    this.host.publish({ status: 'running' })
    return true
  }

  async eStep(): Promise<void> {
    await this.work((run, control) => this.step(run, control, 'e', true))
  }

  async mStep(): Promise<void> {
    await this.work((run, control) => this.step(run, control, 'm', true))
  }

  /** Stops the running step; complete iterations stay. */
  async cancel(): Promise<void> {
    await this.stopJob()
    this.host.publish({ status: this.restingStatus(), progress: null })
    this.publishShown()
  }

  /** Forgets all iterations; settings and data stay. */
  async reset(): Promise<void> {
    if (!this.source) return
    await this.stopJob()
    const { settings, dataset } = this.source
    this.shown.clear()
    this.selected = null
    this.run = new DiemRun(settings, dataset, await this.device.open())
    this.unsaved = 0
    this.host.publish({ selected: null, unconditional: null, posterior: null, problem: null, progress: null })
    this.publishRecords()
    this.host.publish({ status: 'idle' })
    await this.save()
  }

  /** Shows an iteration; null follows the newest. */
  select(iteration: number | null): void {
    this.selected = iteration
    this.host.publish({ selected: iteration })
    this.publishShown()
  }

  async drawUnconditional(): Promise<void> {
    const { settings } = this.source ?? {}
    await this.draw('Drawing from the prior', async (run, record, control) => {
      const samples = await run.drawUnconditional(record, PRIOR_DRAWS, control)
      if (!samples || !settings) return
      const counted = histograms(samples, settings.features, settings.bins, HISTOGRAM_RANGE)
      this.host.publish({ unconditional: { histograms: counted, iteration: record.iteration } })
    })
  }

  async drawPosterior(index: number): Promise<void> {
    if (!this.source) return
    const { settings, dataset } = this.source
    const { A, y, observed, features, count } = dataset.observations
    const chosen = Math.min(Math.max(Math.trunc(index), 0), count - 1)
    await this.draw('Drawing from the posterior', async (run, record, control) => {
      const samples = await run.drawPosterior(record, chosen, POSTERIOR_DRAWS, control)
      const width = observed * features
      this.host.publish({
        posterior: {
          index: chosen,
          A: A.slice(chosen * width, (chosen + 1) * width),
          y: y.slice(chosen * observed, (chosen + 1) * observed),
          samples,
          count: samples.length / settings.features,
          truth: dataset.latents?.slice(chosen * features, (chosen + 1) * features),
          prior: keptSamples(record.samples.subarray(0, PRIOR_SHOWN * features), settings),
          iteration: record.iteration,
        },
      })
    })
  }

  /** The run up to the shown iteration, as it would be saved then. */
  snapshot(): SavedRun | undefined {
    if (!this.run || !this.source) return undefined
    const { settings, preset, origin } = this.source
    const { state } = this.run
    if (this.selected === null || this.selected >= state.records.length - 1)
      return { settings, preset, origin, state }
    const records = state.records.slice(0, this.selected + 1)
    const { steps } = records.at(-1)!
    return {
      settings,
      preset,
      origin,
      state: { records, weights: null, losses: new Float32Array(0), seconds: 0, steps },
    }
  }

  /** Samples of the shown iteration. */
  shownRecord(): IterationRecord | undefined {
    const records = this.run?.records ?? []
    return this.selected === null ? records.at(-1) : records[this.selected]
  }

  /** See OpenedDevice. */
  loseDevice(): Promise<void> {
    return this.device.lose()
  }

  private async openDevice(): Promise<Backend> {
    const { backend, fallback } = await this.host.openBackend()
    this.adapterName = backend.adapter.name
    this.speed = (await this.host.loadSpeed?.(backend.adapter.name).catch(() => undefined)) ?? {}
    this.host.publish({ adapter: backend.adapter, fallback, estimates: this.estimates() })
    return backend
  }

  private async work(task: (run: DiemRun, control: AbortSignal) => Promise<void>): Promise<void> {
    if (this.job || !this.run) return
    const job: Job = { abort: new AbortController(), gate: Promise.resolve(), openGate: undefined }
    this.job = job
    let left = () => {}
    this.leaving = new Promise((resolve) => (left = resolve))
    this.host.publish({ status: 'running', problem: null, progress: stage('device', 'Opening the device') })
    try {
      this.run.backend = await this.device.open()
      await task(this.run, job.abort.signal)
      this.job = undefined
      this.host.publish({ status: this.restingStatus(), progress: null })
    } catch (error) {
      this.job = undefined
      if (!job.abort.signal.aborted) this.fail(error)
    } finally {
      left()
    }
  }

  private async stopJob(): Promise<void> {
    if (!this.job) return
    this.job.abort.abort(new DOMException('The step was cancelled.', 'AbortError'))
    this.job.openGate?.()
    await this.leaving
  }

  /** `single`: the step is all that was asked for, not a part of a whole run. */
  private async step(run: DiemRun, signal: AbortSignal, kind: 'm' | 'e', single = false): Promise<void> {
    const before = run.records.length
    const watch = this.watchStep(run, single)
    const control = {
      signal,
      ready: () => this.job?.gate ?? Promise.resolve(),
      onStage: watch,
      onPreview: (counted: Histograms) => {
        if (this.selected === null && !signal.aborted)
          this.host.publish({ shown: { histograms: counted, iteration: before, live: true } })
      },
      previewMilliseconds: PREVIEW_MILLISECONDS,
    }
    if (kind === 'm') await run.mStep(control)
    else await run.eStep(control)
    this.publishRecords()
    await this.save()
  }

  /** Turns a step's progress into what the page shows; throttled, so that messages cost nothing. */
  private watchStep(run: DiemRun, single: boolean) {
    let lastStage: StepStage | undefined
    let lastPublished = 0
    let lastTime = performance.now()
    let stageSeconds = 0
    let lastFlops = 0
    return (current: StepStage, fraction: number, details?: { flops: number; loss?: number }) => {
      const now = performance.now()
      if (current !== lastStage) {
        lastStage = current
        stageSeconds = 0
        lastPublished = 0
      } else if (now - lastTime < 5000) {
        // Longer gaps are pauses or a sleeping machine, not work.
        stageSeconds += (now - lastTime) / 1000
      }
      lastTime = now
      lastFlops = details?.flops ?? 0
      if ((current === 'train' || current === 'sample') && stageSeconds > 0.5 && lastFlops > 0) {
        const known = this.speed[current] !== undefined
        this.speed = { ...this.speed, [current]: stageSeconds / lastFlops }
        if (!known) this.host.publish({ estimates: this.estimates() })
      }
      if (now - lastPublished < PROGRESS_MILLISECONDS) return
      lastPublished = now
      const iteration = run.records.length
      this.host.publish({
        progress: {
          stage: current,
          label: stageLabel(current, iteration, run.settings.iterations),
          fraction,
          runFraction: single ? undefined : this.runFraction(run, current, fraction),
          secondsLeft: single
            ? this.secondsLeftOfStep(run, current, fraction)
            : this.secondsLeft(run, current, fraction),
          gflops: stageSeconds > 0.2 && lastFlops > 0 ? lastFlops / stageSeconds / 1e9 : undefined,
        },
      })
    }
  }

  private runFraction(run: DiemRun, current: StepStage, fraction: number): number {
    const m = mStepFlops(run.settings)
    const e = eStepFlops(run.settings)
    const done = Math.max(run.records.length - 1, 0) * (m + e) + doneWithin(run, current, fraction, { m, e })
    return Math.min(done / (run.settings.iterations * (m + e)), 1)
  }

  /** From the rates measured so far; undefined until there is one. */
  private secondsLeft(run: DiemRun, current: StepStage, fraction: number): number | undefined {
    const seconds = secondsOf(run.settings, this.speed)
    if (!seconds) return undefined
    const iterations = run.settings.iterations - Math.max(run.records.length - 1, 0)
    return Math.max(iterations * (seconds.m + seconds.e) - doneWithin(run, current, fraction, seconds), 0)
  }

  /** As above, for one M or E step alone. */
  private secondsLeftOfStep(run: DiemRun, current: StepStage, fraction: number): number | undefined {
    const seconds = secondsOf(run.settings, this.speed)
    if (!seconds || (current !== 'train' && current !== 'sample')) return undefined
    return (1 - fraction) * (current === 'train' ? seconds.m : seconds.e)
  }

  private estimates(): LabState['estimates'] {
    const entries = presetNames.map((name) => {
      const seconds = secondsOf(presets[name], this.speed)
      return [name, seconds ? presets[name].iterations * (seconds.m + seconds.e) : null]
    })
    return Object.fromEntries(entries) as LabState['estimates']
  }

  private async draw(
    label: string,
    task: (
      run: DiemRun,
      record: IterationRecord,
      control: { signal: AbortSignal; onStage: (s: StepStage, f: number) => void },
    ) => Promise<void>,
  ): Promise<void> {
    const record = this.shownRecord()
    if (!record) return
    await this.work((run, signal) =>
      task(run, record, {
        signal,
        onStage: (_, fraction) => this.host.publish({ progress: { ...stage('draw', label), fraction } }),
      }),
    )
  }

  private publishRecords(): void {
    const records = this.run?.records ?? []
    this.host.publish({
      iterations: records.map(summarize),
      losses: lossCurve(records, this.run?.state.losses ?? new Float32Array(0)),
    })
    this.publishShown()
  }

  private publishShown(): void {
    const record = this.shownRecord()
    if (!record || !this.source) {
      this.host.publish({ shown: null, hasWeights: false })
      return
    }
    const { features, bins } = this.source.settings
    let counted = this.shown.get(record.iteration)
    if (!counted) {
      counted = histograms(record.samples, features, bins, HISTOGRAM_RANGE)
      this.shown.set(record.iteration, counted)
    }
    this.host.publish({
      shown: { histograms: counted, iteration: record.iteration, live: false },
      hasWeights: record.weights !== null,
    })
  }

  /** Keeps the run for a reload. Where the storage refuses, the page hears of it once. */
  async save(): Promise<void> {
    const { run, source } = this
    if (!run || !source || !this.host.save) return
    const { settings, preset, origin } = source
    const { length } = run.records
    try {
      await this.host.save({ settings, preset, origin, state: run.state }, this.unsaved)
      // Another run may have begun in the meantime.
      if (this.run !== run) return
      this.unsaved = length
      this.storageFailed = false
      await this.host.saveSpeed?.(this.adapterName, this.speed)
      this.host.publish({ estimates: this.estimates() })
    } catch (error) {
      if (this.storageFailed) return
      this.storageFailed = true
      this.host.publish({
        problem: {
          title: 'The run could not be saved for a reload',
          message: `The browser’s storage answered: ${messageOf(error)}`,
          nextStep:
            'The run goes on. Export it before you close the tab, or free some space and reset the run.',
          action: 'none',
          place: 'storage',
        },
      })
    }
  }

  private restingStatus(): 'idle' | 'finished' {
    return this.run?.finished ? 'finished' : 'idle'
  }

  private fail(error: unknown): void {
    this.host.publish({
      status: 'failed',
      progress: null,
      problem: explain(error, this.run?.records.length ?? 0),
    })
    this.publishShown()
  }
}

/** What went wrong, in a person's words, with the next step. `complete` is the number of iterations that stay. */
export function explain(error: unknown, complete: number): Problem {
  const kept = complete > 0 ? ` Everything up to iteration ${complete - 1} is still here.` : ''
  if (error instanceof DeviceLostError) {
    return {
      title: 'The graphics device was lost',
      message: `${error.message}${kept}`,
      nextStep:
        'Press Run to open the device again and repeat the interrupted step. If it happens again, close other programs that use the GPU, or choose a smaller preset.',
      action: 'retry',
      place: 'run',
    }
  }
  if (error instanceof NonFiniteLossError) {
    return {
      title: 'Training diverged',
      message: `${error.message}${kept}`,
      nextStep: 'Lower the learning rate or the gradient clip, or choose another seed, and run again.',
      action: 'reset',
      place: 'run',
    }
  }
  if (error instanceof NoSamplesError) {
    return {
      title: 'The samples left the plot',
      message: `${error.message}${kept}`,
      nextStep:
        'Use the Tweedie or Gaussian-fit covariance with the exact solver and the safeguard, or train longer, and run again.',
      action: 'reset',
      place: 'run',
    }
  }
  if (error instanceof DeviceLimitError) {
    return {
      title: 'Too large for this device',
      message: `${error.message}${kept}`,
      nextStep: 'Lower the setting that the message names and run again.',
      action: 'reset',
      place: 'run',
    }
  }
  return {
    title: 'The step failed',
    message: `${messageOf(error)}${kept}`,
    nextStep: 'Press Run to repeat the step. If it fails again, export the run and reload the page.',
    action: 'retry',
    place: 'run',
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function stage(name: StageProgress['stage'], label: string): StageProgress {
  return { stage: name, label, fraction: 0 }
}

function stageLabel(current: StepStage, iteration: number, iterations: number): string {
  const where = `iteration ${iteration} of ${iterations}`
  const labels: Record<StepStage, string> = {
    start: 'Gaussian start',
    compile: 'Compiling shaders',
    train: `M step, ${where}`,
    sample: `E step, ${where}`,
    metric: `Sinkhorn divergence, ${where}`,
    draw: 'Drawing',
  }
  return labels[current]
}

/** What of the present iteration's cost is done. The Gaussian start, metric included, costs nothing here. */
function doneWithin(
  run: DiemRun,
  current: StepStage,
  fraction: number,
  { m, e }: { m: number; e: number },
): number {
  if (run.records.length === 0) return 0
  if (current === 'train') return fraction * m
  if (current === 'sample') return m + fraction * e
  return current === 'metric' ? m + e : 0
}

/** Seconds of one M and one E step at a measured speed; where only one rate is known it stands for both. */
function secondsOf(settings: ManifoldSettings, speed: AdapterSpeed): { m: number; e: number } | undefined {
  const train = speed.train ?? speed.sample
  const sample = speed.sample ?? speed.train
  if (!train || !sample) return undefined
  return { m: mStepFlops(settings) * train, e: eStepFlops(settings) * sample }
}

function describeOrigin(origin: DataOrigin): DataSource {
  return origin.kind === 'file'
    ? { kind: 'file', name: origin.name, count: origin.observations.count }
    : origin
}

/** The losses of all M steps in one curve of at most about CURVE_POINTS means. */
function lossCurve(records: readonly IterationRecord[], newest: Float32Array): LossCurve {
  const parts = [...records.map(({ losses }) => losses), newest].filter((part) => part.length > 0)
  const total = parts.reduce((sum, part) => sum + part.length, 0)
  const piece = Math.max(Math.ceil(total / CURVE_POINTS), 1)
  const steps: number[] = []
  const values: number[] = []
  const boundaries: number[] = []
  let begin = 0
  for (const part of parts) {
    boundaries.push(begin)
    for (let i = 0; i < part.length; i += piece) {
      const chunk = part.subarray(i, i + piece)
      steps.push(begin + i + (chunk.length - 1) / 2)
      values.push(chunk.reduce((sum, value) => sum + value, 0) / chunk.length)
    }
    begin += part.length
  }
  return { steps: Float64Array.from(steps), values: Float64Array.from(values), boundaries }
}
