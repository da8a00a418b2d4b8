/** The image lab's store, started when the lab is first shown. */
import type { StoreApi } from 'zustand'
import { startImagesLab } from '../../store/images/lab'
import type { ImagesLab } from '../../store/images/types'

export type ImagesStore = StoreApi<ImagesLab>

let store: ImagesStore | undefined

export function imagesLab(): ImagesStore {
  store ??= startImagesLab()
  return store
}
