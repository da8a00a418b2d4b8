import { afterEach, describe, expect, it, vi } from 'vitest'
import type { StoreApi } from 'zustand/vanilla'
import { DeviceLostError, type Backend, type TrajectoryRequest } from '../../src/diffusion/backend'
import { parameterCount } from '../../src/diffusion/mlp'
import { createCpuBackend } from '../../src/diffusion/cpuBackend'
import { writeRun, type SavedRun } from '../../src/experiments/manifold/runFile'
import { networkShape, presets } from '../../src/experiments/manifold/settings'
import { posteriorPresets } from '../../src/experiments/mixture/presets'
import type { Problem } from '../../src/store/labTypes'
import { startPosteriorLab } from '../../src/store/posteriorLab'
import { PosteriorService } from '../../src/store/posteriorService'
import type { PosteriorLab } from '../../src/store/posteriorTypes'

const fallback: Problem = { title: 'CPU', message: '', nextStep: '', place: 'device' }
/** Small enough for the twins to draw at once. */
const SMALL = 'components=16&steps=6&samples=64'

interface RigOptions {
  readonly wrap?: (backend: Backend) => Backend
  readonly saved?: SavedRun
  readonly fallback?: Problem | null
}

/** The lab on the CPU twins, without Web Workers but with all that they would run. */
function open(
  hash: string,
  { wrap = (backend) => backend, saved, fallback: reason = null }: RigOptions = {},
) {
  const location = { hash, pathname: '/', search: '' }
  const entries = [hash]
  const listeners = new Map<string, () => void>()
  const go = (url: string) => (location.hash = url.startsWith('#') ? url : '')
  vi.stubGlobal('location', location)
  vi.stubGlobal('window', { addEventListener: (type: string, f: () => void) => listeners.set(type, f) })
  vi.stubGlobal('history', {
    pushState: (_: unknown, __: unknown, url: string) => entries.push(go(url)),
    replaceState: (_: unknown, __: unknown, url: string) => (entries[entries.length - 1] = go(url)),
  })
  // The route registers its listeners once, with the first lab of this file.
  routeListeners ??= listeners
  const samplings: TrajectoryRequest[] = []
  let devices = 0
  const lab = startPosteriorLab((_, onEvent) => {
    const service = new PosteriorService({
      openBackend: () => {
        devices += 1
        const backend = wrap(createCpuBackend())
        return Promise.resolve({
          fallback: reason,
          backend: {
            ...backend,
            trajectory: (request, control) => {
              samplings.push(request)
              return backend.trajectory(request, control)
            },
          },
        })
      },
      publish: onEvent,
      loadSavedRun: () => Promise.resolve(saved),
    })
    return {
      // As a message: later, and a copy.
      send: (command) => {
        const copy = structuredClone(command)
        setTimeout(() => void service.execute(copy), 0)
      },
      ask: (request) => service.answer(request),
    }
  })
  const until = async (condition: (state: PosteriorLab) => boolean) => {
    if (condition(lab.getState())) return lab.getState()
    return await new Promise<PosteriorLab>((resolve) => {
      const stop = lab.subscribe((state) => {
        if (!condition(state)) return
        stop()
        resolve(state)
      })
    })
  }
  return {
    lab,
    until,
    samplings,
    location,
    entries,
    devices: () => devices,
    back: () => {
      entries.pop()
      go(entries.at(-1)!)
      routeListeners!.get('popstate')!()
    },
    get state() {
      return lab.getState()
    },
  }
}

let routeListeners: Map<string, () => void> | undefined

const settled = ({ panels: { a, b } }: PosteriorLab) =>
  [a, b].every(({ result, computing }) => result !== null && !computing)

let opened: StoreApi<PosteriorLab> | undefined
function start(hash = `#lab=posterior&${SMALL}`, options: RigOptions = {}) {
  const rig = open(hash, options)
  opened = rig.lab
  return rig
}
afterEach(() => {
  opened?.getState().cancelTable()
  opened?.getState().cancelFigure2()
})

describe('the posterior lab', () => {
  it('opens with a scene and both panels, and shows x_0', async () => {
    const rig = start()
    expect(rig.state.status).toBe('starting')
    const { scene, panels, frame, lastFrame, status } = await rig.until(settled)
    expect(status).toBe('ready')
    expect(scene!.exact.length).toBeGreaterThanOrEqual(64 * 2)
    expect(panels.a.result).toMatchObject({ count: 64, lost: 0, method: posteriorPresets.figure1.a })
    expect(panels.b.result!.frames).toHaveLength((lastFrame + 1) * 64 * 2)
    expect(frame).toBe(lastFrame)
    // Both panels draw from the scene's observation with the same noise. How well is in presets.test.ts.
    expect(rig.samplings).toHaveLength(2)
    for (const { observations, seed, stream } of rig.samplings) {
      expect(observations!.y[0]).toBeCloseTo(scene!.y[0]!, 6)
      expect([seed, stream]).toEqual([scene!.seed, rig.samplings[0]!.stream])
    }
  })

  it('follows a drag with its newest settings only, and writes the URL when it ends', async () => {
    // A device that takes a moment, or each event of the drag could be answered before the next.
    const wrap = (backend: Backend): Backend => ({
      ...backend,
      trajectory: async (request, control) => {
        await new Promise((resolve) => setTimeout(resolve, 40))
        return await backend.trajectory(request, control)
      },
    })
    const rig = start(undefined, { wrap })
    await rig.until(settled)
    const { length } = rig.samplings
    for (let i = 1; i <= 40; i++) expect(rig.state.change({ y1: i / 100 + 0.00049 }, true)).toEqual([])
    expect(rig.location.hash).toBe(`#lab=posterior&${SMALL}`)
    rig.state.change({ y1: 0.41 })
    expect(rig.location.hash).toContain('y1=0.41')
    await rig.until((state) => settled(state) && Math.abs(state.scene!.y[0]! - 0.41) < 1e-9)
    // One sampling under way, then the newest: far fewer than the drag's forty for each panel.
    expect(rig.samplings.length - length).toBeLessThan(20)
    const ys = rig.samplings.map(({ observations }) => observations!.y[0]!)
    const drag = ys.slice(length)
    expect(drag).toEqual([...drag].sort((p, q) => p - q))
    expect(ys.at(-1)).toBeCloseTo(0.41, 6)
    rig.back()
    await rig.until((state) => settled(state) && state.scene!.y[0] === posteriorPresets.figure1.settings.y1)
  })

  it('draws one panel anew when its method changes, and refuses settings that contradict each other', async () => {
    const rig = start()
    await rig.until(settled)
    const { result } = rig.state.panels.a
    expect(rig.state.changeMethod('b', { method: 'tds', particles: 32 })).toEqual([])
    expect(rig.location.hash).toContain('b.method=tds&b.particles=32')
    await rig.until((state) => state.panels.b.result?.method.method === 'tds')
    expect(rig.state.panels.a.result).toBe(result)
    expect(rig.state.changeMethod('b', { particles: 1024 })[0]).toContain('samples')
    expect(rig.state.change({ observed: 2 })[0]).toContain('features')
    expect(rig.state.change({ shape: 'drawn' })[0]).toContain('Draw')
    expect(rig.state.panels.b.settings.particles).toBe(32)
    expect(rig.state.change({ features: 3, observed: 2 })).toEqual([])
    await rig.until((state) => settled(state) && state.panels.a.result!.features === 3)
    expect(rig.state.change({ features: 2 })).toEqual([])
    expect(rig.state.settings.observed).toBe(1)
  })

  it('abandons a long sampling for newer settings, and no stale one comes after', async () => {
    const rig = start('#lab=posterior&samples=16384&components=64&steps=256')
    await rig.until(({ scene }) => scene !== null)
    const seen: number[] = []
    rig.lab.subscribe(({ panels }, before) => {
      if (panels.a.result && panels.a.result !== before.panels.a.result) seen.push(panels.a.result.count)
    })
    await new Promise((resolve) => setTimeout(resolve, 200))
    rig.state.change({ samples: 64, steps: 6, components: 16 })
    await rig.until(settled)
    expect(seen).toEqual([64])
  })

  it('opens a lost device again and repeats the sampling once; a second loss is said beside the panel', async () => {
    let losses = 1
    const rig = start(undefined, {
      wrap: (backend) => ({
        ...backend,
        trajectory: async (request, control) => {
          if (losses-- > 0) throw new DeviceLostError('The driver was reset.')
          return await backend.trajectory(request, control)
        },
      }),
    })
    await rig.until(settled)
    expect(rig.devices()).toBe(2)
    const { result } = rig.state.panels.a
    losses = 2
    rig.state.changeMethod('a', { method: 'dps' })
    const { panels } = await rig.until((state) => state.panels.a.problem !== null)
    expect(panels.a).toMatchObject({ computing: false, problem: { action: 'retry' } })
    expect(panels.a.result).toBe(result)
    losses = 0
    rig.state.changeMethod('a', {})
    await rig.until((state) => state.panels.a.result?.method.method === 'dps')
    expect(rig.state.panels.a.problem).toBeNull()
  })

  it('draws fewer samples on the CPU for those who chose nothing, and says so', async () => {
    const rig = start('#lab=posterior', { fallback })
    await rig.until(settled)
    expect(rig.state.fallback).toBe(fallback)
    expect(rig.state.settings.samples).toBe(256)
    expect(rig.location.hash).toBe('#lab=posterior&samples=256')
  })

  it('plays from noise to x_0, scrubs, and keeps the frame in the URL', async () => {
    const rig = start()
    await rig.until(settled)
    const { lastFrame } = rig.state
    rig.state.play()
    expect(rig.state).toMatchObject({ playing: true, frame: 0 })
    await rig.until(({ frame }) => frame > 0)
    rig.state.pausePlaying()
    rig.state.showFrame(2)
    expect(rig.state).toMatchObject({ playing: false, frame: 2 })
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(rig.location.hash).toContain('frame=2')
    rig.state.change({ seed: 3 })
    await rig.until(({ panels }) => panels.b.result !== null && !panels.b.computing)
    expect(rig.state.frame).toBe(2)
    rig.state.play()
    await rig.until(({ playing }) => !playing)
    expect(rig.state.frame).toBe(lastFrame)
  })

  it('scores every method, pauses, resumes, and marks rows of another scene', async () => {
    const rig = start()
    await rig.until(settled)
    rig.state.runTable()
    await rig.until(({ table }) => table.rows.length === 2)
    rig.state.pauseTable()
    await rig.until(({ table }) => table.status === 'paused')
    const { length } = rig.state.table.rows
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(rig.state.table.rows.length).toBeLessThanOrEqual(length + 1)
    rig.state.runTable()
    const { table } = await rig.until((state) => state.table.status === 'finished')
    expect(table.rows.map(({ method }) => (method === 'exact' ? 'exact' : method.method))).toEqual([
      'exact',
      'mmps',
      'gaussian',
      'identity',
      'zero',
      'pigdm',
      'tmpd',
      'dps',
      'diffpir',
      'jfps',
      'tds',
    ])
    const text = await rig.state.exportTable().text()
    expect(text.split('\n')).toHaveLength(13)
    rig.state.change({ y1: 0.2 })
    expect(rig.state.table).toMatchObject({ current: false, status: 'finished' })
    rig.state.runTable()
    expect(rig.state.table).toMatchObject({ current: true, rows: [] })
    rig.state.change({ y1: 0.1 })
    expect(rig.state.table.status).toBe('idle')
  })

  it('exports samples of the shown frame, settings, and the command of Figure 2', async () => {
    const rig = start()
    await rig.until(settled)
    const lines = (await rig.state.exportSamples('b').text()).trim().split('\n')
    expect(lines).toHaveLength(65)
    expect(lines[0]).toBe('x1,x2')
    expect(JSON.parse(await rig.state.exportSettings().text())).toMatchObject({
      lab: 'posterior',
      settings: { samples: 64 },
      b: rig.state.panels.b.settings,
    })
    expect(rig.state.changeFigure2({ seeds: 64, sigmaY: 0.02 })).toEqual([])
    expect(rig.state.figure2Command()).toBe('npm run -s figure2 -- --seeds 64 --sigmaY 0.02')
    expect(rig.state.changeFigure2({ seeds: -1 })[0]).toContain('range')
  })

  it('runs Figure 2 seed by seed, pauses between them, and continues where it stopped', async () => {
    const rig = start()
    rig.state.changeFigure2({
      seeds: 3,
      points: 64,
      draws: 1024,
      components: 16,
      regularization: 0.1,
      iterations: 20,
    })
    rig.state.runFigure2()
    const begun = await rig.until(({ figure2 }) => figure2.seedsDone === 1 || figure2.status === 'failed')
    expect(begun.figure2.problem).toBeNull()
    rig.state.pauseFigure2()
    await rig.until(({ figure2 }) => figure2.status === 'paused')
    rig.state.cancelFigure2()
    const { rows } = rig.state.figure2
    expect(rig.state.figure2.status).toBe('idle')
    rig.state.runFigure2()
    const { figure2 } = await rig.until((state) => state.figure2.status === 'finished')
    expect(figure2.seedsDone).toBe(3)
    expect(figure2.rows.slice(0, rows.length)).toEqual(rows)
    expect(new Set(figure2.rows.map(({ seed }) => seed))).toEqual(new Set([0, 1, 2]))
    rig.state.changeFigure2({ seeds: 2 })
    expect(rig.state.figure2).toMatchObject({ seedsDone: 2, status: 'finished' })
    rig.state.resetFigure2()
    expect(rig.state.figure2).toMatchObject({ seedsDone: 0, rows: [], status: 'idle' })
  })

  it('opens the manifold lab’s prior, from its storage or from a file, and says how to make one', async () => {
    const missing = start(`#lab=posterior&shape=learned&${SMALL}`)
    await missing.until(settled)
    expect(missing.state.notices[0]).toMatch(/no saved run.*Run/)
    expect(missing.state.settings.shape).toBe(posteriorPresets.figure1.settings.shape)
    const shape = missing.state.scene
    await missing.state.openRunFile(new File(['nonsense'], 'my run.safetensors'))
    expect(missing.state.problem).toMatchObject({ place: 'import' })
    expect(missing.state.problem!.title).toContain('my run.safetensors')
    expect(missing.state.scene).toBe(shape)

    const settings = { ...presets.tiny, features: 2, observed: 1, observations: 64, hidden: 8, embedding: 4 }
    const record = {
      kept: 1,
      loss: null,
      divergence: null,
      consistency: 0,
      seconds: 0,
      steps: 0,
      samples: Float32Array.from({ length: 128 }, (_, i) => Math.sin(i)),
      losses: new Float32Array(0),
    }
    const weights = Float32Array.from(
      { length: parameterCount(networkShape(settings)) },
      (_, i) => Math.sin(7 * i) / 4,
    )
    const saved: SavedRun = {
      settings,
      preset: 'tiny',
      origin: { kind: 'random' },
      state: {
        records: [
          { ...record, iteration: 0, weights: null },
          { ...record, iteration: 1, weights },
        ],
        weights: null,
        losses: new Float32Array(0),
        seconds: 0,
        steps: 0,
      },
    }
    await missing.state.openRunFile(new File([writeRun(saved)], 'run.safetensors'))
    await missing.until((state) => settled(state) && state.scene!.prior.kind === 'mlp')
    expect(missing.location.hash).toContain('shape=learned')

    const rig = start(`#lab=posterior&shape=learned&${SMALL}`, { saved })
    const { scene, learned } = await rig.until(settled)
    expect(scene!.exactOf).toBe('curve')
    expect(learned).toMatchObject({ available: true })
    expect(learned.description).toContain('R^2')
  })
})
