/**
 * Batches of vectors on the GPU. Every method encodes into one open command stream; `flush` submits it, and only the
 * `read…` methods wait. Scalars stay in one buffer of the GPU. Twin: src/linalg/cpuVectors.ts.
 */
import { DeviceLimitError } from '../diffusion/backend'
import {
  checkProgram,
  checkRecord,
  checkTerms,
  requireSameShape,
  requireScalars,
} from '../linalg/vectorChecks'
import type {
  GpuVector,
  NoiseAddress,
  ScalarInstruction,
  Scalars,
  Term,
  Vector,
  VectorSpace,
} from '../linalg/vectorSpace'
import type { GpuCounters } from './buffers'
import { CommandStream } from './commandStream'
import type { OpenDevice } from './device'
import { CombineKernel } from './kernels/combine'
import { DotPartialsKernel, chunkCount } from './kernels/dotPartials'
import { DotTotalKernel } from './kernels/dotTotal'
import { FillNormalKernel } from './kernels/fillNormal'
import { MultiplyKernel } from './kernels/multiply'
import { RecordScalarsKernel } from './kernels/recordScalars'
import { ScalarProgramKernel } from './kernels/scalarProgram'
import { type GpuScalars, ScalarBank } from './scalarBank'

/** Samples in a batch: rows of workgroups. */
const MOST_SAMPLES = 65535

const gpu = (vector: Vector): GpuVector => vector as GpuVector
const bytesOf = ({ batch, size }: Vector): number => batch * size * 4

async function createKernels(device: GPUDevice) {
  const [combine, multiply, dotPartials, dotTotal, scalarProgram, fillNormal, recordScalars] =
    await Promise.all([
      CombineKernel.create(device),
      MultiplyKernel.create(device),
      DotPartialsKernel.create(device),
      DotTotalKernel.create(device),
      ScalarProgramKernel.create(device),
      FillNormalKernel.create(device),
      RecordScalarsKernel.create(device),
    ])
  return { combine, multiply, dotPartials, dotTotal, scalarProgram, fillNormal, recordScalars }
}

/**
 * Compiles the kernels without blocking the page. Errors: ShaderError.
 *
 * @param guard of OpenDevice: without it, a read that a lost device ends fails in the browser's words
 */
export async function createGpuVectors(
  device: GPUDevice,
  counters: GpuCounters,
  guard: OpenDevice['guard'] = (work) => work,
): Promise<GpuVectors> {
  return new GpuVectors(device, counters, await createKernels(device), guard)
}

export class GpuVectors implements VectorSpace {
  readonly kind = 'webgpu'
  /** For operators: their dispatches go between those of the vectors. */
  readonly stream: CommandStream
  private readonly bank: ScalarBank
  private readonly buffers = new Set<GPUBuffer>()
  /** Bound where a kernel needs no buffer; read, never written. */
  private readonly unused: GPUBuffer
  /** Sums of chunks, as large as the largest product so far. */
  private partials: GPUBuffer
  private failure: Error | undefined

  constructor(
    readonly device: GPUDevice,
    readonly counters: GpuCounters,
    private readonly kernels: Awaited<ReturnType<typeof createKernels>>,
    private readonly guard: OpenDevice['guard'],
  ) {
    this.stream = new CommandStream(device, counters)
    this.bank = new ScalarBank(device, counters)
    this.unused = this.storage('unused', 16)
    this.partials = this.storage('partial sums', 4096)
  }

  /** Errors: DeviceLimitError where it is too large for a binding; memory that runs out is told by the next `read`. */
  vector(label: string, batch: number, size: number): GpuVector {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits
    const largest = Math.min(maxStorageBufferBindingSize, maxBufferSize)
    if (batch * size * 4 > largest || batch > MOST_SAMPLES) {
      throw new DeviceLimitError(
        `${batch} × ${size} numbers do not fit into one buffer of this GPU. Lower the number of samples or the image size.`,
      )
    }
    return { label, batch, size, buffer: this.storage(label, batch * size * 4) }
  }

  scalars(_label: string, batch: number): GpuScalars {
    return this.bank.take(batch)
  }

  release(...held: readonly (Vector | Scalars)[]): void {
    for (const item of held) {
      if (!('size' in item)) {
        this.bank.giveBack(item as GpuScalars)
        continue
      }
      const { buffer } = gpu(item)
      if (!this.buffers.delete(buffer)) continue
      this.stream.flush()
      this.stream.forgetGroups()
      buffer.destroy()
    }
  }

  write(vector: Vector, data: Float32Array): void {
    if (data.length !== vector.batch * vector.size) {
      throw new RangeError(
        `"${vector.label}" holds ${vector.batch} × ${vector.size} numbers, not ${data.length}.`,
      )
    }
    this.stream.flush()
    this.device.queue.writeBuffer(gpu(vector).buffer, 0, data.buffer, data.byteOffset, data.byteLength)
  }

  async read(vector: Vector): Promise<Float32Array> {
    return (await this.readTogether([vector]))[0]!
  }

  async readTogether(vectors: readonly Vector[]): Promise<Float32Array[]> {
    const parts = vectors.map((vector) => ({ buffer: gpu(vector).buffer, offset: 0, bytes: bytesOf(vector) }))
    return this.readParts(parts)
  }

  async readScalars(scalars: Scalars): Promise<Float32Array> {
    const { slot, batch } = scalars as GpuScalars
    return (await this.readParts([{ buffer: this.bank.buffer, offset: slot * 4, bytes: batch * 4 }]))[0]!
  }

  peek(): null {
    return null
  }

  copy(from: Vector, to: Vector): void {
    requireSameShape('copy', to, from)
    this.combine(to, [{ factor: 1, vector: from }])
  }

  combine(out: Vector, terms: readonly Term[]): void {
    checkTerms(out, terms)
    this.kernels.combine.encode(this.stream, this.bank.buffer, this.unused, gpu(out), terms)
  }

  multiply(out: Vector, a: Vector, b: Vector): void {
    requireSameShape('multiply', out, a, true)
    requireSameShape('multiply', out, b, true)
    this.kernels.multiply.encode(this.stream, this.unused, gpu(out), gpu(a), gpu(b))
  }

  atLeast(out: Vector, a: Vector, least: number): void {
    requireSameShape('atLeast', out, a)
    this.kernels.multiply.encode(this.stream, this.unused, gpu(out), gpu(a), undefined, least)
  }

  dot(out: Scalars, a: Vector, b: Vector): void {
    requireSameShape('dot', a, b)
    requireScalars('dot', a.batch, out)
    const bytes = chunkCount(a.size) * a.batch * 4
    if (bytes > this.partials.size) {
      this.stream.flush()
      this.buffers.delete(this.partials)
      this.partials.destroy()
      this.stream.forgetGroups()
      this.partials = this.storage('partial sums', bytes)
    }
    const { dotPartials, dotTotal } = this.kernels
    const { stream, bank, partials } = this
    const scalars = out as GpuScalars
    const chunks = dotPartials.encode(stream, bank.buffer, partials, scalars, gpu(a), gpu(b))
    if (chunks > 1) dotTotal.encode(stream, bank.buffer, partials, scalars, chunks)
  }

  compute(program: readonly ScalarInstruction[]): void {
    const batch = checkProgram(program)
    this.kernels.scalarProgram.encode(this.stream, this.bank.buffer, batch, program)
  }

  record(out: Vector, column: number, scalars: readonly Scalars[]): void {
    checkRecord(out, column, scalars)
    this.kernels.recordScalars.encode(this.stream, this.bank.buffer, gpu(out), column, scalars)
  }

  fillNormal(out: Vector, address: NoiseAddress, firstIndex = 0): void {
    this.kernels.fillNormal.encode(this.stream, gpu(out), address, firstIndex)
  }

  flush(): void {
    this.stream.flush()
  }

  /** Error: DeviceLimitError where a vector found no memory. */
  async finished(): Promise<void> {
    this.stream.flush()
    await this.guard(this.device.queue.onSubmittedWorkDone())
    if (this.failure) throw this.failure
  }

  /** Frees all that this space holds; vectors made elsewhere stay. */
  destroy(): void {
    this.stream.flush()
    for (const buffer of this.buffers) buffer.destroy()
    this.buffers.clear()
    this.bank.buffer.destroy()
    this.stream.destroy()
  }

  private storage(label: string, bytes: number): GPUBuffer {
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage
    const size = Math.max(16, Math.ceil(bytes / 16) * 16)
    this.device.pushErrorScope('out-of-memory')
    const buffer = this.device.createBuffer({ label, size, usage: STORAGE | COPY_SRC | COPY_DST })
    this.device.popErrorScope().then(
      (error) => {
        if (!error) return
        const message = `The GPU has no room for "${label}", ${Math.ceil(size / 2 ** 20)} MiB. Lower the number of samples or the image size, or close other tabs that use the GPU.`
        this.failure ??= new DeviceLimitError(message, { cause: error })
      },
      () => undefined,
    )
    this.counters.bytesAllocated += size
    this.buffers.add(buffer)
    return buffer
  }

  private async readParts(
    parts: readonly { buffer: GPUBuffer; offset: number; bytes: number }[],
  ): Promise<Float32Array[]> {
    const total = parts.reduce((sum, { bytes }) => sum + bytes, 0)
    const { MAP_READ, COPY_DST } = GPUBufferUsage
    const staging = this.device.createBuffer({ label: 'read back', size: total, usage: MAP_READ | COPY_DST })
    this.counters.bytesAllocated += total
    try {
      this.stream.copy((encoder) => {
        let at = 0
        for (const { buffer, offset, bytes } of parts) {
          encoder.copyBufferToBuffer(buffer, offset, staging, at, bytes)
          at += bytes
        }
      })
      this.stream.flush()
      await this.guard(staging.mapAsync(GPUMapMode.READ))
      if (this.failure) throw this.failure
      const copy = staging.getMappedRange().slice(0)
      this.counters.bytesReadBack += total
      let at = 0
      return parts.map(({ bytes }) => {
        at += bytes
        return new Float32Array(copy, at - bytes, bytes / 4)
      })
    } finally {
      staging.destroy()
    }
  }
}
