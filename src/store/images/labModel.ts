/** The model in the image lab's store: chosen or dropped, loaded by the worker; where one fails, the last good one stays. */
import type { StoreApi } from 'zustand/vanilla'
import type { DenoiserContract } from '../../onnx/contract'
import type { Problem } from '../labTypes'
import { addressOf, type Site } from './catalogue'
import type { ImagesClient } from './client'
import type { ImagesEvent, ModelSource } from './messages'
import type { ImagesLab, ModelState } from './types'

export const noModel: ModelState = {
  status: 'none',
  name: '',
  label: '',
  contract: null,
  partial: null,
  report: null,
  problem: null,
}

interface Loaded {
  readonly source: ModelSource
  readonly state: ModelState
  /** As completed by the visitor; undefined where the model brought its own. */
  readonly contract?: DenoiserContract
}

export class LabModel {
  private job = 0
  private loading: { readonly source: ModelSource; readonly contract?: DenoiserContract } | null = null
  /** The newest model that could be used. */
  private good: Loaded | null = null

  /** `onContract`: sizes and channels of the model are known; `onReverted`: the model before is back. */
  constructor(
    private readonly client: ImagesClient,
    private readonly lab: () => StoreApi<ImagesLab>,
    private readonly site: Site,
    private readonly onContract: (contract: DenoiserContract) => void,
    private readonly onReverted: (name: string) => void,
  ) {}

  /** Whether a model is there or on its way. */
  get isExpected(): boolean {
    return this.good !== null || this.loading !== null
  }

  /** Whether the model on its way is the visitor's own. */
  get isOwnLoading(): boolean {
    return this.loading?.source.kind === 'files'
  }

  /** Name in the settings of the model that is there. */
  get present(): string | null {
    if (!this.good) return null
    return this.good.source.kind === 'files' ? 'own' : this.good.source.name
  }

  openBundled(name: string): void {
    const { models, images } = this.lab().getState().catalogue
    const entry = models.find((model) => model.name === name)
    if (!entry) {
      this.revert(
        problemOf(`There is no bundled model “${name}”.`, 'Choose one of the list, or drop your own.'),
      )
      return
    }
    const onnxUrl = addressOf(this.site, 'models', entry.file)
    const contractUrl = new URL('denoiser.json', onnxUrl).href
    const pictureUrls = images
      .filter(({ channels }) => channels === entry.channels)
      .map(({ file }) => addressOf(this.site, 'images', file))
    this.load({ kind: 'bundled', name, onnxUrl, contractUrl, pictureUrls })
  }

  openFiles(files: readonly File[]): void {
    this.load({ kind: 'files', files })
  }

  complete(contract: DenoiserContract): void {
    if (this.state.status !== 'asking' || !this.loading) return
    this.loading = { ...this.loading, contract }
    this.set({ status: 'building', label: 'Reading the model', partial: null, problem: null })
    this.client.send({ type: 'completeContract', job: this.job, contract })
  }

  cancel(): void {
    const { status } = this.state
    if (status === 'none' || status === 'failed' || status === 'ready') return
    this.client.send({ type: 'cancelModel' })
    if (status === 'verifying') {
      this.set({ status: 'ready', label: '', fraction: undefined })
      return
    }
    this.job += 1
    this.revert(null)
  }

  receive({ job, patch }: Extract<ImagesEvent, { type: 'model' }>): void {
    if (job !== this.job) return
    if (patch.status === 'failed') {
      this.revert(patch.problem ?? null)
      return
    }
    this.set(patch)
    if (patch.contract) this.onContract(patch.contract)
    const { status } = this.state
    if (status !== 'ready' && status !== 'verifying') return
    const { loading } = this
    if (loading) this.good = { ...loading, state: this.state }
    else if (this.good) this.good = { ...this.good, state: this.state }
    this.loading = null
  }

  /** The worker is gone: the next one needs the model again. */
  reload(): void {
    const again = this.loading ?? this.good
    if (!again) return
    this.load(again.source)
    const { contract } = again
    if (contract) {
      this.loading = { source: again.source, contract }
      this.client.send({ type: 'completeContract', job: this.job, contract })
    }
  }

  /** The worker is gone: the display rests until `reload`. */
  pauseLoading(): void {
    if (!this.isExpected) return
    this.job += 1
    this.set({ status: this.good && !this.loading ? 'ready' : 'none', label: '', fraction: undefined })
  }

  private load(source: ModelSource): void {
    this.job += 1
    this.loading = { source }
    const name = source.kind === 'bundled' ? source.name : (source.files[0]?.name ?? '')
    const label = source.kind === 'bundled' ? 'Downloading' : 'Reading the files'
    this.lab().setState({
      model: { ...noModel, status: source.kind === 'bundled' ? 'downloading' : 'building', name, label },
    })
    const { side, samples } = this.lab().getState().settings
    this.client.send({ type: 'loadModel', job: this.job, source, side, samples })
  }

  /** Back to the last good model, with what was wrong with the other. */
  private revert(problem: Problem | null): void {
    this.loading = null
    if (this.good) {
      const { state } = this.good
      const status = state.status === 'verifying' ? 'ready' : state.status
      this.lab().setState({ model: { ...state, status, label: '', fraction: undefined, problem } })
      if (state.contract) this.onContract(state.contract)
      this.onReverted(this.present!)
    } else {
      const status = problem ? 'failed' : 'none'
      this.lab().setState({ model: { ...noModel, status, problem, name: problem ? this.state.name : '' } })
    }
  }

  private get state(): ModelState {
    return this.lab().getState().model
  }

  private set(patch: Partial<ModelState>): void {
    this.lab().setState(({ model }) => ({ model: { ...model, ...patch } }))
  }
}

function problemOf(message: string, nextStep: string): Problem {
  return { title: 'The model could not be loaded', message, nextStep, action: 'none', place: 'import' }
}
