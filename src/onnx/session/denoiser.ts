/**
 * An ONNX model as a denoiser with derivatives: d(x_t, sigma) = E[x | x_t], Jᵀ v and J u by ONNX Runtime.
 *
 * The model is wrapped (src/onnx/wrap.ts), made concrete for one size, and split: `linearize` runs the forward model and keeps
 * its residuals where they are, each product with J runs a model on them. Sessions are built when they are first needed: a
 * method without derivatives loads one. Where the model's batch is smaller than the denoiser's, it runs in chunks; where it is
 * not, products on WebGPU become recordings (replayedProduct.ts) after they were proven.
 */
import type { Tensor } from 'onnxruntime-web'
import type { ImageDenoiser, ImageLinearization } from '../../diffusion/image/types'
import type { CpuVector, Vector, VectorSpace } from '../../linalg/vectorSpace'
import { type ImageShape, sizeOf } from '../../operators/types'
import { withChannelsLast } from '../channelsLast'
import { ContractError, type DenoiserContract } from '../contract'
import { countFlops } from '../cost'
import { type DerivativeMode, SEEDS, type SplitModel, splitModel } from '../differentiate'
import { withFloatInput } from '../floatInput'
import type { Graph, ValueType } from '../graph'
import { specialize, type TypedGraph } from '../simplify'
import { BYTES_PER_ELEMENT, elementCount, encodeTensor } from '../tensor'
import { withTurnedConvolutions } from '../turnedConvolution'
import { type WrappedModel, wrapModel } from '../wrap'
import { writeModel } from '../write'
import { NonFiniteOutputError } from './errors'
import { Queue } from './queue'
import { FixedResiduals, Recordings, ReplayedProduct, isRecordable } from './replayedProduct'
import type { OrtRuntime, OrtSession } from './runtime'
import { type Chunk, type OtherOutputs, type Transfer, createTransfer } from './transfer'

export interface OnnxDenoiserOptions {
  readonly graph: Graph
  readonly contract: DenoiserContract
  readonly shape: ImageShape
  readonly batch: number
  /** WebGPU vectors for the provider `webgpu`, else CPU vectors. */
  readonly space: VectorSpace
  readonly runtime: OrtRuntime
  /** Which products with J will be asked for; none for methods without derivatives. */
  readonly derivatives: readonly DerivativeMode[]
  /** Called before something that takes long: "Building the VJP". */
  onStage?(label: string): void
}

/** What a script can measure. */
export interface OnnxDenoiserFacts {
  /** Models loaded so far. `usesCpu`: on WebGPU, some of its nodes compute on the CPU. */
  readonly sessions: readonly {
    readonly what: string
    readonly nodes: number
    /** Floating-point operations of one run. */
    readonly flops: number
    readonly usesCpu: boolean
    readonly runs: number
    readonly milliseconds: number
  }[]
  /** Values kept between a forward pass and its products with J, and their bytes for the whole batch. */
  readonly residuals: number
  readonly residualBytes: number
  /** Runs a pass takes. */
  readonly chunks: number
  /** Floating-point operations of one pass through the model, of all chunks. */
  readonly flops: number
}

export interface OnnxDenoiser extends ImageDenoiser {
  readonly facts: OnnxDenoiserFacts
}

type Part = 'denoiser' | 'forward' | 'vjp' | 'jvp'

const NAMES: Readonly<Record<Part, string>> = {
  denoiser: 'the model',
  forward: 'the model with its residuals',
  vjp: 'the VJP',
  jvp: 'the JVP',
}

/**
 * Reads no weights and loads nothing yet.
 * Errors: ContractError, OnnxError where the model cannot be wrapped, made concrete or differentiated.
 */
export function createOnnxDenoiser(options: OnnxDenoiserOptions): OnnxDenoiser {
  const { graph, contract, shape, batch } = options
  const capacity = contract.batch === 'dynamic' ? batch : contract.batch
  const wrapped = wrapModel(graph, contract, shape, capacity)
  options.onStage?.('Reading the model')
  const typed = concrete(wrapped)
  let split: SplitModel | undefined
  if (options.derivatives.length > 0) {
    options.onStage?.(
      `Deriving the ${options.derivatives.map((mode) => mode.toUpperCase()).join(' and the ')}`,
    )
    const { derivatives } = options
    split = splitModel(typed, { input: wrapped.x, output: wrapped.output, derivatives })
    if (options.runtime.provider === 'webgpu') split = withChannelsLast(split)
  }
  return new OrtDenoiser(options, wrapped, typed, split, capacity)
}

/** The model for one size, all in float32; the noise level too, where it need not be an integer. */
function concrete(wrapped: WrappedModel): TypedGraph {
  const { graph, inputTypes, noise } = wrapped
  let typed: TypedGraph
  try {
    typed = specialize(graph, inputTypes, { float32: true })
  } catch (error) {
    // a prediction of another size stumbles in what is wrapped around it
    const { outputs } = specialize(graph, inputTypes, { float32: true, outputs: [wrapped.prediction] }).graph
    checkPrediction(wrapped, outputs[0]!.shape)
    throw error
  }
  checkPrediction(wrapped, typed.types.get(wrapped.prediction)?.shape ?? typed.graph.outputs[0]!.shape)
  const changed = withFloatInput(typed.graph, noise)
  return changed === typed.graph ? typed : specialize(changed, {})
}

/** Errors: ContractError where the prediction is no image like x, which could be broadcast or read as another. */
function checkPrediction({ inputTypes, x }: WrappedModel, shape: readonly (number | string)[]): void {
  const expected = inputTypes[x]!.shape
  if (shape.join() === expected.join()) return
  throw new ContractError(
    `The model's output is [${shape.join(', ')}] where an image like its input is needed, [${expected.join(', ')}]. ` +
      'Correct output in the contract: its name, or output.channels where it holds more than the prediction.',
  )
}

class OrtDenoiser implements OnnxDenoiser {
  readonly space: VectorSpace
  readonly shape: ImageShape
  readonly batch: number
  readonly passes = { forward: 0, vjp: 0, jvp: 0 }
  readonly #chunks: readonly Chunk[]
  readonly #transfer: Transfer
  readonly #sessions = new Map<Part, Promise<OrtSession>>()
  #loaded: readonly { readonly session: OrtSession; readonly graph: Graph }[] = []
  readonly #size: number
  /** Residuals of the newest linearization, a record a chunk. */
  #residuals: Record<string, Tensor>[] = []
  /** Where they are, for recordings; undefined: new ones each time. */
  #fixed: FixedResiduals | undefined
  readonly #recordings = new Recordings((mode) => this.#record(mode))
  readonly #dims: readonly number[]
  #xHat: Vector | undefined
  #generation = 0
  /** Operations share residuals and vectors for chunks: one at a time. */
  readonly #operations = new Queue()
  #isReleased = false

  constructor(
    private readonly options: OnnxDenoiserOptions,
    private readonly wrapped: WrappedModel,
    /** Inputs as `wrapped`, output d. */
    private readonly plain: TypedGraph,
    private readonly split: SplitModel | undefined,
    capacity: number,
  ) {
    const { space, shape, batch, runtime } = options
    this.space = space
    this.shape = shape
    this.batch = batch
    this.#size = sizeOf(shape)
    this.#chunks = Array.from({ length: Math.ceil(batch / capacity) }, (_, i) => ({
      first: i * capacity,
      rows: Math.min(capacity, batch - i * capacity),
    }))
    this.#dims = [capacity, shape.channels, shape.height, shape.width]
    this.#transfer = createTransfer(runtime, space, capacity, this.#dims)
  }

  get facts(): OnnxDenoiserFacts {
    const residuals = this.split?.residuals ?? []
    const bytes = (type: ValueType) => elementCount(type.shape) * BYTES_PER_ELEMENT[type.type]
    return {
      sessions: this.#loaded.map(({ session, graph }) => ({
        what: session.what,
        nodes: graph.nodes.length,
        // who does not ask need not wait for it
        get flops() {
          return countFlops(specialize(graph, {}))
        },
        usesCpu: session.usesCpu,
        runs: session.runs,
        milliseconds: session.milliseconds,
      })),
      residuals: residuals.length,
      residualBytes: this.#chunks.length * residuals.reduce((sum, { type }) => sum + bytes(type), 0),
      chunks: this.#chunks.length,
      flops: this.#chunks.length * countFlops(this.plain),
    }
  }

  denoise(xT: Vector, sigma: number, out: Vector): Promise<void> {
    return this.#operation(async () => {
      // where the model with residuals is loaded already, a second copy would only cost memory
      const part = !this.#sessions.has('denoiser') && this.#sessions.has('forward') ? 'forward' : 'denoiser'
      await this.#forward(await this.#session(part), xT, sigma, out, {})
    })
  }

  linearize(xT: Vector, sigma: number): Promise<ImageLinearization> {
    return this.#operation(async () => {
      const split = this.#requireSplit()
      const session = await this.#session('forward')
      disposeAll(this.#residuals)
      this.#residuals = []
      const generation = ++this.#generation
      this.#xHat ??= this.space.vector('x hat', this.batch, this.#size)
      this.#fixed ??= this.#fixResiduals(split)
      const fresh = Object.fromEntries(split.residuals.map(({ name }) => [name, null]))
      const kept = await this.#forward(session, xT, sigma, this.#xHat, this.#fixed?.tensors ?? fresh)
      this.#residuals = this.#fixed ? [] : kept
      const product = (mode: DerivativeMode) => (v: Vector, out: Vector) =>
        this.#operation(() => this.#product(mode, generation, v, out))
      return { xHat: this.#xHat, vjp: product('vjp'), jvp: product('jvp') }
    })
  }

  /** Waits for the operations under way; later ones reject. */
  release(): Promise<void> {
    this.#isReleased = true
    return this.#operations.run(async () => {
      disposeAll(this.#residuals)
      this.#residuals = []
      this.#transfer.release()
      if (this.#xHat) this.space.release(this.#xHat)
      this.#xHat = undefined
      await this.#recordings.release()
      this.#fixed?.release()
      this.#fixed = undefined
      const sessions = [...this.#sessions.values()]
      this.#sessions.clear()
      this.#loaded = []
      for (const attempt of sessions) {
        const session = await attempt.catch(() => undefined)
        // of a lost device nothing is left to release
        await session?.release().catch(() => undefined)
      }
    })
  }

  #operation<T>(work: () => Promise<T>): Promise<T> {
    return this.#operations.run(() => {
      if (this.#isReleased) throw new Error('This denoiser was released: make another.')
      return work()
    })
  }

  /** Writes d to `out`; resolves with the other outputs that were asked for, a record a chunk. */
  async #forward(
    session: OrtSession,
    xT: Vector,
    sigma: number,
    out: Vector,
    others: OtherOutputs,
  ): Promise<Record<string, Tensor>[]> {
    const { x, output } = this.wrapped
    const scalars = this.#scalars(sigma)
    this.#transfer.begin()
    const kept: Record<string, Tensor>[] = []
    try {
      for (const chunk of this.#chunks) {
        const feeds = { ...scalars, [x]: this.#transfer.input('x', xT, chunk) }
        kept.push(await this.#transfer.run(session, feeds, output, others, out, chunk))
      }
      this.passes.forward++
      this.#checkFinite(xT, out, sigma)
      return kept
    } catch (error) {
      disposeAll(kept)
      throw error
    }
  }

  async #product(mode: DerivativeMode, generation: number, v: Vector, out: Vector): Promise<void> {
    if (generation !== this.#generation) {
      throw new Error('This linearization has ended: the denoiser was evaluated at another point since.')
    }
    const replayed = this.#recordings.trusted(mode)
    if (replayed) await replayed.run(v, out)
    else await this.#ordinaryProduct(mode, generation, v, out)
    this.passes[mode]++
  }

  async #ordinaryProduct(mode: DerivativeMode, generation: number, v: Vector, out: Vector): Promise<void> {
    const session = await this.#session(mode)
    const { inputs } = this.#graphOf(mode)
    const seed = SEEDS[mode]
    this.#transfer.begin()
    for (const [i, chunk] of this.#chunks.entries()) {
      const residuals = this.#fixed?.tensors ?? this.#residuals[i]!
      const needed = inputs
        .filter(({ name }) => name !== seed)
        .map(({ name }) => [name, residuals[name]!] as const)
      const feeds = { ...Object.fromEntries(needed), [seed]: this.#transfer.input('v', v, chunk) }
      await this.#transfer.run(session, feeds, 'result', {}, out, chunk)
    }
    if (!this.#fixed || !(await this.#recordings.prove(mode, v, out, generation))) return
    // its weights are in memory once more
    const { session: recording } = this.#recordings.trusted(mode)!
    this.#loaded = this.#loaded.map((each) =>
      each.session === session ? { ...each, session: recording } : each,
    )
    this.#sessions.delete(mode)
    await session.release()
  }

  /** Where a run takes the whole batch, and the provider can record at all. */
  #fixResiduals(split: SplitModel): FixedResiduals | undefined {
    const { runtime, space, derivatives, batch } = this.options
    const isWhole = this.#chunks.length === 1 && this.#dims[0] === batch
    if (!isWhole || !derivatives.every((mode) => isRecordable(split[mode]!))) return undefined
    return FixedResiduals.create(runtime, space, split.residuals)
  }

  #record(mode: DerivativeMode): Promise<ReplayedProduct> {
    const { runtime, space } = this.options
    const graph = this.#graphOf(mode)
    const model = {
      bytes: writeModel(withTurnedConvolutions(graph)),
      what: NAMES[mode],
      inputs: graph.inputs.map(({ name }) => name),
    }
    const shaped = { seed: SEEDS[mode], like: this.#xHat!, dims: this.#dims }
    return ReplayedProduct.create(runtime, space, model, this.#fixed!, shaped)
  }

  /** All inputs of the forward model but x. */
  #scalars(sigma: number): Record<string, Tensor> {
    const { runtime } = this.options
    const feeds = this.wrapped.feeds(sigma)
    return Object.fromEntries(
      this.plain.graph.inputs
        .filter(({ name }) => name !== this.wrapped.x)
        .map(({ name, type }) => {
          const { shape, values } = feeds[name]!
          const { bytes } = encodeTensor({ type, shape, data: Float64Array.from(values) })
          return [name, runtime.tensor({ type, shape }, bytes)]
        }),
    )
  }

  #session(part: Part): Promise<OrtSession> {
    let session = this.#sessions.get(part)
    if (!session) {
      session = this.#load(part)
      this.#sessions.set(part, session)
      // a failure is forgotten, so that the next call tries again
      session.catch(() => this.#sessions.delete(part))
    }
    return session
  }

  async #load(part: Part): Promise<OrtSession> {
    const graph = this.#graphOf(part)
    this.options.onStage?.(`Building ${NAMES[part]}`)
    const session = await this.options.runtime.session(writeModel(withTurnedConvolutions(graph)), NAMES[part])
    this.#loaded = [...this.#loaded, { session, graph }]
    return session
  }

  #graphOf(part: Part): Graph {
    if (part === 'denoiser') return this.plain.graph
    const graph = this.#requireSplit()[part]
    if (graph) return graph
    throw new Error(`This denoiser was made without ${NAMES[part]}: ask for it in \`derivatives\`.`)
  }

  #requireSplit(): SplitModel {
    if (this.split) return this.split
    throw new Error('This denoiser was made without derivatives: ask for them in `derivatives`.')
  }

  /** On the CPU it costs nothing to look; on the GPU it would cost a read. */
  #checkFinite(xT: Vector, out: Vector, sigma: number): void {
    if (this.space.kind !== 'cpu' || (out as CpuVector).data.every(Number.isFinite)) return
    if (!(xT as CpuVector).data.every(Number.isFinite)) return
    throw new NonFiniteOutputError(
      `The model gave a number that is not finite at σ = ${sigma.toPrecision(3)}. ` +
        'Check the range of noise levels in its contract; a model that computes in float16 may overflow.',
    )
  }
}

function disposeAll(records: readonly Readonly<Record<string, Tensor>>[]): void {
  for (const record of records) for (const tensor of Object.values(record)) tensor.dispose()
}
