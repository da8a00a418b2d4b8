/** The page's end of a worker of the posterior lab. */
import type {
  FromPosteriorWorker,
  LearnedAnswer,
  LearnedRequest,
  PosteriorCommand,
  PosteriorEvent,
  ToPosteriorWorker,
} from './posteriorMessages'

/** Figure 1 and the table live in one worker, Figure 2 in another. */
export type WorkerName = 'figure 1' | 'figure 2'

export interface PosteriorClient {
  send(command: PosteriorCommand): void
  ask(request: LearnedRequest): Promise<LearnedAnswer>
}

/** Opens the worker behind a client; `onFailure` hears of a worker that could not start or go on. */
export type Connect = (
  name: WorkerName,
  onEvent: (event: PosteriorEvent) => void,
  onFailure: (message: string) => void,
) => PosteriorClient

/** A client whose Web Worker starts with the first message. */
export const connectWorker: Connect = (name, onEvent, onFailure) => {
  let worker: Worker | undefined
  let nextId = 0
  const waiting = new Map<number, (answer: LearnedAnswer) => void>()

  function start(): Worker {
    const started = new Worker(new URL('./posteriorWorker.ts', import.meta.url), { type: 'module', name })
    started.addEventListener('message', ({ data }: MessageEvent<FromPosteriorWorker>) => {
      if ('event' in data) onEvent(data.event)
      else {
        waiting.get(data.id)?.(data.answer)
        waiting.delete(data.id)
      }
    })
    started.addEventListener('error', ({ message }) => {
      // The next message starts another.
      started.terminate()
      worker = undefined
      for (const answer of waiting.values()) answer({ error: 'The background worker failed.' })
      waiting.clear()
      onFailure(message || 'The browser could not start or continue it.')
    })
    return started
  }

  function post(message: ToPosteriorWorker): void {
    worker ??= start()
    worker.postMessage(message)
  }

  return {
    send: (command) => post({ command }),
    ask: (request) =>
      new Promise((resolve) => {
        const id = nextId++
        waiting.set(id, resolve)
        post({ id, request })
      }),
  }
}
