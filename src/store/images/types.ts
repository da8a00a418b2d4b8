/**
 * What the page of the image lab sees and can do. Models, sampling and metrics live in a Web Worker (worker.ts); the store
 * mirrors its results here. Arrays are replaced, never mutated.
 */
import type { AdapterDescription } from '../../diffusion/backend'
import type { ImageMethodName } from '../../diffusion/image/types'
import type { BrushStroke } from '../../experiments/images/masks'
import type { Picture } from '../../experiments/images/pictures'
import type { ImagesPresetName } from '../../experiments/images/presets'
import type { ImagesSettings } from '../../experiments/images/settings'
import type { DenoiserContract, PartialContract } from '../../onnx/contract'
import type { VerificationReport } from '../../onnx/verify'
import type { Problem } from '../labTypes'

export type { BrushStroke } from '../../experiments/images/masks'
export type { Picture } from '../../experiments/images/pictures'

/** An entry of public/models/index.json or public/images/index.json. */
export interface CatalogueEntry {
  readonly name: string
  readonly title: string
  /** Below public/models or public/images. */
  readonly file: string
  readonly description?: string
  readonly author?: string
  readonly licence: string
  readonly source: string
  readonly channels: number
}

export interface Catalogue {
  readonly models: readonly CatalogueEntry[]
  readonly images: readonly CatalogueEntry[]
}

/** A square cut out of the original, in its pixels. */
export interface Crop {
  readonly x: number
  readonly y: number
  readonly side: number
}

export interface ImageSource {
  /** `bundled` names one of public/images; the others stay on the device. */
  readonly kind: 'bundled' | 'upload' | 'paste' | 'drop' | 'camera'
  readonly name: string
  /** The original, EXIF-oriented, at most 4,096 pixels a side. */
  readonly original: Picture
  readonly crop: Crop
  /** The crop at the model's size and channels: the ground truth. */
  readonly truth: Picture
}

export interface ModelState {
  readonly status:
    'none' | 'downloading' | 'asking' | 'building' | 'compiling' | 'verifying' | 'ready' | 'failed'
  readonly name: string
  /** For example "Downloading 2.1 of 4.0 MB", "Deriving the VJP", "First run: compiling shaders". */
  readonly label: string
  /** 0..1, undefined where it is not known. */
  readonly fraction?: number
  readonly contract: DenoiserContract | null
  /** `asking`: what a bare ONNX file does not say; the visitor completes it. */
  readonly partial: PartialContract | null
  /** On the visitor's device; null until verified. */
  readonly report: VerificationReport | null
  readonly problem: Problem | null
}

/** One step's numbers. */
export interface StepRecord {
  readonly step: number
  readonly sigma: number
  /** ‖A x̂ - y‖ / (sigma_y √observed), mean over samples. */
  readonly misfit: number
  /** ‖b - M v‖ / ‖b‖ of the step's system after its last iteration, mean over samples; null where none was solved. */
  readonly solverResidual: number | null
}

export interface RunResult {
  /** Final samples, [samples]. */
  readonly samples: readonly Picture[]
  readonly mean: Picture
  /** Per-pixel standard deviation over samples (null for one sample), scaled for display, with the value that is white. */
  readonly deviation: { readonly picture: Picture; readonly maximum: number } | null
  /** Of each sample, then of the mean. */
  readonly psnr: readonly number[]
  readonly ssim: readonly number[]
  readonly meanPsnr: number
  readonly meanSsim: number
  /** ‖A x - y‖ / (sigma_y √observed) of each sample; about 1 where the posterior is right. */
  readonly misfit: readonly number[]
  readonly steps: readonly StepRecord[]
  readonly passes: { readonly forward: number; readonly vjp: number; readonly jvp: number }
  readonly seconds: number
  /** What they were computed with. */
  readonly settings: ImagesSettings
  /** What they restore, and what they saw of it: the lab may show another picture by now. */
  readonly truth: Picture
  readonly observation: Picture
}

export interface ImageRunState {
  readonly status: 'idle' | 'running' | 'paused' | 'finished' | 'failed'
  /** Of the newest run; null before the first. */
  readonly settings: ImagesSettings | null
  readonly observation: Picture | null
  /** Estimates of the sampler's plan so far, and all of them: see stepWords.ts. */
  readonly step: number
  readonly steps: number
  readonly secondsLeft?: number
  readonly label: string
  /** x̂ of every sample at the newest shown step. */
  readonly frames: readonly Picture[]
  /** Kept frames of sample 1 for the film: one a shown step. */
  readonly film: readonly { readonly step: number; readonly sigma: number; readonly picture: Picture }[]
  readonly records: readonly StepRecord[]
  readonly result: RunResult | null
  readonly problem: Problem | null
}

export interface CompareRow {
  readonly method: ImageMethodName
  readonly label: string
  readonly status: 'waiting' | 'running' | 'finished' | 'failed'
  readonly fraction: number
  readonly steps: number
  readonly picture: Picture | null
  readonly psnr: number | null
  readonly ssim: number | null
  readonly misfit: number | null
  readonly evaluations: number
  readonly seconds: number | null
  readonly message: string
}

export interface CompareState {
  /** Chosen for the next comparison, in the order of its rows. */
  readonly methods: readonly ImageMethodName[]
  readonly status: 'idle' | 'running' | 'paused' | 'finished' | 'failed'
  /** Of the newest comparison; null before the first. */
  readonly settings: ImagesSettings | null
  readonly observation: Picture | null
  readonly rows: readonly CompareRow[]
  readonly fraction: number
  readonly secondsLeft?: number
  readonly label: string
  readonly problem: Problem | null
}

export interface ImagesLabState {
  readonly status: 'starting' | 'ready' | 'failed'
  readonly adapter: AdapterDescription | null
  /** Why WASM computes although WebGPU was asked for. */
  readonly fallback: Problem | null
  readonly settings: ImagesSettings
  /** The preset that the settings began with; the URL holds what differs from it. */
  readonly preset: ImagesPresetName
  /** Bundled models and pictures; empty until their lists are there. */
  readonly catalogue: Catalogue
  /** Strokes of the brush task. */
  readonly strokes: readonly BrushStroke[]
  /** A motion kernel drawn by hand: polyline in -1..1; null uses the random one of the task seed. */
  readonly drawnKernel: readonly (readonly [number, number])[] | null
  readonly source: ImageSource | null
  readonly model: ModelState
  /** What the measurement sees, as a picture (for MRI: the zero-filled inverse; for super-resolution: the small image). */
  readonly observation: Picture | null
  /** Kernel or k-space mask of the task, as a picture; null where there is none. */
  readonly measurement: Picture | null
  readonly run: ImageRunState
  readonly compare: CompareState
  readonly problem: Problem | null
  readonly notices: readonly string[]
  /** Parts of the page that a link hides: 'advanced', 'export'. */
  readonly hidden: ReadonlySet<string>
}

/** PNGs; `restoration` is the first sample, `sheet` original, observation and restoration side by side. */
export type ExportedPicture = 'restoration' | 'mean' | 'observation' | 'original' | 'deviation' | 'sheet'

export interface ImagesLabActions {
  /**
   * Invalid, or a run is going: messages, and nothing changes. With `transient` (a drag) the URL is not written; the last
   * call of a drag goes without it.
   */
  change(settings: Partial<ImagesSettings>, transient?: boolean): readonly string[]
  /** Settings, image, model and compared methods of a preset; a run under way is cancelled. */
  choosePreset(preset: ImagesPresetName): void
  /** At least one method, for the next comparison; the running one keeps its own. */
  setCompared(methods: readonly ImageMethodName[]): void
  setStrokes(strokes: readonly BrushStroke[]): void
  setDrawnKernel(points: readonly (readonly [number, number])[] | null): void
  chooseBundledImage(name: string): Promise<void>
  /** A file or a blob from paste, drop or camera. Problems appear in `problem` with place 'data'; the present image stays. */
  openImage(blob: Blob, kind: ImageSource['kind'], name: string): Promise<void>
  setCrop(crop: Crop): void
  chooseModel(name: string): Promise<void>
  /** `.onnx` with an optional `denoiser.json` (and external data) in one go. */
  openModel(files: readonly File[]): Promise<void>
  /** Answers what `model.partial` left open. */
  completeContract(contract: DenoiserContract): Promise<void>
  cancelModel(): void
  /** Runs, or resumes (`run` is the state of it). */
  start(): void
  pause(): void
  cancel(): void
  reseed(): void
  runCompare(): void
  pauseCompare(): void
  cancelCompare(): void
  /** Error: what is missing. */
  exportPicture(which: ExportedPicture): Promise<Blob>
  exportCsv(): Blob
  exportCompareCsv(): Blob
  exportSettings(): Blob
  /** The command that restores the same without a window; a picture or model of the visitor's own has a made-up path. */
  commandLine(): string
  /** The film, as WebM or what the browser records: `type` of the blob says which. */
  exportFilm(onProgress: (fraction: number) => void, signal: AbortSignal): Promise<Blob>
  dismissProblem(): void
  dismissNotice(index: number): void
}

export type ImagesLab = ImagesLabState & ImagesLabActions
