/** What the visitor looks at: a frame of the film, one of the samples, and what the slider compares it with. */
import { createStore } from 'zustand/vanilla'
import type { ImageRunState, ImagesLabState, Picture } from '../../store/images/types'

export interface View {
  /** Index of a kept frame; null follows the newest picture. */
  readonly frame: number | null
  /** From 0. */
  readonly sample: number
  readonly before: 'observation' | 'original'
}

export const view = createStore<View>()(() => ({ frame: null, sample: 0, before: 'observation' }))

export interface Shown {
  readonly picture: Picture
  /** "Sample 1 of 4", "Frame 3 of 25". */
  readonly label: string
  /** Whether it is x_0 of a finished run. */
  readonly final: boolean
}

/** The restoration to be shown large; null before the first frame. */
export function shownPicture(
  { film, frames, result, status }: Pick<ImageRunState, 'film' | 'frames' | 'result' | 'status'>,
  { frame, sample }: Pick<View, 'frame' | 'sample'>,
): Shown | null {
  const kept = frame === null ? undefined : film[frame]
  if (kept) return { picture: kept.picture, label: `Step ${kept.step}, sample 1`, final: false }
  const finished = result !== null && status !== 'running' && status !== 'paused'
  const pictures = finished ? result.samples : frames
  if (pictures.length === 0) return null
  const k = Math.min(sample, pictures.length - 1)
  return { picture: pictures[k]!, label: `Sample ${k + 1} of ${pictures.length}`, final: finished }
}

/** Whether what is shown was computed with other settings, or from another observation, than the present ones. */
export function isStale({
  run: { result, status },
  settings,
  observation,
}: Pick<ImagesLabState, 'run' | 'settings' | 'observation'>): boolean {
  if (!result || status === 'running' || status === 'paused') return false
  const keys = Object.keys(settings) as (keyof typeof settings)[]
  if (keys.some((key) => key !== 'equal' && settings[key] !== result.settings[key])) return true
  // Another crop, stroke or path shows in no setting.
  return observation !== null && !samePixels(observation, result.observation)
}

function samePixels(a: Picture, b: Picture): boolean {
  if (a.data === b.data) return true
  return a.width === b.width && a.height === b.height && a.data.every((value, k) => value === b.data[k])
}
