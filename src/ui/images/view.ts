/** What the visitor looks at: a frame of the film, one of the samples, and what the slider compares it with. */
import { createStore } from 'zustand/vanilla'
import type { ImagesSettings } from '../../experiments/images/settings'
import { stepInWords } from '../../store/images/stepWords'
import type { ImageRunState, ImagesLabState, Picture } from '../../store/images/types'
import { isUnderWay, shownResult } from './busy'

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
  /** "Sample 1 of 4", "Sample 1, step 3 of 25". */
  readonly label: string
  /** Whether it is x_0 of a finished run. */
  readonly final: boolean
}

/** The restoration to be shown large; null before the first frame. */
export function shownPicture(
  run: Pick<ImageRunState, 'film' | 'frames' | 'result' | 'status' | 'settings'>,
  { frame, sample }: Pick<View, 'frame' | 'sample'>,
): Shown | null {
  const { film, frames, settings } = run
  const kept = frame === null ? undefined : film[frame]
  if (kept && settings)
    return { picture: kept.picture, label: `Sample 1, ${stepInWords(kept.step, settings)}`, final: false }
  const result = shownResult(run)
  const pictures = result?.samples ?? frames
  if (pictures.length === 0) return null
  const k = Math.min(sample, pictures.length - 1)
  return { picture: pictures[k]!, label: `Sample ${k + 1} of ${pictures.length}`, final: result !== null }
}

/** Whether what is shown was computed with other settings, or from another observation, than the present ones. */
export function isStale({
  run,
  settings,
  observation,
}: Pick<ImagesLabState, 'run' | 'settings' | 'observation'>): boolean {
  if (isUnderWay(run)) return false
  // Frames of a run that was cancelled or failed are shown where there is no result.
  const shown = run.result ?? (run.frames.length > 0 ? run : null)
  if (!shown?.settings || !shown.observation) return false
  return isChanged(settings, shown.settings, 'equal') || isSeenAnew(observation, shown.observation)
}

/** Likewise of the comparison, whose rows have methods of their own. */
export function isComparisonStale({
  compare,
  settings,
  observation,
}: Pick<ImagesLabState, 'compare' | 'settings' | 'observation'>): boolean {
  if (compare.rows.length === 0 || !compare.settings || isUnderWay(compare)) return false
  return (
    isChanged(settings, compare.settings, 'method') ||
    (compare.observation !== null && isSeenAnew(observation, compare.observation))
  )
}

function isChanged(now: ImagesSettings, then: ImagesSettings, but: keyof ImagesSettings): boolean {
  const keys = Object.keys(now) as (keyof ImagesSettings)[]
  return keys.some((key) => key !== but && now[key] !== then[key])
}

/** Another crop, stroke or path shows in no setting. */
function isSeenAnew(now: Picture | null, then: Picture): boolean {
  return now !== null && !samePixels(now, then)
}

function samePixels(a: Picture, b: Picture): boolean {
  if (a.data === b.data) return true
  return a.width === b.width && a.height === b.height && a.data.every((value, k) => value === b.data[k])
}
