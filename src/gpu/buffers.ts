/**
 * The buffers of one call: created, filled, read back, and destroyed together; every byte is counted.
 */

/** What a backend has done so far; `npm run dispatches` prints it. */
export interface GpuCounters {
  dispatches: number
  submits: number
  bytesAllocated: number
  bytesReadBack: number
}

export function createCounters(): GpuCounters {
  return { dispatches: 0, submits: 0, bytesAllocated: 0, bytesReadBack: 0 }
}

/** Uniform blocks: a list of words, unsigned integers unless wrapped as `{ f32 }`. */
export type UniformWord = number | { readonly f32: number }

/** Sizes of copies and bindings are multiples of 4 bytes; uniform blocks of 16. */
function roundUp(bytes: number, multiple: number): number {
  return Math.max(multiple, Math.ceil(bytes / multiple) * multiple)
}

export class BufferScope {
  readonly #buffers: GPUBuffer[] = []

  constructor(
    readonly device: GPUDevice,
    readonly counters: GpuCounters,
  ) {}

  /** A storage buffer of `bytes`, zero at first, that can be copied from and to. */
  storage(label: string, bytes: number): GPUBuffer {
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage
    return this.#create({ label, size: roundUp(bytes, 16), usage: STORAGE | COPY_SRC | COPY_DST })
  }

  /** A storage buffer holding `data`. */
  upload(label: string, data: Float32Array | Uint32Array): GPUBuffer {
    const buffer = this.storage(label, data.byteLength)
    this.write(buffer, data)
    return buffer
  }

  /** Writes `data` at byte `offset` of a buffer. */
  write(buffer: GPUBuffer, data: Float32Array | Uint32Array, offset = 0): void {
    this.device.queue.writeBuffer(buffer, offset, data.buffer, data.byteOffset, data.byteLength)
  }

  /** A uniform buffer holding `words`. */
  uniform(label: string, words: readonly UniformWord[]): GPUBuffer {
    const { UNIFORM, COPY_DST } = GPUBufferUsage
    const buffer = this.#create({ label, size: roundUp(words.length * 4, 16), usage: UNIFORM | COPY_DST })
    this.setUniform(buffer, words)
    return buffer
  }

  /** Changes a uniform buffer before the next submit. */
  setUniform(buffer: GPUBuffer, words: readonly UniformWord[]): void {
    const view = new DataView(new ArrayBuffer(words.length * 4))
    words.forEach((word, i) => {
      if (typeof word === 'number') view.setUint32(i * 4, word, true)
      else view.setFloat32(i * 4, word.f32, true)
    })
    this.device.queue.writeBuffer(buffer, 0, view.buffer)
  }

  /** A buffer that results are copied into and read from. */
  staging(label: string, bytes: number): GPUBuffer {
    const { MAP_READ, COPY_DST } = GPUBufferUsage
    return this.#create({ label, size: roundUp(bytes, 4), usage: MAP_READ | COPY_DST })
  }

  /** Waits for a staging buffer's copy and returns its first `bytes`. The buffer can then be used again. */
  async mapped(staging: GPUBuffer, bytes = staging.size): Promise<ArrayBuffer> {
    await staging.mapAsync(GPUMapMode.READ, 0, roundUp(bytes, 4))
    const copy = staging.getMappedRange(0, roundUp(bytes, 4)).slice(0, bytes)
    staging.unmap()
    this.counters.bytesReadBack += bytes
    return copy
  }

  /** Copies `bytes` of a storage buffer to the host, after all work submitted so far. */
  async read(buffer: GPUBuffer, bytes: number, offset = 0): Promise<ArrayBuffer> {
    const staging = this.staging(`${buffer.label} read back`, bytes)
    const encoder = this.device.createCommandEncoder({ label: `read ${buffer.label}` })
    encoder.copyBufferToBuffer(buffer, offset, staging, 0, roundUp(bytes, 4))
    this.submit(encoder)
    const data = await this.mapped(staging, bytes)
    staging.destroy()
    return data
  }

  submit(encoder: GPUCommandEncoder): void {
    this.device.queue.submit([encoder.finish()])
    this.counters.submits++
  }

  destroy(): void {
    for (const buffer of this.#buffers) buffer.destroy()
    this.#buffers.length = 0
  }

  #create(descriptor: GPUBufferDescriptor): GPUBuffer {
    const buffer = this.device.createBuffer(descriptor)
    this.#buffers.push(buffer)
    this.counters.bytesAllocated += descriptor.size
    return buffer
  }
}
