/** The page's end of a worker of the posterior lab. */
import type {
  FromPosteriorWorker,
  LearnedAnswer,
  LearnedRequest,
  PosteriorCommand,
  PosteriorEvent,
  ToPosteriorWorker,
} from './posteriorMessages'
import { restartedWorker } from './restartedWorker'

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

export const connectWorker: Connect = (name, onEvent, onFailure) => {
  let nextId = 0
  const waiting = new Map<number, (answer: LearnedAnswer) => void>()
  const post: (message: ToPosteriorWorker) => void = restartedWorker<FromPosteriorWorker>({
    open: () => new Worker(new URL('./posteriorWorker.ts', import.meta.url), { type: 'module', name }),
    receive: (message) => {
      if ('event' in message) onEvent(message.event)
      else {
        waiting.get(message.id)?.(message.answer)
        waiting.delete(message.id)
      }
    },
    fail: (message) => {
      for (const answer of waiting.values()) answer({ error: 'The background worker failed.' })
      waiting.clear()
      onFailure(message)
    },
  })

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
