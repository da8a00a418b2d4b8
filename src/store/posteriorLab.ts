/**
 * The store of the posterior lab: it turns the page's actions into messages to its workers, mirrors what they publish,
 * and keeps the URL true. It is complete without React.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import { posteriorPresets } from '../experiments/mixture/presets'
import {
  mixtureKeys,
  validateMethod,
  validateMixture,
  type MethodSettings,
  type MixtureSettings,
} from '../experiments/mixture/settings'
import { connectWorker, type Connect, type PosteriorClient } from './posteriorClient'
import { samplesCsv, settingsJson } from './posteriorExports'
import { PosteriorFigure2 } from './posteriorFigure2'
import { LearnedPriors } from './posteriorLearned'
import type { Problem } from './labTypes'
import type { PosteriorEvent } from './posteriorMessages'
import { Player } from './posteriorPlayer'
import { PosteriorTable } from './posteriorTable'
import type { PanelName, PanelState, PosteriorLab } from './posteriorTypes'
import { readPosteriorUrl, writePosteriorUrl } from './posteriorUrl'
import { activeLab, followLab, labFragment, routeProblems, writeLabFragment } from './route'
import { quantizeStrokes } from './urlState'

/** Where there is no GPU, a visitor who chose nothing gets this many samples: they follow a drag all the same. */
const CPU_SAMPLES = 256
/** Scrubbing writes the URL when it rests: browsers refuse a hundred entries in a few seconds. */
const URL_MILLISECONDS = 300

const PANELS: readonly PanelName[] = ['a', 'b']
const LAB = 'posterior'

/** Opens the lab from the URL. Call once, when the lab is first shown. */
export function startPosteriorLab(connect: Connect = connectWorker): StoreApi<PosteriorLab> {
  followLab(LAB, followUrl)
  const first = readPosteriorUrl(labFragment(LAB))
  /** The frame that was asked for; null follows x_0. */
  let frame = first.state.frame
  let generation = 0
  /** What the panels show was asked for in a drag, with fewer samples. */
  let isTransient = false
  let urlTimer: ReturnType<typeof setTimeout> | undefined

  const client: PosteriorClient = connect('figure 1', receive, failWorker)
  const table = new PosteriorTable(client, () => lab)
  const figure2 = new PosteriorFigure2(connect, () => lab)
  const player = new Player(
    () => lab.getState(),
    (next) => {
      frame = next
      lab.setState({ frame: next })
    },
    () => {
      frame = null
      lab.setState({ playing: false })
      restFrame()
    },
  )

  const lab = createStore<PosteriorLab>()((set, get) => ({
    status: 'starting',
    settings: first.state.settings,
    preset: first.state.preset,
    strokes: first.state.strokes,
    adapter: null,
    fallback: null,
    scene: null,
    panels: { a: panelOf(first.state.a), b: panelOf(first.state.b) },
    frame: 0,
    lastFrame: 0,
    playing: false,
    probe: null,
    learned: { available: false, description: '' },
    hidden: first.state.hidden,
    problem: null,
    notices: [...routeProblems(location.hash), ...first.problems],
    table: table.initial,
    figure2: figure2.initial,
    change: (partial, transient = false) => {
      if (partial.shape === 'learned' && !learned.isOpen) {
        void get().openLearned()
        return []
      }
      const { settings, panels, strokes } = get()
      const changed = complete(settings, partial)
      const problems = [
        ...validateMixture(changed),
        ...PANELS.flatMap((panel) => validateMethod(panels[panel].settings, changed)),
      ].map(({ message }) => message)
      if (changed.shape === 'drawn' && strokes.length === 0) problems.push('Draw a curve first.')
      if (problems.length > 0) return problems
      show(changed, transient)
      return []
    },
    changeMethod: (panel, partial) => {
      const { settings, panels } = get()
      const method: MethodSettings = { ...panels[panel].settings, ...partial }
      const problems = validateMethod(method, settings).map(({ message }) => message)
      if (problems.length > 0) return problems
      set({ panels: { ...panels, [panel]: { ...panels[panel], settings: method } } })
      sample()
      writeUrl('push')
      return []
    },
    choosePreset: (preset) => {
      const { settings, a, b } = posteriorPresets[preset]
      const samples = get().fallback ? Math.min(settings.samples, CPU_SAMPLES) : settings.samples
      setMethods({ a, b })
      frame = null
      set({ preset, problem: null })
      show({ ...settings, samples }, false)
    },
    useDrawnCurve: (drawn) => {
      const strokes = quantizeStrokes(drawn)
      if (strokes.length === 0) return
      set({ strokes })
      show({ ...get().settings, shape: 'drawn' }, false)
    },
    openLearned: async () => {
      const found = await learned.openSaved()
      if (found) show({ ...get().settings, ...found }, false)
    },
    openRunFile: async (file) => {
      const found = await learned.openFile(file)
      if (found) show({ ...get().settings, ...found }, false)
    },
    reseed: () => show({ ...get().settings, seed: (get().settings.seed + 1) % 2 ** 32 }, false),
    showFrame: (next) => {
      get().pausePlaying()
      const { lastFrame } = get()
      const shown = Math.min(Math.max(Math.round(next), 0), lastFrame)
      frame = shown === lastFrame ? null : shown
      set({ frame: shown })
      restFrame()
    },
    play: () => {
      if (get().lastFrame === 0) return
      set({ playing: true })
      player.play()
    },
    pausePlaying: () => {
      if (!get().playing) return
      player.pause()
      set({ playing: false })
      restFrame()
    },
    setProbe: (probe) => set({ probe }),
    runTable: () => table.run(),
    pauseTable: () => table.pause(),
    cancelTable: () => table.cancel(),
    changeFigure2: (partial) => figure2.change(partial),
    runFigure2: () => figure2.run(),
    pauseFigure2: () => figure2.pause(),
    cancelFigure2: () => figure2.cancel(),
    resetFigure2: () => figure2.reset(),
    exportSamples: (panel) => {
      const { panels, frame: shown, lastFrame } = get()
      return samplesCsv(panels[panel].result, shown, lastFrame)
    },
    exportTable: () => table.export(),
    exportFigure2: () => figure2.export(),
    exportSettings: () => settingsJson(get()),
    figure2Command: () => figure2.command(),
    dismissProblem: () => set({ problem: null }),
    dismissNotice: (index) => set({ notices: get().notices.filter((_, i) => i !== index) }),
  }))
  const learned = new LearnedPriors(client, lab)

  /** Shows other settings, and writes them down unless a drag is under way. */
  function show(settings: MixtureSettings, transient: boolean): void {
    const { settings: before } = lab.getState()
    lab.setState({ settings })
    // A new curve drawn by hand comes with the settings of the old.
    if (settings.shape === 'drawn' || mixtureKeys.some((key) => settings[key] !== before[key]))
      table.outdate()
    sample(transient)
    if (!transient) writeUrl('push')
  }

  function sample(transient = false): void {
    isTransient = transient
    generation += 1
    const { settings, strokes, panels } = lab.getState()
    const methods = { a: panels.a.settings, b: panels.b.settings }
    client.send({ type: 'sample', wanted: { settings, strokes, methods, transient, generation } })
  }

  function receive(event: PosteriorEvent): void {
    switch (event.type) {
      case 'device': {
        const { adapter, fallback } = event
        const wasKnown = lab.getState().adapter !== null
        lab.setState({ adapter, fallback })
        if (fallback && !wasKnown) drawFewerByDefault()
        return
      }
      case 'scene': {
        const { scene } = event
        const { scene: before, problem } = lab.getState()
        lab.setState({ scene, status: 'ready', problem: problem?.place === 'run' ? null : problem })
        // Samples of another dimension cannot be drawn in this scene.
        if (before && before.features !== scene.features) forgetResults()
        return
      }
      case 'sceneFailed':
        lab.setState({ problem: event.problem, status: lab.getState().scene ? 'ready' : 'failed' })
        return
      case 'panel':
        receivePanel(event.panel, event.patch)
        return
      case 'job':
      case 'tableRow':
        table.receive(event)
        return
      case 'figure2Rows':
        return
    }
  }

  /** The next message starts another worker; a learned prior has to be opened again in it. */
  function failWorker(message: string): void {
    const problem: Problem = {
      title: 'The lab’s background worker failed',
      message,
      nextStep: 'Change any setting to start it again, or reload the page: the address keeps all settings.',
      action: 'retry',
      place: 'run',
    }
    learned.isOpen = false
    table.fail(problem)
    lab.setState(({ panels: { a, b }, scene }) => ({
      status: scene ? 'ready' : 'failed',
      panels: { a: { ...a, computing: false }, b: { ...b, computing: false } },
      problem,
    }))
  }

  function receivePanel(panel: PanelName, patch: Partial<PanelState>): void {
    const { panels } = lab.getState()
    const next = { ...panels, [panel]: { ...panels[panel], ...patch } }
    if (!patch.result) {
      lab.setState({ panels: next })
      return
    }
    const lastFrame = Math.max(...PANELS.map((name) => next[name].result?.sigmas.length ?? 0))
    lab.setState({ panels: next, lastFrame, frame: Math.min(frame ?? lastFrame, lastFrame) })
  }

  function forgetResults(): void {
    const { panels } = lab.getState()
    lab.setState({
      panels: { a: { ...panels.a, result: null }, b: { ...panels.b, result: null } },
      probe: null,
    })
  }

  function setMethods(methods: Readonly<Record<PanelName, MethodSettings>>): void {
    const { panels } = lab.getState()
    lab.setState({
      panels: {
        a: { ...panels.a, settings: methods.a },
        b: { ...panels.b, settings: methods.b },
      },
    })
  }

  /** Without a GPU: only where the visitor has chosen no number of samples. */
  function drawFewerByDefault(): void {
    const { preset, settings, panels } = lab.getState()
    if (settings.samples !== posteriorPresets[preset].settings.samples) return
    const fewer = { ...settings, samples: Math.min(settings.samples, CPU_SAMPLES) }
    if (PANELS.some((panel) => validateMethod(panels[panel].settings, fewer).length > 0)) return
    lab.setState({ settings: fewer })
    sample()
    writeUrl('replace')
  }

  function writeUrl(how: 'push' | 'replace'): void {
    clearTimeout(urlTimer)
    writeLabFragment(LAB, currentUrl(), how)
  }

  function currentUrl(): string {
    const { preset, settings, panels, strokes, hidden, playing, lastFrame } = lab.getState()
    return writePosteriorUrl({
      preset,
      settings,
      a: panels.a.settings,
      b: panels.b.settings,
      strokes,
      frame: playing || (lastFrame > 0 && frame !== null && frame >= lastFrame) ? null : frame,
      hidden,
    })
  }

  function restFrame(): void {
    clearTimeout(urlTimer)
    urlTimer = setTimeout(() => writeUrl('replace'), URL_MILLISECONDS)
  }

  /** Back, forward, or a fragment typed into the address bar. */
  function followUrl(): void {
    clearTimeout(urlTimer)
    if (currentUrl() === labFragment(LAB)) {
      if (isTransient) sample()
      return
    }
    const { state, problems } = readPosteriorUrl(labFragment(LAB))
    frame = state.frame
    lab.getState().pausePlaying()
    setMethods(state)
    const { lastFrame } = lab.getState()
    lab.setState({
      preset: state.preset,
      settings: state.settings,
      strokes: state.strokes.length > 0 ? state.strokes : lab.getState().strokes,
      frame: Math.min(frame ?? lastFrame, lastFrame),
      hidden: state.hidden,
      notices: [...routeProblems(location.hash), ...problems],
    })
    table.outdate()
    void begin()
  }

  /** Samples what the URL asks for; a learned prior has to be found first. */
  async function begin(): Promise<void> {
    if (lab.getState().settings.shape === 'learned' && !learned.isOpen) {
      const missing = await learned.openForLink()
      if (missing !== undefined) {
        lab.setState(({ preset, settings, notices }) => {
          const { shape } = posteriorPresets[preset].settings
          return {
            settings: { ...settings, shape },
            notices: [...notices, `The link asks for a learned prior. ${missing}`],
          }
        })
      }
    }
    sample()
    writeUrl('replace')
  }

  activeLab.subscribe(({ lab: shown }, { lab: before }) => {
    if (shown === LAB && before !== LAB) void learned.look()
  })
  void learned.look()
  void figure2.restore()
  void begin()
  return lab
}

function panelOf(settings: MethodSettings): PanelState {
  return { settings, result: null, computing: false, progress: null, problem: null }
}

/** Settings with a change, rounded to what a link holds; a plane has but one direction to measure. */
function complete(settings: MixtureSettings, partial: Partial<MixtureSettings>): MixtureSettings {
  const changed = { ...settings, ...partial }
  const round = (value: number, digits: number) => Number(value.toFixed(digits))
  const observed = partial.features === 2 && partial.observed === undefined ? 1 : changed.observed
  return {
    ...changed,
    observed,
    y1: round(changed.y1, 3),
    y2: round(changed.y2, 3),
    azimuth: round(changed.azimuth, 1),
    elevation: round(changed.elevation, 1),
  }
}
