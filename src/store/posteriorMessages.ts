/** What the page of the posterior lab and its Web Workers say to each other. */
import type { AdapterDescription } from '../diffusion/backend'
import type { DrawnStroke } from '../experiments/manifold/dataset'
import type { Figure2Row, Figure2Settings } from '../experiments/mixture/figure2'
import type { MethodScore } from '../experiments/mixture/scores'
import type { MethodSettings, MixtureSettings } from '../experiments/mixture/settings'
import type { Problem } from './labTypes'
import type { JobState, PanelName, PanelState, Scene } from './posteriorTypes'

/** A scene's and its sampler's settings, and the strokes of a drawn curve. */
export interface SceneRequest {
  readonly settings: MixtureSettings
  readonly strokes: readonly DrawnStroke[]
}

/** What both panels are to show. */
export interface Wanted extends SceneRequest {
  readonly methods: Readonly<Record<PanelName, MethodSettings>>
  /** A drag is under way: fewer samples, sooner. */
  readonly transient: boolean
  /** Grows with every request. */
  readonly generation: number
}

/** The jobs that can be paused. */
export type JobName = 'table' | 'figure2'

export type PosteriorCommand =
  | { readonly type: 'sample'; readonly wanted: Wanted }
  | {
      readonly type: 'runTable'
      readonly job: number
      readonly scene: SceneRequest
      readonly methods: readonly (MethodSettings | 'exact')[]
    }
  | {
      readonly type: 'runFigure2'
      readonly job: number
      readonly settings: Figure2Settings
      /** Those that are still to be computed. */
      readonly seeds: readonly number[]
    }
  | { readonly type: 'pause' | 'resume' | 'cancel'; readonly name: JobName }
  | { readonly type: 'loseDevice' }

/** Answered with a `LearnedAnswer`: where a learned prior comes from. */
export type LearnedRequest =
  { readonly type: 'savedRun' } | { readonly type: 'runFile'; readonly bytes: Uint8Array }

export type LearnedAnswer = LearnedFound | { readonly error: string }

export interface LearnedFound {
  readonly features: number
  readonly description: string
  /** Noise levels that it was trained for. */
  readonly sigmaMin: number
  readonly sigmaMax: number
}

export type ToPosteriorWorker =
  { readonly command: PosteriorCommand } | { readonly id: number; readonly request: LearnedRequest }

/** What has happened. Those of a request carry its generation; those of a job carry the job's number. */
export type PosteriorEvent =
  | {
      readonly type: 'device'
      readonly adapter: AdapterDescription
      readonly fallback: Problem | null
    }
  | { readonly type: 'scene'; readonly generation: number; readonly scene: Scene }
  | { readonly type: 'sceneFailed'; readonly generation: number; readonly problem: Problem }
  | {
      readonly type: 'panel'
      readonly generation: number
      readonly panel: PanelName
      readonly patch: Partial<Omit<PanelState, 'settings'>>
    }
  | {
      readonly type: 'job'
      readonly name: JobName
      readonly job: number
      readonly patch: Partial<JobState>
    }
  | { readonly type: 'tableRow'; readonly job: number; readonly row: MethodScore }
  | { readonly type: 'figure2Rows'; readonly job: number; readonly rows: readonly Figure2Row[] }

export type FromPosteriorWorker =
  { readonly event: PosteriorEvent } | { readonly id: number; readonly answer: LearnedAnswer }
