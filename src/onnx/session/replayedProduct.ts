/**
 * Products with J whose commands ONNX Runtime records once and replays: the host's part of one then takes 2 to 10 ms where
 * it took 20 to 60, whatever the number of nodes.
 *
 * A replay reads and writes the buffers of the recording. So the residuals have fixed buffers, which every forward pass writes, v
 * is copied to a fixed buffer, and the result from one. It is not documented where recordings go wrong (that of a forward
 * pass does), so a product is trusted only after it gave the same bits as an ordinary one for several v at several points.
 */
import type { Tensor } from 'onnxruntime-web'
import type { GpuVector, Vector, VectorSpace } from '../../linalg/vectorSpace'
import type { DerivativeMode, SplitModel } from '../differentiate'
import type { Graph, GraphTensor } from '../graph'
import { BYTES_PER_ELEMENT, elementCount } from '../tensor'
import type { OrtRuntime, OrtSession } from './runtime'

/** While a recording is tested, its weights are in memory twice. */
const LARGEST_WEIGHTS = 64 * 2 ** 20
/** Products that must agree, and points x_t among them. */
const PROVING_PRODUCTS = 3
const PROVING_POINTS = 2

/** Buffers that every forward pass writes its residuals to. */
export class FixedResiduals {
  private constructor(
    private readonly space: VectorSpace,
    private readonly vectors: readonly Vector[],
    readonly tensors: Readonly<Record<string, Tensor>>,
  ) {}

  /** Undefined where a recording cannot be had: not on a GPU, or a type that no buffer of a tensor may have. */
  static create(
    runtime: OrtRuntime,
    space: VectorSpace,
    residuals: SplitModel['residuals'],
  ): FixedResiduals | undefined {
    if (runtime.provider !== 'webgpu' || residuals.some(({ type }) => !isBufferType(type.type)))
      return undefined
    const vectors: Vector[] = []
    const entries = residuals.map(({ name, type: { type, shape } }) => {
      const words = Math.max(1, Math.ceil((elementCount(shape) * BYTES_PER_ELEMENT[type]) / 4))
      const vector = space.vector(`residual ${name}`, 1, words) as GpuVector
      vectors.push(vector)
      const options = { dataType: type as 'float32', dims: shape }
      return [name, runtime.module.Tensor.fromGpuBuffer(vector.buffer, options)] as const
    })
    return new FixedResiduals(space, vectors, Object.fromEntries(entries))
  }

  release(): void {
    this.space.release(...this.vectors)
  }
}

function isBufferType(type: GraphTensor['type']): boolean {
  return type === 'float32' || type === 'int32' || type === 'bool'
}

export function isRecordable({ initializers }: Graph): boolean {
  let bytes = 0
  for (const tensor of initializers.values()) bytes += tensor.bytes.length
  return bytes <= LARGEST_WEIGHTS
}

export class ReplayedProduct {
  readonly #points = new Set<number>()
  #agreed = 0

  private constructor(
    private readonly space: VectorSpace,
    readonly session: OrtSession,
    private readonly feeds: Readonly<Record<string, Tensor>>,
    /** What the recording reads as v. */
    private readonly seed: Vector,
    /** Results to compare. */
    private readonly trial: Vector,
  ) {}

  /**
   * Errors: those of a session, and where a node would compute on the CPU.
   *
   * @param model inputs: residuals, and `seed` of the shape `dims`
   * @param like a vector of this batch and size
   */
  static async create(
    runtime: OrtRuntime,
    space: VectorSpace,
    model: { readonly bytes: Uint8Array; readonly what: string; readonly inputs: readonly string[] },
    residuals: FixedResiduals,
    { seed, like, dims }: { readonly seed: string; readonly like: Vector; readonly dims: readonly number[] },
  ): Promise<ReplayedProduct> {
    const session = await runtime.session(model.bytes, model.what, true)
    const made = (label: string) => space.vector(label, like.batch, like.size) as GpuVector
    const [v, trial] = [made(`recorded ${seed}`), made('recorded result')]
    const seedTensor = runtime.module.Tensor.fromGpuBuffer(v.buffer, { dataType: 'float32', dims })
    const held = model.inputs.filter((name) => name !== seed).map((name) => [name, residuals.tensors[name]!])
    const feeds = { ...(Object.fromEntries(held) as Record<string, Tensor>), [seed]: seedTensor }
    return new ReplayedProduct(space, session, feeds, v, trial)
  }

  get isTrusted(): boolean {
    return this.#agreed >= PROVING_PRODUCTS && this.#points.size >= PROVING_POINTS
  }

  /** out ← the product; encoded in order with what comes after it. */
  async run(v: Vector, out: Vector): Promise<void> {
    const { space, session, feeds, seed } = this
    space.copy(v, seed)
    space.flush()
    const { result } = await session.run(feeds, ['result'])
    // the recording keeps its buffer; this tensor is a view of it
    space.copy({ ...seed, label: 'result', buffer: result!.gpuBuffer } as GpuVector, out)
    result!.dispose()
  }

  /** Whether it gives the bits of `expected`, which an ordinary product made of v at a point. */
  async agrees(v: Vector, expected: Vector, point: number): Promise<boolean> {
    const { space, trial } = this
    await this.run(v, trial)
    const [found, wanted] = (await space.readTogether([trial, expected])) as [Float32Array, Float32Array]
    const isSame = wanted.every((value, i) => Object.is(value, found[i]))
    // of zeros nothing can be learned
    if (isSame && wanted.some((value) => value !== 0)) {
      this.#agreed++
      this.#points.add(point)
    }
    return isSame
  }

  async release(): Promise<void> {
    // copies of the result may still be to be done
    this.space.flush()
    this.space.release(this.seed, this.trial)
    await this.session.release()
  }
}

/** The recordings of a denoiser: tried beside ordinary products, and given up silently where they fail or differ. */
export class Recordings {
  readonly #products = new Map<DerivativeMode, ReplayedProduct>()
  readonly #refused = new Set<DerivativeMode>()

  constructor(private readonly create: (mode: DerivativeMode) => Promise<ReplayedProduct>) {}

  trusted(mode: DerivativeMode): ReplayedProduct | undefined {
    const product = this.#products.get(mode)
    return product?.isTrusted ? product : undefined
  }

  /** After an ordinary product out of v at a point: whether from now on the recording is trusted. */
  async prove(mode: DerivativeMode, v: Vector, out: Vector, point: number): Promise<boolean> {
    if (this.#refused.has(mode)) return false
    try {
      let product = this.#products.get(mode)
      if (!product) {
        product = await this.create(mode)
        this.#products.set(mode, product)
      }
      if (await product.agrees(v, out, point)) return product.isTrusted
    } catch {
      // what is wrong with the device, the next ordinary product says
    }
    this.#refused.add(mode)
    await this.#release(mode)
    return false
  }

  async release(): Promise<void> {
    for (const mode of this.#products.keys()) await this.#release(mode)
  }

  async #release(mode: DerivativeMode): Promise<void> {
    const product = this.#products.get(mode)
    this.#products.delete(mode)
    // of a lost device nothing is left to release
    await product?.release().catch(() => undefined)
  }
}
