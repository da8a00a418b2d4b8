/** The image lab's Web Worker: it owns the device, the model's sessions and the runs. */
import { readModel } from './browserModels'
import { openImagesDevice } from './device'
import type { ImagesCommand, ImagesEvent } from './messages'
import { ImagesService } from './service'

declare const self: DedicatedWorkerGlobalScope

const service = new ImagesService({
  openDevice: openImagesDevice,
  readModel,
  publish: (event: ImagesEvent) => self.postMessage(event),
})

self.addEventListener('message', ({ data }: MessageEvent<ImagesCommand>) => void service.execute(data))
