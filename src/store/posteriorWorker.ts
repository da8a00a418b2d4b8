/**
 * A Web Worker of the posterior lab: Figure 1 and the table live in one, Figure 2 in a second, so that neither waits for
 * the other. One worker, one device.
 */
import { loadRun } from './autosave'
import { openBackend } from './openBackend'
import type { FromPosteriorWorker, PosteriorEvent, ToPosteriorWorker } from './posteriorMessages'
import { PosteriorService } from './posteriorService'

declare const self: DedicatedWorkerGlobalScope

const send = (message: FromPosteriorWorker, transfer: Transferable[] = []) =>
  self.postMessage(message, transfer)

/** Frames are large and not needed here once they are published. */
function framesOf(event: PosteriorEvent): Transferable[] {
  const frames = event.type === 'panel' ? event.patch.result?.frames : undefined
  return frames ? [frames.buffer] : []
}

const service = new PosteriorService({
  openBackend: () =>
    openBackend('The posterior lab runs here all the same, on the float64 TypeScript twins of its kernels.'),
  publish: (event) => send({ event }, framesOf(event)),
  loadSavedRun: () => loadRun('a'),
})

self.addEventListener('message', ({ data }: MessageEvent<ToPosteriorWorker>) => {
  if ('request' in data) void service.answer(data.request).then((answer) => send({ id: data.id, answer }))
  else void service.execute(data.command)
})
