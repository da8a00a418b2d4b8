/**
 * What the page of the posterior lab sees and can do. Sampling lives in a Web Worker (posteriorWorker.ts); the store
 * mirrors its results here. Arrays are replaced, never mutated, so that a plot can compare references.
 */
import type { AdapterDescription } from '../diffusion/backend'
import type { DrawnStroke } from '../experiments/manifold/dataset'
import type { Figure2Row, Figure2Settings } from '../experiments/mixture/figure2'
import type { PanelResult } from '../experiments/mixture/methods'
import type { MethodSettings, MixtureSettings } from '../experiments/mixture/settings'
import type { PosteriorPresetName } from '../experiments/mixture/presets'
import type { Scene } from '../experiments/mixture/scene'
import type { MethodScore } from '../experiments/mixture/scores'
import type { Problem } from './labTypes'

export type { PanelResult } from '../experiments/mixture/methods'
export type { Scene } from '../experiments/mixture/scene'

/** The two panels of Figure 1. */
export type PanelName = 'a' | 'b'

export interface PanelState {
  readonly settings: MethodSettings
  /** Newest result; it stays while the next is computed. */
  readonly result: PanelResult | null
  readonly computing: boolean
  /** Compiling shaders, or 0..1; null when idle or too quick to tell. */
  readonly progress: 'compile' | number | null
  readonly problem: Problem | null
}

/** A long job: the methods table or Figure 2. */
export interface JobState {
  readonly status: 'idle' | 'running' | 'paused' | 'finished' | 'failed'
  /** For example "ΠGDM: transport to the exact posterior". */
  readonly label: string
  /** 0..1. */
  readonly fraction: number
  readonly secondsLeft?: number
  readonly problem: Problem | null
}

export interface TableState extends JobState {
  /** A row per method, in the order computed; `exact` is a second draw of the exact posterior. */
  readonly rows: readonly MethodScore[]
  /** Whether the rows belong to the present scene and sampler. */
  readonly current: boolean
}

export interface Figure2State extends JobState {
  readonly settings: Figure2Settings
  readonly rows: readonly Figure2Row[]
  readonly seedsDone: number
}

export interface PosteriorLabState {
  readonly status: 'starting' | 'ready' | 'failed'
  readonly settings: MixtureSettings
  /** The preset that the settings began with; the URL holds what differs from it. */
  readonly preset: PosteriorPresetName
  readonly strokes: readonly DrawnStroke[]
  readonly adapter: AdapterDescription | null
  readonly fallback: Problem | null
  readonly scene: Scene | null
  readonly panels: Readonly<Record<PanelName, PanelState>>
  /** Frame shown, 0 (t = 1) to `lastFrame` (x_0). */
  readonly frame: number
  readonly lastFrame: number
  readonly playing: boolean
  /** Sample whose x_t carries the covariance ellipses. */
  readonly probe: { readonly panel: PanelName; readonly index: number } | null
  readonly table: TableState
  readonly figure2: Figure2State
  /** A learned prior that could be opened: from the manifold lab's saved run, or a run file. */
  readonly learned: { readonly available: boolean; readonly description: string }
  readonly problem: Problem | null
  readonly notices: readonly string[]
  /** Parts of the page that a link hides: 'advanced', 'export'. */
  readonly hidden: ReadonlySet<string>
}

export interface PosteriorLabActions {
  /**
   * Changes settings; both panels follow at once. With `transient` (a drag under way) the URL is not written and
   * fewer samples may be drawn; the last call of a drag goes without it. Invalid together: messages, and nothing changes.
   */
  change(settings: Partial<MixtureSettings>, transient?: boolean): readonly string[]
  changeMethod(panel: PanelName, settings: Partial<MethodSettings>): readonly string[]
  choosePreset(preset: PosteriorPresetName): void
  useDrawnCurve(strokes: readonly DrawnStroke[]): void
  /** The newest prior of the manifold lab's saved run. Problems appear in `problem`. */
  openLearned(): Promise<void>
  /** A run file exported by the manifold lab. */
  openRunFile(file: File): Promise<void>
  /** Another seed for the sampler's noise and a random curve. */
  reseed(): void
  showFrame(frame: number): void
  play(): void
  pausePlaying(): void
  setProbe(probe: PosteriorLabState['probe']): void
  /** Runs, or resumes, the table for all methods at the present scene. */
  runTable(): void
  pauseTable(): void
  cancelTable(): void
  changeFigure2(settings: Partial<Figure2Settings>): readonly string[]
  /** Runs to `settings.seeds` seeds, or resumes. */
  runFigure2(): void
  pauseFigure2(): void
  /** Stops at once; finished seeds stay. */
  cancelFigure2(): void
  resetFigure2(): void
  /** Samples of a panel at x_0, or the shown frame: columns x1..xn. */
  exportSamples(panel: PanelName): Blob
  exportTable(): Blob
  exportFigure2(): Blob
  exportSettings(): Blob
  /** `npm run figure2 …` that makes the same Figure 2. */
  figure2Command(): string
  dismissProblem(): void
  dismissNotice(index: number): void
}

export type PosteriorLab = PosteriorLabState & PosteriorLabActions
