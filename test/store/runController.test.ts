import { afterEach, describe, expect, it } from 'vitest'
import { DeviceLostError, type Backend, type TrainRequest } from '../../src/diffusion/backend'
import { createCpuBackend } from '../../src/diffusion/cpuBackend'
import { presets, type ManifoldSettings } from '../../src/experiments/manifold/settings'
import type { LabState } from '../../src/store/labTypes'
import { RunController } from '../../src/store/runController'

const settings: ManifoldSettings = {
  ...presets.tiny,
  observations: 96,
  hidden: 16,
  embedding: 8,
  samplerSteps: 6,
  trainingSteps: 40,
  batch: 32,
  iterations: 2,
  metricPoints: 64,
  metricIterations: 20,
}

/** A controller on the CPU twins whose published state the test can wait on. */
function createRig(wrap: (backend: Backend) => Backend = (backend) => backend) {
  let state: Partial<LabState> = {}
  const statuses: string[] = []
  let wake = () => {}
  const saves: number[] = []
  const controller = new RunController({
    openBackend: () => Promise.resolve({ backend: wrap(createCpuBackend()), fallback: null }),
    publish: (patch) => {
      state = { ...state, ...patch }
      if (patch.status) statuses.push(patch.status)
      wake()
    },
    save: (run, firstNew) => {
      saves.push(run.state.records.length - firstNew)
      return Promise.resolve()
    },
  })
  const until = async (condition: (state: Partial<LabState>) => boolean) => {
    while (!condition(state)) await new Promise<void>((resolve) => (wake = resolve))
    return state
  }
  return { controller, until, statuses, saves, state: () => state }
}

let rig = createRig()
afterEach(() => rig.controller.cancel())

describe('run controller', () => {
  it('runs, pauses in the middle of a step, resumes and finishes with the numbers of an unpaused run', async () => {
    rig = createRig()
    await rig.controller.open(settings, 'tiny', { kind: 'random' })
    const running = rig.controller.start()
    // The first samples are on the screen before their divergence is known.
    const early = await rig.until(({ progress }) => progress?.stage === 'metric')
    expect(early.shown).toMatchObject({ iteration: 0, live: true })
    expect(early.iterations).toEqual([])
    await rig.until(({ progress }) => progress?.stage === 'train')
    rig.controller.pause()
    expect(rig.state().status).toBe('paused')
    await new Promise((resolve) => setTimeout(resolve, 100))
    const halted = rig.state().progress
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(rig.state().progress).toBe(halted)
    await rig.controller.start()
    await running
    expect(rig.state().status).toBe('finished')
    const paused = rig.state().iterations!
    expect(paused).toHaveLength(3)
    expect(rig.saves).toEqual([1, 0, 1, 0, 1])

    await rig.controller.open(settings, 'tiny', { kind: 'random' })
    expect(rig.state().iterations).toEqual([])
    await rig.controller.start()
    const strip = (list: typeof paused) => list.map(({ seconds: _, ...numbers }) => numbers)
    expect(strip(rig.state().iterations!)).toEqual(strip(paused))
  })

  it('resumes after two presses on pause, and takes another number of iterations while paused', async () => {
    rig = createRig()
    await rig.controller.open(settings, 'tiny', { kind: 'random' })
    const running = rig.controller.start()
    await rig.until(({ progress }) => progress?.stage === 'train')
    rig.controller.pause()
    await new Promise((resolve) => setTimeout(resolve, 60))
    rig.controller.pause()
    await rig.controller.setIterations(1)
    expect(rig.state()).toMatchObject({ status: 'paused', settings: { iterations: 1 } })
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await rig.controller.start()
    await running
    expect(rig.state()).toMatchObject({ status: 'finished' })
    expect(rig.state().iterations).toHaveLength(2)
    // A pause is not counted as computing.
    expect(rig.state().iterations![1]!.seconds).toBeLessThan(1)
    await rig.controller.setIterations(2)
    expect(rig.state().status).toBe('idle')
    expect(rig.saves.at(-1)).toBe(0)
  })

  it('says once that the storage refuses, and goes on', async () => {
    let problems = 0
    const controller = new RunController({
      openBackend: () => Promise.resolve({ backend: createCpuBackend(), fallback: null }),
      publish: ({ problem, status }) => {
        if (problem) problems += 1
        if (status === 'failed') throw new Error('failed')
      },
      save: () => Promise.reject(new DOMException('full', 'QuotaExceededError')),
    })
    await controller.open(settings, 'tiny', { kind: 'random' })
    await controller.start()
    expect(controller.snapshot()!.state.records).toHaveLength(3)
    expect(problems).toBe(1)
  })

  it('makes single steps, scrubs, and draws from a past iteration', async () => {
    rig = createRig()
    await rig.controller.open(settings, 'tiny', { kind: 'random' })
    await rig.controller.mStep()
    expect(rig.state()).toMatchObject({ status: 'idle', hasWeights: false })
    await rig.controller.eStep()
    await rig.controller.eStep()
    expect(rig.state().iterations).toHaveLength(3)
    rig.controller.select(1)
    expect(rig.state()).toMatchObject({ selected: 1, hasWeights: true, shown: { iteration: 1, live: false } })
    await rig.controller.drawUnconditional()
    expect(rig.state().unconditional).toMatchObject({ iteration: 1 })
    await rig.controller.drawPosterior(7)
    expect(rig.state().posterior).toMatchObject({ index: 7, iteration: 1, count: 1024 })
    expect(rig.state().posterior!.prior!.length).toBeGreaterThan(0)
    expect(rig.state().posterior!.prior!.length).toBeLessThanOrEqual(96 * 5)
    expect(rig.controller.snapshot()!.state.records).toHaveLength(2)
    await rig.controller.reset()
    expect(rig.state()).toMatchObject({ status: 'idle', iterations: [], shown: null })
  })

  it('cancels at once and keeps the complete iterations', async () => {
    rig = createRig()
    await rig.controller.open({ ...settings, trainingSteps: 100_000 }, 'tiny', { kind: 'random' })
    const running = rig.controller.start()
    await rig.until(({ progress }) => progress?.stage === 'train')
    await rig.controller.cancel()
    await running
    expect(rig.state()).toMatchObject({ status: 'idle', progress: null })
    expect(rig.state().iterations).toHaveLength(1)
  })

  it('says that the device was lost, keeps the iterations, and goes on with a new device', async () => {
    let failures = 1
    rig = createRig((backend) => ({
      ...backend,
      train: async (request: TrainRequest, control) => {
        if (request.stream > 3 && failures-- > 0) throw new DeviceLostError('The driver was reset.')
        return await backend.train(request, control)
      },
    }))
    await rig.controller.open(settings, 'tiny', { kind: 'random' })
    await rig.controller.start()
    expect(rig.state()).toMatchObject({ status: 'failed', problem: { action: 'retry', place: 'run' } })
    expect(rig.state().problem!.message).toContain('iteration 1')
    await rig.controller.start()
    expect(rig.state()).toMatchObject({ status: 'finished', problem: null })
    expect(rig.state().iterations).toHaveLength(3)
  })
})
