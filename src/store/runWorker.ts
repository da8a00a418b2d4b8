/**
 * The Web Worker in which a run lives: its loop keeps going in a hidden tab and never blocks the page. One worker, one
 * run, one device.
 */
import { writeCsv } from '../math/csv'
import { writeNpy } from '../math/npy'
import { readObservations } from '../experiments/manifold/observationsFile'
import { readRun, writeRun, type SavedRun } from '../experiments/manifold/runFile'
import { settingKeys } from '../experiments/manifold/settings'
import { forgetRun, loadRun, loadSpeed, saveRun, saveSpeed } from './autosave'
import type { Answer, Command, FromWorker, OpenRun, Request, ToWorker } from './messages'
import { openBackend } from './openBackend'
import { explain, RunController } from './runController'

declare const self: DedicatedWorkerGlobalScope

let slot = 'a'
const send = (message: FromWorker) => self.postMessage(message)

const controller = new RunController({
  openBackend,
  publish: (patch) => send({ patch }),
  save: async (run, firstNew) => {
    if (run.state.records.length === 0) await forgetRun(slot)
    else await saveRun(slot, run, firstNew)
  },
  loadSpeed,
  saveSpeed,
})

/** Runs that were read from a file and wait for the page's confirmation to be opened. */
let imported: SavedRun | undefined

/** Settles when the last `open` or `reset` has: what follows them waits for the run that they make. */
let ready: Promise<void> = Promise.resolve()

async function execute(command: Command): Promise<void> {
  switch (command.type) {
    case 'open':
      return await open(command, command.restore)
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
      return controller.setIterations(command.iterations)
    case 'drawUnconditional':
      return await controller.drawUnconditional()
    case 'drawPosterior':
      return await controller.drawPosterior(command.index)
    case 'loseDevice':
      return await controller.loseDevice()
  }
}

async function open(wanted: OpenRun, restore: 'no' | 'same' | 'any'): Promise<void> {
  if (imported) {
    const run = imported
    imported = undefined
    await controller.open(run.settings, run.preset, run.origin, run.state)
    await saveRun(slot, run, 0)
    return
  }
  const saved = restore === 'no' ? undefined : await loadRun(slot).catch(() => undefined)
  if (saved && (restore === 'any' || isSameRun(saved, wanted))) {
    await controller.open(saved.settings, saved.preset, saved.origin, saved.state)
    return
  }
  await controller.open(wanted.settings, wanted.preset, wanted.origin)
}

/** Whether a saved run is the one that the URL asks for. Data from a file is not in the URL. */
function isSameRun(saved: SavedRun, wanted: OpenRun): boolean {
  const sameSettings = settingKeys.every((key) => saved.settings[key] === wanted.settings[key])
  const sameOrigin =
    saved.origin.kind === 'file' || JSON.stringify(saved.origin) === JSON.stringify(wanted.origin)
  return sameSettings && sameOrigin
}

function answer(request: Request): Answer {
  switch (request.type) {
    case 'exportRun': {
      const run = controller.snapshot()
      if (!run) return { error: 'There is no run to export yet.' }
      return { bytes: writeRun(run) }
    }
    case 'exportSamples': {
      const record = controller.shownRecord()
      const run = controller.snapshot()
      if (!record || !run) return { error: 'There are no samples yet: run at least the Gaussian start.' }
      const { features } = run.settings
      if (request.format === 'npy') {
        return {
          bytes: writeNpy({ shape: [record.samples.length / features, features], data: record.samples }),
        }
      }
      const header = Array.from({ length: features }, (_, j) => `x${j + 1}`)
      return { bytes: new TextEncoder().encode(writeCsv(header, record.samples)) }
    }
    case 'importRun': {
      imported = readRun(request.bytes)
      const { settings, preset, origin } = imported
      return { opened: { settings, preset, origin } }
    }
    case 'readData': {
      const { settings, preset } = controller.snapshot() ?? {}
      if (!settings || !preset) return { error: 'The page is still starting; try again in a moment.' }
      const pairs = readObservations(request.name, request.bytes, request)
      return {
        opened: {
          preset,
          settings: {
            ...settings,
            features: pairs.features,
            observed: pairs.observed,
            observations: pairs.count,
          },
          origin: { kind: 'file', name: request.name, observations: { ...pairs, sigmaY: settings.sigmaY } },
        },
      }
    }
  }
}

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if ('request' in data) {
    try {
      send({ id: data.id, ...answer(data.request) })
    } catch (error) {
      send({ id: data.id, error: error instanceof Error ? error.message : String(error) })
    }
    return
  }
  slot = data.slot
  const { command } = data
  const failed = (error: unknown) =>
    send({ patch: { status: 'failed', progress: null, problem: explain(error, 0) } })
  if (command.type === 'open' || command.type === 'reset') {
    ready = ready.then(() => execute(command)).catch(failed)
  } else if (command.type === 'pause' || command.type === 'cancel') {
    execute(command).catch(failed)
  } else {
    void ready.then(() => execute(command)).catch(failed)
  }
})
