/**
 * The models of the image lab's worker: loads one, builds it for the side and the samples to expect, verifies it on the
 * visitor's device, and keeps the present one until the next is good.
 *
 * A run takes precedence: it waits for the building of a model, and ends a verification, which is begun again afterwards.
 */
import type { ImageDenoiser } from '../../diffusion/image/types'
import type { DenoiserContract, PartialContract } from '../../onnx/contract'
import type { VerificationReport } from '../../onnx/verify'
import type { ImagesDevice, PresentDevice } from './device'
import type { ImagesEvent, ModelSource } from './messages'
import { isSideOf, nearestSide, sidesInWords } from './modelSides'
import { explainModel } from './problems'
import type { ModelState, Picture } from './types'

/** A model that was read: sessions are made of it for each device, side and batch. */
export interface ReadModel {
  readonly contract: DenoiserContract
  /** Errors: OnnxError, OrtError, OutOfMemoryError, DeviceLimitError, DeviceLostError. */
  build(
    device: ImagesDevice,
    side: number,
    batch: number,
    onLabel: (label: string) => void,
  ): Promise<ImageDenoiser>
  /**
   * Errors: as `build`, and the signal's reason.
   * @param shown the picture on the page
   */
  verify(
    device: ImagesDevice,
    side: number,
    onProgress: (label: string, fraction: number | undefined) => void,
    signal: AbortSignal,
    shown: Picture | undefined,
  ): Promise<VerificationReport>
}

/** A bare ONNX file that leaves questions open. */
export interface OpenModel {
  readonly partial: PartialContract
  /** Error: ContractError, OnnxError. */
  complete(contract: DenoiserContract): Promise<ReadModel>
}

export type ModelProgress = (patch: Pick<ModelState, 'label'> & Partial<ModelState>) => void

export interface ModelHost {
  readModel(
    source: ModelSource,
    onProgress: ModelProgress,
    signal: AbortSignal,
  ): Promise<ReadModel | OpenModel>
  publish(event: ImagesEvent): void
}

interface Expected {
  readonly side: number
  readonly samples: number
}

interface Built {
  readonly model: ReadModel
  readonly device: ImagesDevice
  readonly side: number
  readonly batch: number
  readonly denoiser: ImageDenoiser
}

export class ModelKeeper {
  private current: ReadModel | null = null
  private job = -1
  private abort: AbortController | undefined
  /** The loading under way; it never rejects. */
  private loading: Promise<void> | undefined
  private answer: ((contract: DenoiserContract) => void) | undefined
  /** Only the newest is held: a denoiser's residuals are the largest thing in memory. */
  private built: Built | undefined
  private verification: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined
  private isVerified = false
  /** Runs that wait for the loading: the verification comes after them. */
  private waiting = 0
  /** Hears what a denoiser is doing: sessions are built when they are first needed, in a run perhaps. */
  private say: (label: string) => void = () => undefined

  constructor(
    private readonly host: ModelHost,
    private readonly device: PresentDevice,
    /** The picture on the page, if there is one. */
    private readonly shown: () => Picture | undefined,
  ) {}

  /** Takes the place of a loading under way. Resolves when the model is there, failed, or was given up. */
  async load(job: number, source: ModelSource, expected: Expected): Promise<void> {
    this.abandon()
    const abort = new AbortController()
    this.abort = abort
    this.job = job
    const before = this.loading
    this.loading = (async () => {
      await before
      await this.stopVerifying()
      if (!abort.signal.aborted) await this.take(job, source, expected, abort.signal)
    })().finally(() => {
      if (this.abort === abort) this.abort = undefined
    })
    await this.loading
  }

  complete(contract: DenoiserContract): void {
    this.answer?.(contract)
    this.answer = undefined
  }

  /** Gives up the loading, or the verification. */
  cancel(): void {
    this.abandon()
    this.verification?.abort.abort(cancelled())
  }

  /**
   * The present model's denoiser; waits for one that is being built, and ends a verification.
   * Errors: there is no model; as ReadModel.build.
   */
  async denoiser(
    device: ImagesDevice,
    side: number,
    batch: number,
    onLabel: (label: string) => void,
  ): Promise<ImageDenoiser> {
    if (!this.answer && this.loading) {
      onLabel('Waiting for the model')
      this.waiting += 1
      await this.loading
      this.waiting -= 1
    }
    await this.stopVerifying()
    if (!this.current) throw new Error('There is no model to sample with: choose or drop one.')
    return await this.build(this.current, device, side, batch, onLabel)
  }

  /** The present model's. Error: there is none. */
  get contract(): DenoiserContract {
    if (!this.current) throw new Error('There is no model to sample with: choose or drop one.')
    return this.current.contract
  }

  /** Begins the verification that a run has ended. */
  resumeVerifying(side: number): void {
    if (this.current && !this.isVerified && !this.verification && !this.abort) this.verify(this.current, side)
  }

  private async take(
    job: number,
    source: ModelSource,
    expected: Expected,
    signal: AbortSignal,
  ): Promise<void> {
    const publish = (patch: Partial<ModelState>) => {
      if (!signal.aborted) this.host.publish({ type: 'model', job, patch })
    }
    const name = source.kind === 'bundled' ? source.name : (source.files[0]?.name ?? 'The model')
    try {
      const read = await this.host.readModel(source, publish, signal)
      const model = 'partial' in read ? await this.ask(read, publish, signal) : read
      const { contract } = model
      publish({
        status: 'building',
        contract,
        name: contract.name,
        label: 'Reading the model',
        fraction: undefined,
      })
      const side = fittingSide(contract, expected.side)
      await this.device.use((device) =>
        this.build(model, device, side, expected.samples, (label) => publish({ label })),
      )
      signal.throwIfAborted()
      this.current = model
      this.isVerified = false
      publish({ status: 'ready', label: '', fraction: undefined })
      if (this.waiting === 0) this.verify(model, side)
    } catch (error) {
      if (signal.aborted) return
      publish({ status: 'failed', problem: explainModel(error, name) })
    }
  }

  private async ask(
    { partial, complete }: OpenModel,
    publish: (patch: Partial<ModelState>) => void,
    signal: AbortSignal,
  ): Promise<ReadModel> {
    publish({ status: 'asking', partial, label: '', fraction: undefined })
    const contract = await new Promise<DenoiserContract>((resolve, reject) => {
      this.answer = resolve
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
    publish({ status: 'building', partial: null, label: 'Reading the model' })
    return await complete(contract)
  }

  private async build(
    model: ReadModel,
    device: ImagesDevice,
    side: number,
    batch: number,
    onLabel: (label: string) => void,
  ): Promise<ImageDenoiser> {
    this.say = onLabel
    const { built } = this
    if (built?.model === model && built.device === device && built.side === side && built.batch === batch)
      return built.denoiser
    // Two models at once may not fit.
    this.built = undefined
    await built?.denoiser.release()
    const denoiser = await model.build(device, side, batch, (label) => this.say(label))
    this.built = { model, device, side, batch, denoiser }
    return denoiser
  }

  private verify(model: ReadModel, side: number): void {
    const { job } = this
    const abort = new AbortController()
    const publish = (patch: Partial<ModelState>) => this.host.publish({ type: 'model', job, patch })
    publish({ status: 'verifying', label: 'Checking the model on this device' })
    const ended = (async () => {
      try {
        const report = await this.device.use((device) =>
          model.verify(
            device,
            side,
            (label, fraction) => {
              if (!abort.signal.aborted) publish({ label, fraction })
            },
            abort.signal,
            this.shown(),
          ),
        )
        abort.signal.throwIfAborted()
        this.isVerified = true
        publish({ status: 'ready', label: '', fraction: undefined, report })
      } catch (error) {
        const problem = abort.signal.aborted ? null : explainModel(error, model.contract.name)
        publish({ status: 'ready', label: '', fraction: undefined, problem })
      } finally {
        this.verification = undefined
      }
    })()
    this.verification = { abort, ended }
  }

  private async stopVerifying(): Promise<void> {
    this.verification?.abort.abort(cancelled())
    await this.verification?.ended
  }

  private abandon(): void {
    this.abort?.abort(cancelled())
    this.abort = undefined
    this.answer = undefined
  }
}

/** Error: RangeError where the model takes no square that the lab has. */
function fittingSide(contract: DenoiserContract, side: number): number {
  const nearest = nearestSide(contract, side)
  if (isSideOf(contract, nearest)) return nearest
  throw new RangeError(
    `The model takes images of ${sidesInWords(contract)}; the lab has squares of 16 to 256 pixels a side.`,
  )
}

function cancelled(): DOMException {
  return new DOMException('Given up.', 'AbortError')
}
