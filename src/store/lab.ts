/**
 * The stores of the manifold lab: each mirrors the run in its Web Worker and turns a page's actions into messages.
 * They are complete without React.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { DataOrigin } from '../experiments/manifold/dataset'
import { isSharedSetting, quantizeStrokes, readUrl, withSharedSettings, writeUrl } from './urlState'
import { settingsFromJson } from '../experiments/manifold/runFile'
import {
  defaultPreset,
  differencesFromPreset,
  presetNames,
  presets,
  settingKeys,
  validateSettings,
  type ManifoldSettings,
  type PresetName,
} from '../experiments/manifold/settings'
import type { Lab, LabState, Problem } from './labTypes'
import { followLab, labFragment, routeProblems, writeLabFragment } from './route'
import type { Command, FromWorker, OpenRun, Reply, Request, Restore, ToWorker } from './messages'

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
  /** Of the newest `open`; patches of earlier ones say nothing about the run that the page waits for. */
  private generation = 0
  private readonly waiting = new Map<number, (reply: Reply) => void>()

  constructor(
    private readonly slot: 'a' | 'b',
    private readonly onPatch: (patch: Partial<LabState>) => void,
    private readonly onRestoredOrigin: (origin: DataOrigin) => void,
  ) {}

  get isOpen(): boolean {
    return this.generation > 0
  }

  open(wanted: OpenRun, restore: Restore): void {
    this.generation += 1
    this.send({ type: 'open', restore, generation: this.generation, ...wanted })
  }

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
    this.worker ??= this.startWorker()
    // a file's bytes move to the worker
    const isFile = 'request' in message && 'bytes' in message.request
    this.worker.postMessage(message, isFile ? [message.request.bytes.buffer] : [])
  }

  private startWorker(): Worker {
    const worker = new Worker(new URL('./runWorker.ts', import.meta.url), {
      type: 'module',
      name: `run ${this.slot}`,
    })
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if ('patch' in data) {
        this.onPatch(data.generation === this.generation ? data.patch : ofDevice(data.patch))
      } else if ('restoredOrigin' in data) {
        if (data.generation === this.generation) this.onRestoredOrigin(data.restoredOrigin)
      } else {
        this.waiting.get(data.id)?.(data)
        this.waiting.delete(data.id)
      }
    })
    worker.addEventListener('error', (event) => {
      for (const [id, answer] of this.waiting) answer({ id, error: 'The background worker failed.' })
      this.waiting.clear()
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

/** What a patch says about the device, which outlives a run. */
function ofDevice({ adapter, fallback, estimates }: Partial<LabState>): Partial<LabState> {
  return {
    ...(adapter !== undefined && { adapter }),
    ...(fallback !== undefined && { fallback }),
    ...(estimates !== undefined && { estimates }),
  }
}

/** Opens the page's stores from its URL and keeps the URL true. Call once. */
export function startLabs(): Labs {
  followLab('manifold', followUrl)
  const first = readUrl(labFragment('manifold'))
  let { hidden } = first.state
  const compare = createStore<CompareState>()((set) => ({
    enabled: first.state.compare !== null,
    setEnabled: (enabled) => {
      if (enabled === compare.getState().enabled) return
      set({ enabled })
      if (enabled) followA('same')
      else haltB()
      pushUrl()
    },
  }))
  const origins: Record<'a' | 'b', DataOrigin> = {
    a: originOf(first.state.strokes),
    b: originOf(first.state.strokes),
  }
  const clients = {
    a: new RunClient(
      'a',
      (patch) => receive('a', patch),
      (origin) => {
        origins.a = origin
        if (compare.getState().enabled) followA('same')
      },
    ),
    b: new RunClient(
      'b',
      (patch) => receive('b', patch),
      (origin) => {
        const { a } = origins
        origins.b = origin.kind === 'file' && a.kind === 'file' && a.name === origin.name ? a : origin
      },
    ),
  }
  /** Settings of run A when run B last followed it: where run B's are the same, it goes on following. */
  let followed = first.state.settings
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
      notices: slot === 'a' ? [...routeProblems(location.hash), ...first.problems] : [],
      hasWeights: false,
      estimates: Object.fromEntries(presetNames.map((name) => [name, null])) as LabState['estimates'],
      run: () => client.send({ type: 'start' }),
      pause: () => client.send({ type: 'pause' }),
      eStep: () => client.send({ type: 'eStep' }),
      mStep: () => client.send({ type: 'mStep' }),
      reset: () => client.send({ type: 'reset' }),
      cancel: () => client.send({ type: 'cancel' }),
      select: (iteration) => {
        set({ selected: iteration })
        client.send({ type: 'select', iteration })
      },
      change: (partial) => {
        const { settings: current, preset } = get()
        const changed = { ...current, ...partial }
        const problems = validateSettings(changed).map(({ message }) => message)
        if (problems.length > 0) return problems
        const keys = (Object.keys(partial) as (keyof ManifoldSettings)[]).filter(
          (key) => changed[key] !== current[key],
        )
        if (keys.length === 0) return []
        const origin = origins[slot]
        if (origin.kind === 'file' && keys.some((key) => key in pickData(current))) {
          return [`${origin.name} fixes n, m and the number of observations: choose other data first.`]
        }
        show(slot, { settings: changed, preset, origin }, 'no')
        pushUrl()
        return []
      },
      choosePreset: (preset) => {
        const own = { ...presets[preset], seed: get().settings.seed }
        const fileData = origins[slot].kind === 'file' ? pickData(get().settings) : {}
        show(slot, { settings: { ...own, ...fileData }, preset, origin: origins[slot] }, 'no')
        pushUrl()
      },
      useRandomCurve: () => useOrigin({ kind: 'random' }),
      useDrawnCurve: (strokes) => useOrigin(originOf(quantizeStrokes(strokes))),
      loadDataFile: async (file) => {
        await attempt('data', `${file.name} was not used`, async () => {
          const bytes = new Uint8Array(await file.arrayBuffer())
          const { settings: present, preset } = get()
          const { opened } = await client.ask({
            type: 'readData',
            name: file.name,
            bytes,
            settings: present,
            preset,
          })
          if (!opened) return
          show('a', opened, 'no')
          pushUrl()
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
          if (slot === 'b') requireDataOfA(opened)
          open(slot, slot === 'b' ? { ...opened, origin: origins.a } : opened, 'imported')
          if (slot === 'a' && compare.getState().enabled) followA('no')
          pushUrl()
        })
      },
      importSettings: async (file) => {
        await attempt('import', `${file.name} was not imported`, async () => {
          const text = await file.text()
          const settings = settingsFromJson(text)
          const named = (JSON.parse(text) as { preset?: unknown }).preset
          const preset = presetNames.find((name) => name === named) ?? defaultPreset
          if (slot === 'a') show(slot, { settings, preset, origin: { kind: 'random' } }, 'no')
          else {
            const own = withSharedSettings(settings, labs.a.getState().settings)
            show(slot, { settings: own, preset, origin: origins.a }, 'no')
          }
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

  function open(slot: 'a' | 'b', wanted: OpenRun, restore: Restore): void {
    origins[slot] = wanted.origin
    labs[slot].setState({
      settings: wanted.settings,
      preset: wanted.preset,
      status: 'starting',
      progress: null,
      problem: null,
      // What is restored comes back with the worker's first patch.
      iterations: [],
      selected: null,
    })
    clients[slot].open(wanted, restore)
  }

  /** As `open`, but a run that is already there stays, and run B follows run A where they are compared. */
  function show(
    slot: 'a' | 'b',
    wanted: OpenRun,
    restore: Restore,
    isFollowed = slot === 'a' && compare.getState().enabled,
  ): void {
    const { settings } = labs[slot].getState()
    const changed = settingKeys.filter((key) => settings[key] !== wanted.settings[key])
    if (!clients[slot].isOpen || !isSameOrigin(origins[slot], wanted.origin)) open(slot, wanted, restore)
    else if (changed.length > 1 || (changed.length === 1 && changed[0] !== 'iterations')) {
      open(slot, wanted, restore)
    } else {
      labs[slot].setState({ preset: wanted.preset, settings: wanted.settings })
      if (changed.length === 1)
        clients[slot].send({ type: 'setIterations', iterations: wanted.settings.iterations })
    }
    if (isFollowed) followA(restore)
  }

  /** Gives run B the data of run A, and its settings except for those that B has of its own. */
  function followA(restore: Restore): void {
    const { settings, preset } = labs.a.getState()
    const present = labs.b.getState().settings
    let own: ManifoldSettings = clients.b.isOpen
      ? {
          ...settings,
          ...Object.fromEntries(
            settingKeys
              .filter((key) => !isSharedSetting(key) && present[key] !== followed[key])
              .map((key) => [key, present[key]]),
          ),
        }
      : { ...settings, covariance: otherCovariance(settings) }
    if (validateSettings(own).length > 0) own = settings
    followed = settings
    show('b', { settings: own, preset, origin: origins.a }, restore)
  }

  /** Run B is no longer on the page: what it does must not take the device from run A. */
  function haltB(): void {
    const { status, progress, pause, cancel } = labs.b.getState()
    if (status !== 'running') return
    if (progress?.stage === 'draw') cancel()
    else pause()
  }

  /** Both runs learn from the same observations. Error: `opened` has others. */
  function requireDataOfA({ settings, origin }: OpenRun): void {
    const main = labs.a.getState().settings
    const sameData =
      origin.kind === origins.a.kind &&
      (origin.kind === 'file' || isSameOrigin(origin, origins.a)) &&
      settingKeys.every((key) => !isSharedSetting(key) || settings[key] === main[key])
    if (!sameData)
      throw new Error('It was made from other observations than run A. Import it as run A instead.')
  }

  function useOrigin(origin: DataOrigin): void {
    const { settings, preset } = labs.a.getState()
    show('a', { settings, preset, origin }, 'no')
    pushUrl()
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
    if (preset !== defaultPreset || chosen || iterations.length > 0) return
    labs.a.getState().choosePreset('tiny')
    if (first.state.autorun) labs.a.getState().run()
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
    }).replace(/^#/, '')
  }

  function pushUrl(): void {
    writeLabFragment('manifold', currentUrl(), 'push')
  }

  function replaceUrl(): void {
    writeLabFragment('manifold', currentUrl(), 'replace')
  }

  /** Back, forward, or a fragment typed into the address bar. */
  function followUrl(): void {
    if (currentUrl() === labFragment('manifold')) return
    const { state, problems } = readUrl(location.hash)
    hidden = state.hidden
    labs.a.setState({ notices: [...routeProblems(location.hash), ...problems] })
    const { settings, preset, strokes } = state
    compare.setState({ enabled: state.compare !== null })
    show('a', { settings, preset, origin: originInUrl(strokes, settings) }, 'same', false)
    if (state.compare === null) haltB()
    else {
      followed = settings
      show('b', { settings: state.compare, preset, origin: origins.a }, 'same')
    }
    replaceUrl()
    if (state.autorun) runBoth()
  }

  /** A file's data is not in the URL: it stays while the sizes there are its own. */
  function originInUrl(strokes: UrlStrokes, settings: ManifoldSettings): DataOrigin {
    const present = origins.a
    if (strokes.length > 0 || present.kind !== 'file') return originOf(strokes)
    const { features, observed, count } = present.observations
    const fits =
      features === settings.features && observed === settings.observed && count === settings.observations
    return fits ? present : originOf(strokes)
  }

  function runBoth(): void {
    labs.a.getState().run()
    if (compare.getState().enabled) labs.b.getState().run()
  }

  const { settings, preset } = first.state
  open('a', { settings, preset, origin: origins.a }, first.restore)
  if (first.state.compare) open('b', { settings: first.state.compare, preset, origin: origins.b }, 'same')
  if (first.state.autorun) runBoth()
  return { ...labs, compare, hidden }
}

function isSameOrigin(one: DataOrigin, other: DataOrigin): boolean {
  if (one === other) return true
  if (one.kind === 'file' || other.kind === 'file') return false
  return JSON.stringify(one) === JSON.stringify(other)
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
  if (origin.kind === 'file') options.push(`--data '${origin.name.replaceAll("'", String.raw`'\''`)}'`)
  return ['npm run -s diem --', `--preset ${preset}`, ...options].join(' ')
}
