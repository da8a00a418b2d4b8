/**
 * ONNX Runtime: sessions and runs, one at a time in this page or process.
 *
 * The WebGPU build suspends WebAssembly while the GPU works (asyncify), and a second call meanwhile breaks the module: so
 * every `create`, `run` and `release` waits for the one before, whatever runtime it belongs to.
 */
import type { InferenceSession, Tensor, env } from 'onnxruntime-web'
import type { ElementType, ValueType } from '../graph'
import { OrtError, OutOfMemoryError, translateError } from './errors'
import { Queue } from './queue'

/** What the builds of ONNX Runtime have in common. */
export interface OrtModule {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>
  }
  readonly Tensor: typeof Tensor
  readonly env: typeof env
}

/** The GPU that ONNX Runtime shares with our kernels; src/gpu/device.ts gives one. */
export interface SharedDevice {
  readonly device: GPUDevice
  /** Settles as `work` does, or rejects with DeviceLostError as soon as the device is lost. */
  guard<T>(work: Promise<T>): Promise<T>
}

/** Where a model computes. `native` is onnxruntime-node on the CPU. */
export type ProviderName = 'webgpu' | 'wasm' | 'native'

const calls = new Queue()

export class OrtRuntime {
  constructor(
    readonly provider: ProviderName,
    readonly module: OrtModule,
    /** Of the provider `webgpu`. */
    readonly shared?: SharedDevice,
  ) {}

  /**
   * Loads a model.
   * Errors: OrtError, OutOfMemoryError, DeviceLostError.
   *
   * @param what for messages, as in "the VJP"
   * @param records provider webgpu: the first run's commands are recorded, and later runs replay them on the same buffers. Inputs
   * are GPU buffers and are read again, whatever a later run is given; outputs are the runtime's. Errors also where a node
   * would compute on the CPU.
   */
  async session(model: Uint8Array, what: string, records = false): Promise<OrtSession> {
    const create = () => (records ? this.#createRecording(model, what) : this.#create(model, what))
    try {
      return await this.#guarded(() => calls.run(create))
    } catch (error) {
      throw translateError(error, `build ${what}`)
    }
  }

  async #create(model: Uint8Array, what: string): Promise<OrtSession> {
    const { InferenceSession } = this.module
    const options: InferenceSession.SessionOptions = { logSeverityLevel: 3, ...this.#providerOptions() }
    if (this.provider !== 'webgpu') {
      return new OrtSession(this, await InferenceSession.create(model, options), what, false)
    }
    try {
      return new OrtSession(this, await InferenceSession.create(model, this.#strictOptions()), what, false)
    } catch (error) {
      if (!/fallback to CPU/i.test(error instanceof Error ? error.message : '')) throw error
      return new OrtSession(this, await InferenceSession.create(model, options), what, true)
    }
  }

  async #createRecording(model: Uint8Array, what: string): Promise<OrtSession> {
    const options = { ...this.#strictOptions(), enableGraphCapture: true }
    return new OrtSession(this, await this.module.InferenceSession.create(model, options), what, false)
  }

  /** Nothing on the CPU; a refusal is an answer, not worth a line on the console. */
  #strictOptions(): InferenceSession.SessionOptions {
    const extra = { session: { disable_cpu_ep_fallback: '1' } }
    return { ...this.#providerOptions(), logSeverityLevel: 4, extra }
  }

  #providerOptions(): InferenceSession.SessionOptions {
    switch (this.provider) {
      case 'webgpu': {
        const { device } = this.shared!
        return {
          executionProviders: [{ name: 'webgpu', device }],
          preferredOutputLocation: 'gpu-buffer',
        }
      }
      case 'wasm':
        return { executionProviders: ['wasm'] }
      case 'native':
        return { executionProviders: ['cpu'], intraOpNumThreads: 1 }
    }
  }

  /** Rejects when the device is lost: the run itself would resolve as if nothing had happened. */
  #guarded<T>(work: () => Promise<T>): Promise<T> {
    return this.shared ? this.shared.guard(work()) : work()
  }

  async run(
    session: InferenceSession,
    feeds: Readonly<Record<string, Tensor>>,
    fetches: readonly string[] | Readonly<Record<string, Tensor | null>>,
    action: string,
    watchErrors: boolean,
  ): Promise<Outputs> {
    const work = () => session.run({ ...feeds }, fetches) as Promise<Outputs>
    try {
      const device = watchErrors ? this.shared?.device : undefined
      return await this.#guarded(() => calls.run(device ? () => withErrorScopes(device, work) : work))
    } catch (error) {
      throw translateError(error, action)
    }
  }

  async release(session: InferenceSession): Promise<void> {
    await calls.run(() => session.release())
  }

  /** A value that the host holds. */
  tensor(type: ValueType, bytes: Uint8Array): Tensor {
    const { Tensor } = this.module
    return new Tensor(ortType(type.type), hostArray(type.type, bytes) as Float32Array, type.shape)
  }
}

/** A loaded model. */
export class OrtSession {
  runs = 0
  milliseconds = 0

  constructor(
    readonly runtime: OrtRuntime,
    private readonly session: InferenceSession,
    readonly what: string,
    /** Provider webgpu: some nodes compute on the CPU, with copies there and back. */
    readonly usesCpu: boolean,
  ) {}

  /**
   * Errors: OrtError, OutOfMemoryError, DeviceLostError.
   *
   * @param fetches names of the outputs wanted, or for some of them the tensors to write
   */
  async run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches: readonly string[] | Readonly<Record<string, Tensor | null>>,
  ): Promise<Readonly<Record<string, Tensor>>> {
    const started = performance.now()
    // a first run allocates and compiles; later ones do the same work again
    const outputs = await this.runtime.run(this.session, feeds, fetches, `run ${this.what}`, this.runs === 0)
    this.runs++
    this.milliseconds += performance.now() - started
    return outputs
  }

  release(): Promise<void> {
    return this.runtime.release(this.session)
  }
}

type Outputs = Readonly<Record<string, Tensor>>

/** Rejects where the work leaves an error on the device, which it does not report itself. */
async function withErrorScopes(device: GPUDevice, work: () => Promise<Outputs>): Promise<Outputs> {
  device.pushErrorScope('validation')
  device.pushErrorScope('out-of-memory')
  const [result] = await Promise.allSettled([work()])
  const [memory, validation] = await Promise.all([device.popErrorScope(), device.popErrorScope()])
  if (result.status === 'rejected' && !memory) throw result.reason
  if (result.status === 'fulfilled') {
    if (!memory && !validation) return result.value
    // what was computed is of no use, and nobody else can free it
    for (const tensor of Object.values(result.value)) tensor.dispose()
  }
  throw memory
    ? new OutOfMemoryError(
        `The GPU's memory is full (${memory.message.split('\n', 1)[0]}). Use a smaller image or fewer samples, or close other tabs.`,
      )
    : new OrtError(`The GPU refused the model: ${validation!.message}`)
}

const HOST_ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const

function hostArray(type: ElementType, bytes: Uint8Array) {
  // a copy is aligned
  const { buffer } = bytes.slice()
  return new HOST_ARRAYS[ortType(type)](buffer)
}

function ortType(type: ElementType): keyof typeof HOST_ARRAYS {
  if (type === 'bfloat16') {
    throw new OrtError(
      'The model has a bfloat16 input, which ONNX Runtime does not take. Export it in float32.',
    )
  }
  return type
}
