import { beforeEach, describe, expect, it, vi } from 'vitest'
import { presets } from '../../src/experiments/manifold/settings'
import { startLabs, type Labs } from '../../src/store/lab'
import type { Command, FromWorker, OpenRun, ToWorker } from '../../src/store/messages'

/** Stands for the workers: keeps what the page sends, answers nothing by itself. */
class FakeWorker {
  static readonly all = new Map<string, FakeWorker>()
  readonly commands: Command[] = []
  private readonly listeners = new Map<string, (event: { data: FromWorker }) => void>()

  constructor(_: URL, { name }: WorkerOptions) {
    FakeWorker.all.set(name!.slice(-1), this)
  }

  addEventListener(type: string, listener: (event: { data: FromWorker }) => void): void {
    this.listeners.set(type, listener)
  }

  postMessage(message: ToWorker): void {
    if ('command' in message) this.commands.push(message.command)
  }

  says(data: FromWorker): void {
    this.listeners.get('message')!({ data })
  }

  get opens(): Extract<Command, { type: 'open' }>[] {
    return this.commands.filter((command) => command.type === 'open')
  }
}

let location: { hash: string; pathname: string; search: string }
const listeners = new Map<string, () => void>()

function start(hash = ''): Labs {
  location = { hash, pathname: '/', search: '' }
  const go = (_: unknown, __: unknown, url: string) => (location.hash = url.startsWith('#') ? url : '')
  vi.stubGlobal('location', location)
  vi.stubGlobal('history', { pushState: go, replaceState: go })
  vi.stubGlobal('window', { addEventListener: (type: string, f: () => void) => listeners.set(type, f) })
  vi.stubGlobal('Worker', FakeWorker)
  return startLabs()
}

const worker = (slot: 'a' | 'b') => FakeWorker.all.get(slot)!
const navigate = (hash: string) => {
  location.hash = hash
  listeners.get('popstate')!()
}
const pairs = { count: 512, features: 5, observed: 2, A: new Float32Array(5120), y: new Float32Array(1024) }
const file: OpenRun = {
  settings: { ...presets.tiny, observations: 512 },
  preset: 'tiny',
  origin: { kind: 'file', name: 'my pairs.csv', observations: { ...pairs, sigmaY: 0.01 } },
}

describe('the stores of the page', () => {
  beforeEach(() => FakeWorker.all.clear())

  it('ignores what an abandoned run still says, but not what is said of the device', () => {
    const { a } = start('#preset=tiny')
    a.getState().change({ sigmaY: 0.02 })
    const adapter = { kind: 'webgpu', name: 'a GPU' } as const
    worker('a').says({ patch: { settings: presets.tiny, status: 'idle', adapter }, generation: 1 })
    expect(a.getState()).toMatchObject({ settings: { sigmaY: 0.02 }, status: 'starting', adapter })
    worker('a').says({ patch: { status: 'idle' }, generation: 2 })
    expect(a.getState().status).toBe('idle')
    expect(location.hash).toBe('#preset=tiny&sigmaY=0.02')
  })

  it('lets run B follow run A in all that it has not of its own, and leaves it alone otherwise', () => {
    const { a, b, compare } = start('#preset=tiny')
    compare.getState().setEnabled(true)
    expect(worker('b').opens.at(-1)).toMatchObject({ restore: 'same', settings: { covariance: 'gaussian' } })
    a.getState().choosePreset('quick')
    expect(worker('b').opens.at(-1)!.settings).toEqual({ ...presets.quick, covariance: 'gaussian' })
    b.getState().change({ samplerSteps: 16 })
    const before = worker('b').opens.length
    a.getState().change({ samplerSteps: 32 })
    expect(worker('b').opens).toHaveLength(before)
    a.getState().change({ iterations: 3 })
    expect(worker('b').opens).toHaveLength(before)
    expect(worker('b').commands.at(-1)).toEqual({ type: 'setIterations', iterations: 3 })
    compare.getState().setEnabled(false)
    a.getState().change({ sigmaY: 0.05 })
    compare.getState().setEnabled(true)
    expect(b.getState().settings).toMatchObject({ sigmaY: 0.05, samplerSteps: 16, covariance: 'gaussian' })
  })

  it('pauses run B when it leaves the page', () => {
    const { b, compare } = start('#preset=tiny&compare=1')
    b.setState({ status: 'running' })
    compare.getState().setEnabled(false)
    expect(worker('b').commands.at(-1)).toEqual({ type: 'pause' })
  })

  it('goes back without touching a run that stays the same', () => {
    const { a, compare } = start('#preset=tiny')
    compare.getState().setEnabled(true)
    navigate('#preset=tiny')
    expect(compare.getState().enabled).toBe(false)
    expect(worker('a').opens).toHaveLength(1)
    navigate('#preset=tiny&seed=4')
    expect(worker('a').opens.at(-1)).toMatchObject({ restore: 'same', settings: { seed: 4 } })
    navigate('#preset=tiny&seed=4&iterations=9')
    expect(worker('a').commands.at(-1)).toEqual({ type: 'setIterations', iterations: 9 })
    expect(a.getState().settings.iterations).toBe(9)
  })

  it('keeps the data of a restored run when a setting changes', () => {
    const { a } = start()
    const stroke = { plane: [0, 1] as const, points: [[0, 0] as const, [1, 1] as const] }
    worker('a').says({ restoredOrigin: { kind: 'drawn', strokes: [stroke] }, generation: 1 })
    worker('a').says({ patch: { settings: presets.quick, preset: 'quick' }, generation: 1 })
    expect(location.hash).toContain('curve=01')
    a.getState().change({ sigmaY: 0.02 })
    expect(worker('a').opens.at(-1)!.origin).toEqual({ kind: 'drawn', strokes: [stroke] })
  })

  it('does not let settings contradict a data file, and quotes its name on the command line', () => {
    const { a } = start('#preset=tiny')
    worker('a').says({ restoredOrigin: file.origin, generation: 1 })
    expect(a.getState().change({ features: 4 })[0]).toContain('my pairs.csv')
    expect(a.getState().change({ solver: 'cg' })).toEqual([])
    expect(worker('a').opens.at(-1)!.origin).toBe(file.origin)
    expect(a.getState().commandLine()).toContain("--data 'my pairs.csv'")
    navigate('#preset=tiny')
    expect(worker('a').opens.at(-1)!.origin).toBe(file.origin)
  })

  it('starts both runs of a link that says so', () => {
    start('#preset=tiny&compare=1&run=1')
    for (const slot of ['a', 'b'] as const) expect(worker(slot).commands.at(-1)).toEqual({ type: 'start' })
  })
})
