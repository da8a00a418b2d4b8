/**
 * Vectors of a VectorSpace as tensors of ONNX Runtime and back, without leaving their device.
 *
 * A GPU vector's buffer is the tensor. On the CPU the runtime copies into its own memory and out of it again.
 */
import type { Tensor } from 'onnxruntime-web'
import type { CpuVector, GpuVector, Vector, VectorSpace } from '../../linalg/vectorSpace'
import { OrtError } from './errors'
import type { OrtRuntime, OrtSession } from './runtime'

/** Rows of vectors that one run takes. */
export interface Chunk {
  readonly first: number
  readonly rows: number
}

/** Outputs by name, each with the GPU tensor to write, or null for a new one. */
export type OtherOutputs = Readonly<Record<string, Tensor | null>>

export abstract class Transfer {
  /** @param dims of a tensor of `capacity` rows */
  constructor(
    protected readonly runtime: OrtRuntime,
    protected readonly space: VectorSpace,
    protected readonly capacity: number,
    protected readonly dims: readonly number[],
  ) {}

  /** Before the first run on new vectors. */
  abstract begin(): void
  /** Rows of a vector as an input; rows beyond the chunk's hold anything finite. */
  abstract input(role: string, vector: Vector, chunk: Chunk): Tensor
  /**
   * Runs, and writes one output to rows of a vector, and other outputs to the tensors given for them; where none is, a
   * new one is returned, which is to be disposed of.
   */
  abstract run(
    session: OrtSession,
    feeds: Readonly<Record<string, Tensor>>,
    output: string,
    others: OtherOutputs,
    to: Vector,
    chunk: Chunk,
  ): Promise<Record<string, Tensor>>
  abstract release(): void
}

/** Errors: OrtError where space and provider do not go together. */
export function createTransfer(
  runtime: OrtRuntime,
  space: VectorSpace,
  capacity: number,
  dims: readonly number[],
): Transfer {
  const gpu = runtime.provider === 'webgpu'
  if (gpu !== (space.kind === 'webgpu')) {
    throw new OrtError(
      `Vectors of a ${space.kind} space cannot be given to the provider ${runtime.provider}.`,
    )
  }
  return gpu
    ? new GpuTransfer(runtime, space, capacity, dims)
    : new CpuTransfer(runtime, space, capacity, dims)
}

function take(outputs: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const tensor = outputs[name]
  if (!tensor) throw new OrtError(`ONNX Runtime gave no output "${name}". Please report the model.`)
  return tensor
}

function without(
  outputs: Readonly<Record<string, Tensor>>,
  ...names: readonly string[]
): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(outputs).filter(([each]) => !names.includes(each)))
}

class CpuTransfer extends Transfer {
  begin(): void {
    // the host's memory is always up to date
  }

  input(_role: string, vector: Vector, { first, rows }: Chunk): Tensor {
    const { data, size } = vector as CpuVector
    const { Tensor } = this.runtime.module
    const part = data.subarray(first * size, (first + rows) * size)
    if (rows === this.capacity) return new Tensor('float32', part, this.dims)
    const padded = new Float32Array(this.capacity * size)
    padded.set(part)
    return new Tensor('float32', padded, this.dims)
  }

  async run(
    session: OrtSession,
    feeds: Readonly<Record<string, Tensor>>,
    output: string,
    others: OtherOutputs,
    to: Vector,
    { first, rows }: Chunk,
  ): Promise<Record<string, Tensor>> {
    const outputs = await session.run(feeds, [output, ...Object.keys(others)])
    const tensor = take(outputs, output)
    const { data, size } = to as CpuVector
    data.set((tensor.data as Float32Array).subarray(0, rows * size), first * size)
    tensor.dispose()
    return without(outputs, output)
  }

  release(): void {
    // nothing is held
  }
}

class GpuTransfer extends Transfer {
  /** Vectors of one chunk, where the batch does not fit into one run. */
  readonly #staging = new Map<string, GpuVector>()

  begin(): void {
    this.space.flush()
  }

  input(role: string, vector: Vector, chunk: Chunk): Tensor {
    const whole = vector as GpuVector
    if (whole.batch === this.capacity) return this.#tensor(whole)
    const part = this.#chunkVector(role, whole.size)
    const bytes = whole.size * 4
    this.#copy(whole, chunk.first * bytes, part, 0, chunk.rows * bytes)
    return this.#tensor(part)
  }

  async run(
    session: OrtSession,
    feeds: Readonly<Record<string, Tensor>>,
    output: string,
    others: OtherOutputs,
    to: Vector,
    chunk: Chunk,
  ): Promise<Record<string, Tensor>> {
    const whole = to as GpuVector
    const part = whole.batch === this.capacity ? whole : this.#chunkVector('output', whole.size)
    const outputs = await session.run(feeds, { [output]: this.#tensor(part), ...others })
    if (part !== whole) {
      const bytes = whole.size * 4
      this.#copy(part, 0, whole, chunk.first * bytes, chunk.rows * bytes)
    }
    const given = Object.keys(others).filter((name) => others[name] !== null)
    return without(outputs, output, ...given)
  }

  release(): void {
    this.space.release(...this.#staging.values())
    this.#staging.clear()
  }

  #tensor({ buffer }: GpuVector): Tensor {
    return this.runtime.module.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: this.dims })
  }

  #chunkVector(role: string, size: number): GpuVector {
    const kept = this.#staging.get(role)
    if (kept) return kept
    const made = this.space.vector(`chunk ${role}`, this.capacity, size) as GpuVector
    this.space.flush()
    this.#staging.set(role, made)
    return made
  }

  #copy(from: GpuVector, fromByte: number, to: GpuVector, toByte: number, bytes: number): void {
    const { device } = this.runtime.shared!
    const encoder = device.createCommandEncoder({ label: 'rows of a chunk' })
    encoder.copyBufferToBuffer(from.buffer, fromByte, to.buffer, toByte, bytes)
    device.queue.submit([encoder.finish()])
  }
}
