/** The page's end of the image lab's worker. */
import { restartedWorker } from '../restartedWorker'
import type { ImagesCommand, ImagesEvent } from './messages'

export interface ImagesClient {
  send(command: ImagesCommand): void
}

/** Opens the worker behind a client; `onFailure` hears of a worker that could not start or go on. */
export type Connect = (
  onEvent: (event: ImagesEvent) => void,
  onFailure: (message: string) => void,
) => ImagesClient

export const connectWorker: Connect = (onEvent, onFailure) => ({
  send: restartedWorker<ImagesEvent>({
    open: () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'images' }),
    receive: onEvent,
    fail: onFailure,
  }),
})
