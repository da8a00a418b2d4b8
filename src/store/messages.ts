/** What the page and the run's Web Worker say to each other. */
import type { DataOrigin } from '../experiments/manifold/dataset'
import type { ManifoldSettings, PresetName } from '../experiments/manifold/settings'
import type { LabState } from './labTypes'

export interface OpenRun {
  readonly settings: ManifoldSettings
  readonly preset: PresetName
  readonly origin: DataOrigin
}

/**
 * Which run `open` continues: none, the autosaved one where it has the same settings, whatever was autosaved last, or
 * the one that `importRun` has just read.
 */
export type Restore = 'no' | 'same' | 'any' | 'imported'

export type Command =
  | ({ readonly type: 'open'; readonly restore: Restore; readonly generation: number } & OpenRun)
  | {
      readonly type:
        'start' | 'pause' | 'eStep' | 'mStep' | 'cancel' | 'reset' | 'drawUnconditional' | 'loseDevice'
    }
  | { readonly type: 'setIterations'; readonly iterations: number }
  | { readonly type: 'select'; readonly iteration: number | null }
  | { readonly type: 'drawPosterior'; readonly index: number }

/** Answered with a `Reply` of the same id. */
export type Request =
  | { readonly type: 'exportRun' }
  | { readonly type: 'exportSamples'; readonly format: 'csv' | 'npy' }
  | { readonly type: 'importRun'; readonly bytes: Uint8Array<ArrayBuffer> }
  | {
      readonly type: 'readData'
      readonly name: string
      readonly bytes: Uint8Array<ArrayBuffer>
      readonly settings: ManifoldSettings
      readonly preset: PresetName
    }

export type ToWorker =
  { readonly slot: 'a' | 'b'; readonly command: Command } | { readonly id: number; readonly request: Request }

/** What a request brings: a file's bytes, a run to open, or why there is neither. */
export interface Answer {
  readonly bytes?: Uint8Array<ArrayBuffer>
  readonly opened?: OpenRun
  readonly error?: string
}

export type Reply = Answer & { readonly id: number }

/**
 * A patch belongs to the run of the `open` with its generation. Where the worker has restored a run, its origin comes
 * before its first patch.
 */
export type FromWorker =
  | { readonly patch: Partial<LabState>; readonly generation: number }
  | { readonly restoredOrigin: DataOrigin; readonly generation: number }
  | Reply
