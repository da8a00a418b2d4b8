/** The page's end of the image lab's worker. */
import type { ImagesCommand, ImagesEvent } from './messages'

export interface ImagesClient {
  send(command: ImagesCommand): void
}

/** Opens the worker behind a client; `onFailure` hears of a worker that could not start or go on. */
export type Connect = (
  onEvent: (event: ImagesEvent) => void,
  onFailure: (message: string) => void,
) => ImagesClient

/** A client whose Web Worker starts with the first command, and again with the first after a failure. */
export const connectWorker: Connect = (onEvent, onFailure) => {
  let worker: Worker | undefined

  function start(): Worker {
    const started = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'images' })
    started.addEventListener('message', ({ data }: MessageEvent<ImagesEvent>) => {
      if (worker === started) onEvent(data)
    })
    const fail = (message: string) => {
      if (worker !== started) return
      started.terminate()
      worker = undefined
      onFailure(message)
    }
    started.addEventListener('error', ({ message }) =>
      fail(message || 'The browser could not start or continue it.'),
    )
    started.addEventListener('messageerror', () => fail('A message of it could not be read.'))
    return started
  }

  return {
    send: (command) => {
      worker ??= start()
      worker.postMessage(command)
    },
  }
}
