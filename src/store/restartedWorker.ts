/** The page's end of a Web Worker that starts with the first message, and again with the first after a failure. */

export interface WorkerEnd<FromWorker> {
  /** Calls `new Worker`: a bundler has to see its address. */
  open(): Worker
  receive(message: FromWorker): void
  /** Hears of a worker that could not start or go on. */
  fail(message: string): void
}

/** Sends to the worker; starts one where there is none. */
export function restartedWorker<FromWorker>({
  open,
  receive,
  fail,
}: WorkerEnd<FromWorker>): (message: unknown) => void {
  let worker: Worker | undefined

  function start(): Worker {
    const started = open()
    started.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (worker === started) receive(data)
    })
    const end = (message: string) => {
      if (worker !== started) return
      started.terminate()
      worker = undefined
      fail(message)
    }
    started.addEventListener('error', ({ message }) =>
      end(message || 'The browser could not start or continue it.'),
    )
    started.addEventListener('messageerror', () => end('A message of it could not be read.'))
    return started
  }

  return (message) => {
    worker ??= start()
    worker.postMessage(message)
  }
}
