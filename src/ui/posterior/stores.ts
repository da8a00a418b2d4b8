/** The posterior lab's store, started when the lab is first shown. */
import type { StoreApi } from 'zustand'
import { startPosteriorLab } from '../../store/posteriorLab'
import type { PosteriorLab } from '../../store/posteriorTypes'

export type PosteriorStore = StoreApi<PosteriorLab>

let store: PosteriorStore | undefined

export function posteriorLab(): PosteriorStore {
  store ??= startPosteriorLab()
  return store
}
