/**
 * The stores of the manifold lab: each mirrors the run in its Web Worker and turns a page's actions into messages.
 * They are complete without React.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import { quantizeStrokes, readUrl, withSharedSettings, writeUrl } from './urlState'
import type { DataOrigin } from '../experiments/manifold/dataset'
import { settingsFromJson } from '../experiments/manifold/runFile'
import {
  defaultPreset,
  differencesFromPreset,
  presetNames,
  presets,
  validateSettings,
  type ManifoldSettings,
  type PresetName,
} from '../experiments/manifold/settings'
import type { Lab, LabState, Problem } from './labTypes'
import type { Command, FromWorker, OpenRun, Reply, Request, ToWorker } from './messages'

export interface CompareState {
  readonly enabled: boolean
  setEnabled(enabled: boolean): void
}

export interface Labs {
  readonly a: StoreApi<Lab>
  /** The run beside it; its worker starts when the comparison is first enabled. */
  readonly b: StoreApi<Lab>
  readonly compare: StoreApi<CompareState>
  /** Parts of the page that the link hides. */
  readonly hidden: ReadonlySet<string>
}

/** The worker behind one store, started on first use. */
class RunClient {
  private worker: Worker | undefined
  private nextId = 0
  private readonly waiting = new Map<number, (reply: Reply) => void>()

  constructor(
    private readonly slot: 'a' | 'b',
    private readonly onPatch: (patch: Partial<LabState>) => void,
  ) {}

  send(command: Command): void {
    this.post({ slot: this.slot, command })
  }

  async ask(request: Request): Promise<Reply> {
    const id = this.nextId++
    const reply = await new Promise<Reply>((resolve) => {
      this.waiting.set(id, resolve)
      this.post({ id, request })
    })
    if (reply.error !== undefined) throw new Error(reply.error)
    return reply
  }

  private post(message: ToWorker): void {
    this.worker ??= this.open()
    this.worker.postMessage(message)
  }

  private open(): Worker {
    const worker = new Worker(new URL('./runWorker.ts', import.meta.url), {
      type: 'module',
      name: `run ${this.slot}`,
    })
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if ('patch' in data) this.onPatch(data.patch)
      else {
        this.waiting.get(data.id)?.(data)
        this.waiting.delete(data.id)
      }
    })
    worker.addEventListener('error', (event) => {
      this.onPatch({
        status: 'failed',
        progress: null,
        problem: {
          title: 'The run’s background worker failed',
          message: event.message || 'The browser could not start or continue it.',
          nextStep: 'Reload the page: the last saved iteration comes back.',
          action: 'none',
          place: 'run',
        },
      })
    })
    return worker
  }
}

/** Opens the page's stores from its URL and keeps the URL true. Call once. */
export function startLabs(): Labs {
  const first = readUrl(location.hash)
  let { hidden } = first.state
  const compare = createStore<CompareState>()((set) => ({
    enabled: first.state.compare !== null,
    setEnabled: (enabled) => {
      if (enabled === compare.getState().enabled) return
      set({ enabled })
      if (enabled)
        openB(
          { ...labs.a.getState().settings, covariance: otherCovariance(labs.a.getState().settings) },
          'same',
        )
      pushUrl()
    },
  }))
  const origins: Record<'a' | 'b', DataOrigin> = {
    a: originOf(first.state.strokes),
    b: originOf(first.state.strokes),
  }
  const clients = {
    a: new RunClient('a', (patch) => receive('a', patch)),
    b: new RunClient('b', (patch) => receive('b', patch)),
  }
  const labs = {
    a: createLab('a', first.state.settings),
    b: createLab('b', first.state.compare ?? first.state.settings),
  }

  function createLab(slot: 'a' | 'b', settings: ManifoldSettings): StoreApi<Lab> {
    const client = clients[slot]
    return createStore<Lab>()((set, get) => ({
      slot,
      status: 'starting',
      preset: first.state.preset,
      settings,
      dataSource: { kind: 'random' },
      adapter: null,
      fallback: null,
      progress: null,
      iterations: [],
      selected: null,
      truth: null,
      shown: null,
      losses: { steps: new Float64Array(0), values: new Float64Array(0), boundaries: [] },
      unconditional: null,
      posterior: null,
      problem: null,
      notices: slot === 'a' ? first.problems : [],
      hasWeights: false,
      estimates: Object.fromEntries(presetNames.map((name) => [name, null])) as LabState['estimates'],
      run: () => client.send({ type: 'start' }),
      pause: () => client.send({ type: 'pause' }),
      eStep: () => client.send({ type: 'eStep' }),
      mStep: () => client.send({ type: 'mStep' }),
      reset: () => client.send({ type: 'reset' }),
      cancel: () => client.send({ type: 'cancel' }),
      select: (iteration) => client.send({ type: 'select', iteration }),
      change: (partial) => {
        const { settings: current, iterations } = get()
        const changed = { ...current, ...partial }
        const problems = validateSettings(changed).map(({ message }) => message)
        if (problems.length > 0) return problems
        const keys = (Object.keys(partial) as (keyof ManifoldSettings)[]).filter(
          (key) => changed[key] !== current[key],
        )
        if (keys.length === 0) return []
        if (keys.length === 1 && keys[0] === 'iterations' && iterations.length > 0) {
          set({ settings: changed })
          client.send({ type: 'setIterations', iterations: changed.iterations })
        } else {
          open(slot, { settings: changed, preset: get().preset, origin: origins[slot] }, 'no')
        }
        pushUrl()
        return []
      },
      choosePreset: (preset) => {
        const own = { ...presets[preset], seed: get().settings.seed }
        const fileData = origins[slot].kind === 'file' ? pickData(get().settings) : {}
        open(slot, { settings: { ...own, ...fileData }, preset, origin: origins[slot] }, 'no')
        pushUrl()
      },
      useRandomCurve: () => useOrigin({ kind: 'random' }),
      useDrawnCurve: (strokes) => useOrigin(originOf(quantizeStrokes(strokes))),
      loadDataFile: async (file) => {
        await attempt('data', `${file.name} was not used`, async () => {
          const { features, observed } = get().settings
          const bytes = new Uint8Array(await file.arrayBuffer())
          const { opened } = await client.ask({
            type: 'readData',
            name: file.name,
            bytes,
            features,
            observed,
          })
          if (opened) openBoth(opened)
        })
      },
      drawUnconditional: () => client.send({ type: 'drawUnconditional' }),
      drawPosterior: (index) => client.send({ type: 'drawPosterior', index }),
      exportRun: async () => toBlob(await client.ask({ type: 'exportRun' }), 'application/octet-stream'),
      exportSamples: async (format) =>
        toBlob(
          await client.ask({ type: 'exportSamples', format }),
          format === 'csv' ? 'text/csv' : 'application/octet-stream',
        ),
      exportSettings: () =>
        new Blob([`${JSON.stringify({ preset: get().preset, ...get().settings }, null, 2)}\n`], {
          type: 'application/json',
        }),
      importRun: async (file) => {
        await attempt('import', `${file.name} was not imported`, async () => {
          const { opened } = await client.ask({
            type: 'importRun',
            bytes: new Uint8Array(await file.arrayBuffer()),
          })
          if (!opened) return
          open(slot, opened, 'no')
          pushUrl()
        })
      },
      importSettings: async (file) => {
        await attempt('import', `${file.name} was not imported`, async () => {
          const text = await file.text()
          const settings = settingsFromJson(text)
          const named = (JSON.parse(text) as { preset?: unknown }).preset
          const preset = presetNames.find((name) => name === named) ?? defaultPreset
          open(slot, { settings, preset, origin: { kind: 'random' } }, 'no')
          pushUrl()
        })
      },
      dismissProblem: () => set({ problem: null }),
      dismissNotice: (index) => set({ notices: get().notices.filter((_, i) => i !== index) }),
      commandLine: () => commandLine(get().settings, get().preset, origins[slot]),
    }))

    async function attempt(place: Problem['place'], title: string, task: () => Promise<void>): Promise<void> {
      try {
        await task()
        labs[slot].setState({ problem: null })
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        const nextStep =
          place === 'data'
            ? 'Correct the file and load it again; the present data stays.'
            : 'Choose a file that this page exported; the present run stays.'
        labs[slot].setState({ problem: { title, message, nextStep, action: 'none', place } })
      }
    }
  }

  /** Opens a run in a slot. What slot a opens, slot b shares as far as the data goes. */
  function open(slot: 'a' | 'b', wanted: OpenRun, restore: 'no' | 'same' | 'any'): void {
    origins[slot] = wanted.origin
    labs[slot].setState({ settings: wanted.settings, preset: wanted.preset, problem: null })
    clients[slot].send({ type: 'open', restore, ...wanted })
    if (slot === 'a' && compare.getState().enabled) openB(labs.b.getState().settings, 'no')
  }

  function openB(own: ManifoldSettings, restore: 'no' | 'same'): void {
    const { settings, preset } = labs.a.getState()
    open('b', { settings: withSharedSettings(own, settings), preset, origin: origins.a }, restore)
  }

  function openBoth(opened: OpenRun): void {
    open('a', opened, 'no')
    pushUrl()
  }

  function useOrigin(origin: DataOrigin): void {
    const { settings, preset } = labs.a.getState()
    openBoth({ settings, preset, origin })
  }

  function receive(slot: 'a' | 'b', patch: Partial<LabState>): void {
    // A run that was restored or imported brings its own settings; the URL follows.
    const settingsChanged = patch.settings !== undefined
    labs[slot].setState(patch)
    if (settingsChanged) replaceUrl()
    if (patch.fallback && slot === 'a') chooseTinyByDefault()
  }

  /** Without a GPU the default preset would take hours: a visitor who chose nothing gets the one that runs. */
  function chooseTinyByDefault(): void {
    const { preset, settings, iterations } = labs.a.getState()
    const chosen = differencesFromPreset({ ...settings, seed: presets[preset].seed }, preset).length > 0
    if (preset === defaultPreset && !chosen && iterations.length === 0) labs.a.getState().choosePreset('tiny')
  }

  function currentUrl(): string {
    const { settings, preset } = labs.a.getState()
    const origin = origins.a
    return writeUrl({
      preset,
      settings,
      strokes: origin.kind === 'drawn' ? origin.strokes : [],
      compare: compare.getState().enabled ? labs.b.getState().settings : null,
      hidden,
      autorun: false,
    })
  }

  function pushUrl(): void {
    const url = currentUrl()
    if (url !== location.hash)
      history.pushState(null, '', url === '' ? location.pathname + location.search : url)
  }

  function replaceUrl(): void {
    const url = currentUrl()
    if (url !== location.hash)
      history.replaceState(null, '', url === '' ? location.pathname + location.search : url)
  }

  /** Back, forward, or a fragment typed into the address bar. */
  function followUrl(): void {
    if (currentUrl() === location.hash) return
    const { state, problems } = readUrl(location.hash)
    hidden = state.hidden
    labs.a.setState({ notices: problems })
    if (state.compare === null) compare.setState({ enabled: false })
    open('a', { settings: state.settings, preset: state.preset, origin: originOf(state.strokes) }, 'same')
    if (state.compare !== null) {
      compare.setState({ enabled: true })
      openB(state.compare, 'same')
    }
    replaceUrl()
    if (state.autorun) labs.a.getState().run()
  }

  window.addEventListener('popstate', followUrl)
  window.addEventListener('hashchange', followUrl)
  clients.a.send({
    type: 'open',
    restore: first.isEmpty ? 'any' : 'same',
    settings: first.state.settings,
    preset: first.state.preset,
    origin: origins.a,
  })
  if (first.state.compare) openB(first.state.compare, 'same')
  if (first.state.autorun) labs.a.getState().run()
  return { ...labs, compare, hidden }
}

function originOf(strokes: UrlStrokes): DataOrigin {
  return strokes.length > 0 ? { kind: 'drawn', strokes } : { kind: 'random' }
}
type UrlStrokes = Extract<DataOrigin, { kind: 'drawn' }>['strokes']

function pickData({ features, observed, observations }: ManifoldSettings): Partial<ManifoldSettings> {
  return { features, observed, observations }
}

/** A first comparison shows what the covariance does. */
function otherCovariance({ covariance }: ManifoldSettings): ManifoldSettings['covariance'] {
  return covariance === 'tweedie' ? 'gaussian' : 'tweedie'
}

function toBlob(reply: Reply, type: string): Blob {
  return new Blob(reply.bytes ? [reply.bytes] : [], { type })
}

/** The command that makes the same run without a window. A drawn curve travels as the page's URL fragment. */
function commandLine(settings: ManifoldSettings, preset: PresetName, origin: DataOrigin): string {
  if (origin.kind === 'drawn') {
    const fragment = writeUrl({
      preset,
      settings,
      strokes: origin.strokes,
      compare: null,
      hidden: new Set(),
      autorun: false,
    })
    return `npm run -s diem -- --url '${fragment}'`
  }
  const options = differencesFromPreset(settings, preset).map(([key, value]) => `--${key} ${value}`)
  if (origin.kind === 'file') options.push(`--data ${origin.name}`)
  return ['npm run -s diem --', `--preset ${preset}`, ...options].join(' ')
}
