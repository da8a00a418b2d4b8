/** A change of the constraint under way, by pointer or by keys: at most one call of the store a frame. */
import type { StoreApi } from 'zustand'
import type { MixtureSettings } from '../../experiments/mixture/settings'
import type { PosteriorLab } from '../../store/posteriorTypes'

export interface ConstraintDrag {
  /** The settings when it began. */
  readonly start: MixtureSettings
  /** Changes the scene at the next frame. */
  to(change: Partial<MixtureSettings>): void
  /** Keeps the last change. */
  end(): void
  /** Goes back to where it began. */
  cancel(): void
}

/** Begins a drag; `start` are the settings that its changes are measured from. */
export function startDrag(lab: StoreApi<PosteriorLab>, start: MixtureSettings): ConstraintDrag {
  const { y1, y2, azimuth, elevation } = start
  let latest: Partial<MixtureSettings> | null = null
  let scheduled = 0
  const flush = () => {
    scheduled = 0
    if (latest) lab.getState().change(latest, true)
  }
  const finish = (change: Partial<MixtureSettings> | null) => {
    cancelAnimationFrame(scheduled)
    scheduled = 0
    if (change) lab.getState().change(change)
    latest = null
  }
  return {
    start,
    to(change) {
      latest = { ...latest, ...change }
      if (scheduled === 0) scheduled = requestAnimationFrame(flush)
    },
    end: () => finish(latest),
    cancel: () => finish(latest && { y1, y2, azimuth, elevation }),
  }
}
