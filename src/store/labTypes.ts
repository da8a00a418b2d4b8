/**
 * What a page of the manifold lab sees and can do. The run itself lives in a Web Worker (runWorker.ts); the
 * store mirrors its snapshots here. Histograms and curves are replaced, never mutated, so that a plot can
 * compare references.
 */
import type { AdapterDescription, Histograms } from '../diffusion/backend'
import type { DrawnStroke } from '../experiments/manifold/dataset'
import type { IterationSummary } from '../experiments/manifold/diem'
import type { ManifoldSettings, PresetName } from '../experiments/manifold/settings'

/** Where a run stands. `paused` can be resumed in the middle of a step; `idle` is between steps. */
export type RunStatus = 'starting' | 'idle' | 'running' | 'paused' | 'finished' | 'failed'

/** What is being done, for progress displays. */
export interface StageProgress {
  readonly stage: 'device' | 'data' | 'start' | 'compile' | 'train' | 'sample' | 'metric' | 'draw'
  /** For example "M step 3 of 8". */
  readonly label: string
  /** 0..1 within the stage. */
  readonly fraction: number
  /** 0..1 of the whole run; undefined for a single step. */
  readonly runFraction?: number
  readonly secondsLeft?: number
  /** Achieved GFLOP/s, averaged over the last second or so. */
  readonly gflops?: number
}

/** Something went wrong: what, why, and the next step. */
export interface Problem {
  readonly title: string
  readonly message: string
  readonly nextStep: string
  /** `retry`: the run can be resumed from the last good iteration. */
  readonly action?: 'retry' | 'reset' | 'none'
  /** Near what it is shown. */
  readonly place: 'run' | 'device' | 'url' | 'import' | 'data' | 'storage'
}

export type DataSource =
  | { readonly kind: 'random' }
  /** Points of a hand-drawn closed or open curve, one per-coordinate list each in [-2, 2]; null coordinates come from the random curve. */
  | { readonly kind: 'drawn'; readonly strokes: readonly DrawnStroke[] }
  /** A file of (A, y) pairs; it stays on the device and is not in the URL. */
  | { readonly kind: 'file'; readonly name: string; readonly count: number }

/** Samples x drawn for one observation, with the constraint A x = y. */
export interface PosteriorView {
  readonly index: number
  /** [observed, features]. */
  readonly A: Float32Array
  /** [observed]. */
  readonly y: Float32Array
  /** [count, features]. */
  readonly samples: Float32Array
  readonly count: number
  /** The latent that made the observation, where known, [features]. */
  readonly truth?: Float32Array
  /** Some samples of the whole prior, for comparison, [any number, features]. */
  readonly prior?: Float32Array
  /** Iteration whose prior was used. */
  readonly iteration: number
}

/** Training loss per step of every M step so far, decimated for display. */
export interface LossCurve {
  /** Cumulative training step. */
  readonly steps: Float64Array
  readonly values: Float64Array
  /** Cumulative step at which each M step began. */
  readonly boundaries: readonly number[]
}

export interface LabState {
  /** 'a' is the main run, 'b' the one beside it. */
  readonly slot: 'a' | 'b'
  readonly status: RunStatus
  readonly preset: PresetName
  readonly settings: ManifoldSettings
  readonly dataSource: DataSource
  readonly adapter: AdapterDescription | null
  /** Why the CPU is used although WebGPU was asked for; browser-specific next step included. */
  readonly fallback: Problem | null
  readonly progress: StageProgress | null
  readonly iterations: readonly IterationSummary[]
  /** Iteration chosen by the scrubber; null follows the newest. */
  readonly selected: number | null
  /** Histograms of the ground truth; null while loading or for data without one. */
  readonly truth: Histograms | null
  /** Histograms of what is shown: the selected iteration's samples, or the ones being drawn now. */
  readonly shown: {
    readonly histograms: Histograms
    readonly iteration: number
    readonly live: boolean
  } | null
  readonly losses: LossCurve
  /** Histograms of unconditional samples of the selected iteration's prior. */
  readonly unconditional: { readonly histograms: Histograms; readonly iteration: number } | null
  readonly posterior: PosteriorView | null
  readonly problem: Problem | null
  /** Things worth knowing that need no action, for example a setting in the URL that was ignored. */
  readonly notices: readonly string[]
  /** Whether the shown iteration has network weights (the Gaussian start has none). */
  readonly hasWeights: boolean
  /** Estimated seconds per preset on this adapter; null until its speed is known. */
  readonly estimates: Readonly<Record<PresetName, number | null>>
}

export interface LabActions {
  /** Runs to the last iteration, or resumes from a pause. */
  run(): void
  pause(): void
  /** One E step (or the Gaussian start, where there is none yet). */
  eStep(): void
  /** One M step on the newest samples. */
  mStep(): void
  /** Abandons the running step and forgets all iterations. Settings and data stay. */
  reset(): void
  /** Stops the running step at once; the last complete iteration stays. */
  cancel(): void
  select(iteration: number | null): void
  /**
   * Changes settings. All but `iterations` restart the run; the page confirms first where iterations would be lost.
   * Settings that are invalid together are refused: returns the messages, and nothing changes.
   */
  change(settings: Partial<ManifoldSettings>): readonly string[]
  choosePreset(preset: PresetName): void
  useRandomCurve(): void
  useDrawnCurve(strokes: readonly DrawnStroke[]): void
  /** A CSV, JSON or safetensors file of (A, y) pairs. Problems appear in `problem` with place 'data'. */
  loadDataFile(file: File): Promise<void>
  drawUnconditional(): void
  /** Posterior samples for observation `index` under the shown iteration's prior. */
  drawPosterior(index: number): void
  /** The run up to the shown iteration: weights, samples, settings, numbers (safetensors). */
  exportRun(): Promise<Blob>
  exportSamples(format: 'csv' | 'npy'): Promise<Blob>
  exportSettings(): Blob
  /** Problems appear in `problem` with place 'import'; the present run stays. */
  importRun(file: File): Promise<void>
  /** Settings JSON as exported. */
  importSettings(file: File): Promise<void>
  dismissProblem(): void
  dismissNotice(index: number): void
  /** The command line that reproduces this run. */
  commandLine(): string
}

export type Lab = LabState & LabActions
