/**
 * The Web Worker in which a run lives: its loop keeps going in a hidden tab and never blocks the page. One worker, one
 * run, one device.
 */
import type { SavedRun } from '../experiments/manifold/runFile'
import { settingKeys } from '../experiments/manifold/settings'
import { abandonRun, forgetRun, loadRun, loadSpeed, saveRun, saveSpeed, type StoredRun } from './autosave'
import type { Answer, Command, FromWorker, OpenRun, Request, Restore, ToWorker } from './messages'
import { openBackend } from './openBackend'
import { explain, RunController } from './runController'

declare const self: DedicatedWorkerGlobalScope

let slot = 'a'
/** The `open` that the present run comes from, and the newest that was asked for. */
let generation = 0
let newestGeneration = 0
/** Names this worker in the storage that all tabs share. */
const writer = `${Date.now()}-${Math.random()}`
const send = (message: FromWorker, transfer: Transferable[] = []) => self.postMessage(message, transfer)

const controller = new RunController({
  openBackend,
  publish: (patch) => send({ patch, generation }),
  save: async (run, firstNew) => {
    // A file's data is in no URL, so that it is kept even before the first step.
    if (run.state.records.length === 0 && run.origin.kind !== 'file') await forgetRun(slot)
    else await saveRun(slot, writer, run, firstNew)
  },
  loadSpeed,
  saveSpeed,
})

/** A run that was read from a file, until the page opens it. */
let imported: SavedRun | undefined

/** Settles when the last `open` or `reset` has: what follows them waits for the run that they make. */
let ready: Promise<void> = Promise.resolve()

async function execute(command: Command): Promise<void> {
  switch (command.type) {
    case 'open':
      return await open(command, command.restore, command.generation)
    case 'start':
      return await controller.start()
    case 'pause':
      return controller.pause()
    case 'eStep':
      return await controller.eStep()
    case 'mStep':
      return await controller.mStep()
    case 'cancel':
      return await controller.cancel()
    case 'reset':
      return await controller.reset()
    case 'select':
      return controller.select(command.iteration)
    case 'setIterations':
      return await controller.setIterations(command.iterations)
    case 'drawUnconditional':
      return await controller.drawUnconditional()
    case 'drawPosterior':
      return await controller.drawPosterior(command.index)
    case 'loseDevice':
      return await controller.loseDevice()
  }
}

async function open(wanted: OpenRun, restore: Restore, own: number): Promise<void> {
  // The page has asked for another run since.
  if (own !== newestGeneration) return
  generation = own
  const run = imported
  imported = undefined
  if (restore === 'imported' && run) {
    await controller.open(run.settings, run.preset, run.origin, run.state)
    return await controller.save()
  }
  if (restore !== 'no') {
    const saved = await loadRun(slot).catch(() => undefined)
    if (saved && (restore === 'any' ? !saved.abandoned : isSameRun(saved, wanted))) {
      const { iterations } = restore === 'any' ? saved.settings : wanted.settings
      send({ restoredOrigin: saved.origin, generation })
      await controller.open({ ...saved.settings, iterations }, saved.preset, saved.origin, saved.state)
      if (saved.abandoned) await controller.save()
      return
    }
  }
  await controller.open(wanted.settings, wanted.preset, wanted.origin)
  // A file's data goes to the storage at once; any other run with its first step.
  if (wanted.origin.kind === 'file') await controller.save()
  else if (restore === 'no') await abandonRun(slot).catch(() => undefined)
}

/**
 * Whether a saved run is the one that the page asks for; its number of iterations does not matter. Data from a file is
 * not in the URL: run A brings it back, and run B follows run A.
 */
function isSameRun(saved: StoredRun, wanted: OpenRun): boolean {
  const sameSettings = settingKeys.every(
    (key) => key === 'iterations' || saved.settings[key] === wanted.settings[key],
  )
  if (!sameSettings) return false
  if (saved.origin.kind !== 'file') return JSON.stringify(saved.origin) === JSON.stringify(wanted.origin)
  if (wanted.origin.kind === 'file') return saved.origin.name === wanted.origin.name
  return wanted.origin.kind === 'random' && slot === 'a' && !saved.abandoned
}

async function answer(request: Request): Promise<Answer> {
  // As the run is now: it goes on while the code for its file may still be on its way.
  const run = controller.snapshot()
  const record = controller.shownRecord()
  const files = await import('./runFiles')
  switch (request.type) {
    case 'exportRun':
      return run ? { bytes: files.writeRun(run) } : { error: 'There is no run to export yet.' }
    case 'exportSamples':
      if (!record || !run) return { error: 'There are no samples yet: run at least the Gaussian start.' }
      return { bytes: files.writeSamples(record.samples, run.settings.features, request.format) }
    case 'importRun': {
      imported = files.readRun(request.bytes)
      const { settings, preset, origin } = imported
      return { opened: { settings, preset, origin } }
    }
    case 'readData':
      return { opened: files.runFromData(request) }
  }
}

/** Memory of an answer that this worker does not keep: a file's bytes and pairs. A run that was imported stays here. */
function transferable(request: Request, { bytes, opened }: Answer): Transferable[] {
  if (bytes) return [bytes.buffer]
  if (request.type !== 'readData' || opened?.origin.kind !== 'file') return []
  const { A, y } = opened.origin.observations
  return [A.buffer, y.buffer] as ArrayBuffer[]
}

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if ('request' in data) {
    const { id, request } = data
    answer(request)
      .then((reply) => send({ id, ...reply }, transferable(request, reply)))
      .catch((error: unknown) => send({ id, error: error instanceof Error ? error.message : String(error) }))
    return
  }
  slot = data.slot
  const { command } = data
  const failed = (error: unknown) =>
    send({ patch: { status: 'failed', progress: null, problem: explain(error, 0) }, generation })
  if (command.type === 'open') newestGeneration = command.generation
  if (command.type === 'open' || command.type === 'reset') {
    ready = ready.then(() => execute(command)).catch(failed)
    // Before the network may be gone.
    void ready.then(() => import('./runFiles')).catch(() => undefined)
  } else if (command.type === 'pause' || command.type === 'cancel') {
    execute(command).catch(failed)
  } else {
    void ready.then(() => execute(command)).catch(failed)
  }
})
