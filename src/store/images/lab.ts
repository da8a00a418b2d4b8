/**
 * The store of the image lab: it turns the page's actions into commands to its worker, mirrors what it publishes, and
 * keeps the URL true. It is complete without React.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import { imageMethodNames } from '../../experiments/images/methodDefinitions'
import { defaultImagesPreset, imagesPresets } from '../../experiments/images/presets'
import { imagesKeys, validateImages, type ImagesSettings } from '../../experiments/images/settings'
import type { DenoiserContract } from '../../onnx/contract'
import type { Problem } from '../labTypes'
import { followLab, labFragment, routeProblems, writeLabFragment } from '../route'
import { loadCatalogue, type Site } from './catalogue'
import { connectWorker, type Connect } from './client'
import { commandLine } from './commandLine'
import { compareCsv, exportedPicture, settingsJson, stepsCsv } from './exports'
import { recordFilm } from './film'
import type { DecodeImage } from './imageSource'
import { LabCompare } from './labCompare'
import { LabModel, noModel } from './labModel'
import { LabRun, noRun } from './labRun'
import { LabSource } from './labSource'
import type { ImagesEvent } from './messages'
import { isSideOf, nearestSide, sidesInWords } from './modelSides'
import { quantizeBrush, quantizeKernel } from './polylines'
import { isSamplerSetting } from './samplerSettings'
import type { Crop, ImagesLab } from './types'
import { readImagesUrl, writeImagesUrl } from './url'

const LAB = 'images'
/** Title of the problem that something was asked for while a job was going. */
const BUSY = 'Not while sampling'
/** Of pictures for a model that takes many sizes. */
const USUAL_SIDE = 64

export interface Surroundings {
  readonly connect?: Connect
  readonly site?: Site
  /** Instead of the browser's. */
  readonly decode?: DecodeImage
}

/** Opens the lab from the URL. Call once, when the lab is first shown. */
export function startImagesLab({
  connect = connectWorker,
  site = { base: document.baseURI, fetch: (url) => fetch(url) },
  decode,
}: Surroundings = {}): StoreApi<ImagesLab> {
  followLab(LAB, followUrl)
  const first = readImagesUrl(labFragment(LAB))
  /** The worker has failed: it is told all it needs by the next command. */
  let isWorkerFresh = false

  const client = connect(receive, failWorker)
  const source = new LabSource(client, () => lab, site, decode)
  const model = new LabModel(client, () => lab, site, followContract, revertModel)
  const run = new LabRun(client, () => lab)
  const compare = new LabCompare(client, () => lab)

  const lab = createStore<ImagesLab>()((set, get) => ({
    status: 'starting',
    adapter: null,
    fallback: null,
    settings: first.state.settings,
    preset: first.state.preset,
    catalogue: { models: [], images: [] },
    strokes: first.state.strokes,
    drawnKernel: first.state.drawnKernel,
    source: null,
    model: noModel,
    observation: null,
    measurement: null,
    run: noRun,
    compare: compare.initial(first.state.methods),
    problem: null,
    notices: [...routeProblems(location.hash), ...first.problems],
    hidden: first.state.hidden,
    change: (partial, transient = false) => {
      const refusal = refusalWhileBusy()
      if (refusal) return [refusal]
      const { settings } = get()
      const { image = settings.image, model: name = settings.model, ...others } = partial
      const changed = rounded({ ...settings, ...others })
      const problems = [...validateImages({ ...changed, image, model: name }), ...sideProblems(changed.side)]
      if (problems.length > 0) return problems.map(({ message }) => message)
      const isMeasuredAnew = imagesKeys.some(
        (key) => !isSamplerSetting(key) && changed[key] !== settings[key],
      )
      set({ settings: changed })
      if (image !== settings.image && image !== 'own') void get().chooseBundledImage(image)
      if (name !== settings.model && name !== 'own') void get().chooseModel(name)
      if (isMeasuredAnew) observe()
      if (!transient) writeUrl('push')
      return []
    },
    choosePreset: (preset) => {
      cancelJobs()
      const { settings, compared } = imagesPresets[preset]
      set(({ compare: state }) => ({ preset, compare: { ...state, methods: compared }, problem: null }))
      show(settings)
      writeUrl('push')
    },
    setCompared: (methods) => {
      const ordered = imageMethodNames.filter((name) => methods.includes(name))
      if (ordered.length === 0) return
      set(({ compare: state }) => ({ compare: { ...state, methods: ordered } }))
      writeUrl('replace')
    },
    setStrokes: (strokes) => {
      if (reportBusy()) return
      set({ strokes: quantizeBrush(strokes) })
      observe()
      writeUrl('push')
    },
    setDrawnKernel: (points) => {
      if (reportBusy()) return
      set({ drawnKernel: points && quantizeKernel(points) })
      observe()
      writeUrl('push')
    },
    chooseBundledImage: async (name) => {
      if (!reportBusy() && (await source.openBundled(name))) takeImage(name)
    },
    openImage: async (blob, kind, name) => {
      if (reportBusy() || !(await source.open(() => Promise.resolve(blob), kind, name))) return
      takeImage('own')
      preferColour()
    },
    setCrop: (crop) => {
      if (reportBusy()) return
      source.setCrop(crop)
      observe()
      writeUrl('replace')
    },
    chooseModel: async (name) => {
      if (reportBusy()) return
      takeModel(name)
      writeUrl('push')
    },
    openModel: async (files) => {
      if (reportBusy() || files.length === 0) return
      reviveWorker()
      model.openFiles(files)
    },
    completeContract: async (contract) => model.complete(contract),
    cancelModel: () => model.cancel(),
    start: () => {
      if (run.isGoing) run.resume()
      else if (isReadyFor('run')) run.start(source.task()!)
    },
    pause: () => run.pause(),
    cancel: () => {
      run.cancel()
      forgetBusy()
    },
    reseed: () => {
      const [refusal] = get().change({ seed: (get().settings.seed + 1) % 2 ** 32 })
      if (refusal) reportBusy()
    },
    runCompare: () => {
      if (compare.isGoing) compare.resume()
      else if (isReadyFor('compare')) compare.start(source.task()!)
    },
    pauseCompare: () => compare.pause(),
    cancelCompare: () => {
      compare.cancel()
      forgetBusy()
    },
    exportPicture: async (which) => await exportedPicture(get(), which),
    exportCsv: () => stepsCsv(get().run.records),
    exportCompareCsv: () => compareCsv(get().compare),
    exportSettings: () => settingsJson(get()),
    commandLine: () => commandLine(get(), source.crop, get().source?.name ?? 'picture.png'),
    exportFilm: async (onProgress, signal) => await recordFilm(get().run.film, onProgress, signal),
    dismissProblem: () => set({ problem: null }),
    dismissNotice: (index) => set({ notices: get().notices.filter((_, i) => i !== index) }),
  }))

  /** Shows settings of a preset or a link: opens their image and model where they are others. */
  function show(settings: ImagesSettings, crop: Crop | null = null): void {
    const before = lab.getState().settings
    const isSameImage = settings.image === before.image && source.isThere
    const isSameModel = settings.model === (model.present ?? before.model) && model.isExpected
    lab.setState({ settings: { ...settings, image: before.image } })
    if (isSameImage) source.resetCrop(crop)
    if (!isSameModel) model.openBundled(settings.model)
    else if (lab.getState().model.contract) fitSide(lab.getState().model.contract!)
    if (isSameImage) observe()
    else {
      void source.openBundled(settings.image, crop).then((isOpen) => {
        if (isOpen) takeImage(settings.image, 'replace')
      })
    }
  }

  function takeImage(image: string, how: 'push' | 'replace' = 'push'): void {
    lab.setState(({ settings }) => ({ settings: { ...settings, image } }))
    observe()
    writeUrl(how)
  }

  /** A bundled model with a size, a task and a picture that suit it. */
  function takeModel(name: string): void {
    const { settings, catalogue, model: before } = lab.getState()
    const channels = catalogue.models.find((entry) => entry.name === name)?.channels
    // The size of a model that takes but one is no choice of the visitor's.
    const side = typeof before.contract?.image.width === 'number' ? USUAL_SIDE : settings.side
    const task =
      settings.task === 'gray' && channels === 1
        ? imagesPresets[defaultImagesPreset].settings.task
        : settings.task
    lab.setState({ settings: { ...settings, model: name, side, task } })
    reviveWorker()
    model.openBundled(name)
    const shown = catalogue.images.find((entry) => entry.name === settings.image)
    const fitting = catalogue.images.find((entry) => entry.channels === channels)
    if (!shown || !fitting || shown.channels === channels) return
    void source.openBundled(fitting.name).then((isOpen) => {
      if (isOpen) takeImage(fitting.name, 'replace')
    })
  }

  /** The visitor's picture has colours, and the bundled model knows none: one that does takes its place. */
  function preferColour(): void {
    const { settings, catalogue } = lab.getState()
    const present = catalogue.models.find(({ name }) => name === settings.model)
    const other = catalogue.models.find(({ channels }) => channels === 3)
    if (present?.channels !== 1 || !other || !source.hasColours) return
    takeModel(other.name)
    const notice = `Your picture has colours: the model “${other.title}” takes the place of “${present.title}”, which knows none.`
    lab.setState(({ notices }) => ({ notices: [...notices.filter((text) => text !== notice), notice] }))
    writeUrl('replace')
  }

  function observe(): void {
    reviveWorker()
    source.observe()
  }

  function receive(event: ImagesEvent): void {
    switch (event.type) {
      case 'device':
        lab.setState({ adapter: event.adapter, fallback: event.fallback })
        return
      case 'observed':
      case 'observeFailed':
        source.receive(event)
        return
      case 'model':
        model.receive(event)
        return
      case 'job':
        if (event.name === 'run') run.receive(event)
        else compare.receive(event)
        forgetBusy()
        return
      case 'step':
      case 'result':
        run.receive(event)
        return
      case 'compareRow':
        compare.receive(event)
        return
    }
  }

  /** The model's sizes are known: the image takes one of them. */
  function followContract(contract: DenoiserContract): void {
    if (model.isOwnLoading) lab.setState(({ settings }) => ({ settings: { ...settings, model: 'own' } }))
    fitSide(contract)
    observe()
    writeUrl('replace')
  }

  function fitSide(contract: DenoiserContract): void {
    const { settings } = lab.getState()
    const side = nearestSide(contract, settings.side)
    if (side !== settings.side) lab.setState({ settings: { ...settings, side } })
  }

  function revertModel(name: string): void {
    lab.setState(({ settings }) => ({ settings: { ...settings, model: name } }))
    writeUrl('replace')
  }

  function sideProblems(side: number): { message: string }[] {
    const { contract, name } = lab.getState().model
    if (!contract || isSideOf(contract, side)) return []
    return [{ message: `side = ${side} does not fit the model ${name}: it takes ${sidesInWords(contract)}.` }]
  }

  /** Why nothing can be changed now. */
  function refusalWhileBusy(): string | undefined {
    if (!run.isGoing && !compare.isGoing) return undefined
    return `A ${run.isGoing ? 'run' : 'comparison'} is under way: wait for it, or cancel it first.`
  }

  function reportBusy(): boolean {
    const message = refusalWhileBusy()
    if (message) lab.setState({ problem: problemOf(BUSY, message, 'Nothing was changed.') })
    return message !== undefined
  }

  /** What was refused while a job was going is no news once it has ended. */
  function forgetBusy(): void {
    if (lab.getState().problem?.title === BUSY && !refusalWhileBusy()) lab.setState({ problem: null })
  }

  /** Whether the job can start; else its problem says why not. */
  function isReadyFor(job: 'run' | 'compare'): boolean {
    const fail = (title: string, message: string, nextStep: string) => {
      const problem = problemOf(title, message, nextStep)
      if (job === 'run') run.fail(problem)
      else compare.fail(problem)
      return false
    }
    const refusal = refusalWhileBusy()
    if (refusal) return fail('One at a time', refusal, 'Then start this one.')
    reviveWorker()
    const { model: state } = lab.getState()
    if (state.status === 'asking')
      return fail(
        'The model is not complete',
        'The file leaves questions open.',
        'Answer them beside the model.',
      )
    if (!model.isExpected) {
      return fail(
        'There is no model',
        state.problem?.message ?? 'No model was loaded.',
        'Choose one of the list, or drop an ONNX file.',
      )
    }
    if (!source.isThere)
      return fail('There is no picture', 'Nothing was opened to restore.', 'Choose or open a picture.')
    return true
  }

  /** The next command starts another worker. */
  function failWorker(message: string): void {
    isWorkerFresh = true
    const problem: Problem = {
      title: 'The lab’s background worker failed',
      message,
      nextStep: 'Press Run to start it again with the same settings; with fewer samples if memory ran out.',
      action: 'retry',
      place: 'run',
    }
    if (run.isGoing) run.fail(problem)
    if (compare.isGoing) compare.fail(problem)
    model.pauseLoading()
    const { source: shown } = lab.getState()
    lab.setState({ problem, status: shown ? 'ready' : 'failed' })
  }

  /** Tells a worker that replaces a failed one what it needs. */
  function reviveWorker(): void {
    if (!isWorkerFresh) return
    isWorkerFresh = false
    source.forgetSent()
    lab.setState(({ problem, status }) => ({
      problem: problem?.action === 'retry' ? null : problem,
      status: status === 'failed' ? 'starting' : status,
    }))
    model.reload()
  }

  function cancelJobs(): void {
    run.cancel()
    compare.cancel()
    forgetBusy()
  }

  function writeUrl(how: 'push' | 'replace'): void {
    writeLabFragment(LAB, currentUrl(), how)
  }

  function currentUrl(): string {
    const { preset, settings, strokes, drawnKernel, compare: state, hidden } = lab.getState()
    return writeImagesUrl({
      preset,
      settings,
      strokes,
      drawnKernel,
      crop: settings.image === 'own' ? null : source.crop,
      methods: state.methods,
      hidden,
    })
  }

  /** Back, forward, or a fragment typed into the address bar. */
  function followUrl(): void {
    if (currentUrl() === labFragment(LAB)) return
    cancelJobs()
    const { state, problems, autorun } = readImagesUrl(labFragment(LAB), lab.getState().settings)
    lab.setState(({ compare: rows }) => ({
      preset: state.preset,
      strokes: state.strokes,
      drawnKernel: state.drawnKernel,
      compare: { ...rows, methods: state.methods },
      hidden: state.hidden,
      notices: [...routeProblems(location.hash), ...problems],
    }))
    show(state.settings, state.crop)
    if (autorun) lab.getState().start()
  }

  /** Opens the lists, then the image and the model that the URL names. */
  async function begin(): Promise<void> {
    try {
      lab.setState({ catalogue: await loadCatalogue(site) })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const next = 'Reload the page; your own picture and model can be opened all the same.'
      lab.setState({
        problem: problemOf('The lists of bundled files are missing', message, next),
        status: 'ready',
      })
      return
    }
    replaceUnknown('image', 'images')
    replaceUnknown('model', 'models')
    const { settings } = lab.getState()
    model.openBundled(settings.model)
    const isOpen = await source.openBundled(settings.image, first.state.crop)
    if (isOpen) takeImage(settings.image, 'replace')
    else lab.setState({ status: 'ready' })
    if (isOpen && first.autorun) lab.getState().start()
  }

  /** A name of the link that no list has. */
  function replaceUnknown(key: 'image' | 'model', list: 'images' | 'models'): void {
    const { settings, catalogue, preset } = lab.getState()
    const has = (name: string) => catalogue[list].some((entry) => entry.name === name)
    if (has(settings[key])) return
    const named = imagesPresets[preset].settings[key]
    const instead = has(named) ? named : catalogue[list][0]?.name
    if (instead === undefined) return
    lab.setState(({ notices }) => ({
      settings: { ...settings, [key]: instead },
      notices: [...notices, `${key} = "${settings[key]}" is not in the list. Using ${instead}.`],
    }))
  }

  void begin()
  return lab
}

function problemOf(title: string, message: string, nextStep: string): Problem {
  return { title, message, nextStep, action: 'none', place: 'run' }
}

/** Numbers of sliders in as many digits as matter. */
function rounded(settings: ImagesSettings): ImagesSettings {
  const short = (value: number) => (Number.isInteger(value) ? value : Number(value.toPrecision(4)))
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key, typeof value === 'number' ? short(value) : value]),
  ) as unknown as ImagesSettings
}
