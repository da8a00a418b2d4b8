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

/** Whether what is shown was computed with other settings than the present ones. */
export function isStale({
  run: { result, status },
  settings,
}: Pick<ImagesLabState, 'run' | 'settings'>): boolean {
  if (!result || status === 'running' || status === 'paused') return false
  return (Object.keys(settings) as (keyof typeof settings)[]).some(
    (key) => key !== 'equal' && settings[key] !== result.settings[key],
  )
}
