/** What the page of the image lab and its Web Worker say to each other. */
import type { AdapterDescription } from '../../diffusion/backend'
import type { ImageMethodName } from '../../diffusion/image/types'
import type { ImagesSettings } from '../../experiments/images/settings'
import type { DenoiserContract } from '../../onnx/contract'
import type { Problem } from '../labTypes'
import type { JobPatch } from '../pausableJob'
import type { BrushStroke, CompareRow, Crop, ImagesLabState, ModelState, Picture, RunResult } from './types'
import type { StepRecord } from './types'

/** What is restored and how it was measured. */
export interface TaskRequest {
  readonly settings: ImagesSettings
  readonly strokes: readonly BrushStroke[]
  readonly drawnKernel: ImagesLabState['drawnKernel']
  /** Number of the picture, sent before by `image`, and what is cut out of it. */
  readonly image: number
  readonly crop: Crop
  /** 1 or 3: the model's. */
  readonly channels: number
}

/** Where a model comes from. */
export type ModelSource =
  | {
      readonly kind: 'bundled'
      readonly name: string
      /** Absolute addresses. */
      readonly onnxUrl: string
      readonly contractUrl: string
      /** Bundled pictures like those it was trained on, to verify it with. */
      readonly pictureUrls: readonly string[]
    }
  | { readonly kind: 'files'; readonly files: readonly File[] }

/** The jobs that can be paused. */
export type JobName = 'run' | 'compare'

export type ImagesCommand =
  /** A picture for the tasks to come; it takes the place of the one before. */
  | { readonly type: 'image'; readonly image: number; readonly original: Picture }
  | { readonly type: 'observe'; readonly generation: number; readonly task: TaskRequest }
  /** `side` and `samples` of the first run to expect: the model is built for them. */
  | {
      readonly type: 'loadModel'
      readonly job: number
      readonly source: ModelSource
      readonly side: number
      readonly samples: number
    }
  | { readonly type: 'completeContract'; readonly job: number; readonly contract: DenoiserContract }
  | { readonly type: 'cancelModel' }
  | { readonly type: 'run'; readonly job: number; readonly task: TaskRequest }
  | {
      readonly type: 'compare'
      readonly job: number
      readonly task: TaskRequest
      readonly methods: readonly ImageMethodName[]
    }
  | { readonly type: 'pause' | 'resume' | 'cancel'; readonly name: JobName }
  /** Destroys the device as a driver reset would. For tests. */
  | { readonly type: 'loseDevice' }

/** What has happened. Those of a request carry its generation; those of a job carry the job's number. */
export type ImagesEvent =
  | { readonly type: 'device'; readonly adapter: AdapterDescription; readonly fallback: Problem | null }
  | {
      readonly type: 'observed'
      readonly generation: number
      readonly truth: Picture
      readonly observation: Picture
      readonly measurement: Picture | null
    }
  | { readonly type: 'observeFailed'; readonly generation: number; readonly problem: Problem }
  | { readonly type: 'model'; readonly job: number; readonly patch: Partial<ModelState> }
  | { readonly type: 'job'; readonly name: JobName; readonly job: number; readonly patch: JobPatch }
  /** A step of the run has ended; `frames` where they are shown. */
  | {
      readonly type: 'step'
      readonly job: number
      readonly step: number
      readonly steps: number
      readonly records: readonly StepRecord[]
      readonly frames?: readonly Picture[]
    }
  | { readonly type: 'result'; readonly job: number; readonly result: RunResult }
  | {
      readonly type: 'compareRow'
      readonly job: number
      readonly method: ImageMethodName
      readonly patch: Partial<CompareRow>
    }
