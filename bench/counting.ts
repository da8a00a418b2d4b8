/**
 * What any WebGPU program asks of its device: dispatches, submits, buffers and bytes read back.
 *
 * The methods of WebGPU's prototypes are wrapped, so that libraries are counted without their help, in Node (Dawn) and in
 * browsers alike. Buffers are followed all the time, because peers keep pools of them; dispatches, submits and reads are
 * wrapped only while something is counted, so that measured times hold no wrapper on the paths of a step.
 *
 * Bytes read back are those mapped for reading: what a copy brings into such a buffer is the same bytes again.
 */

/** One program's devices: memory that they hold, and what they complained about. */
export interface Owner {
  liveBytes: number
  /** Largest `liveBytes` so far. */
  peakBytes: number
  /** Bytes of all buffers ever created. */
  allocatedBytes: number
  /** Uncaptured errors and losses of its devices, in order. */
  readonly errors: string[]
}

/** What a stretch of work asked for. */
export interface Counts {
  dispatches: number
  submits: number
  bytesReadBack: number
}

type Method = (this: unknown, ...args: never[]) => unknown

/** Puts `make(original)` in a method's place; returns what puts the original back. */
function wrap(prototype: object, name: string, make: (original: Method) => Method): () => void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name)
  if (!descriptor) throw new Error(`This WebGPU has no method ${name}.`)
  Object.defineProperty(prototype, name, { ...descriptor, value: make(descriptor.value as Method) })
  return () => Object.defineProperty(prototype, name, descriptor)
}

/** Calls `before` with a method's object and arguments, then the method. */
function observe(
  prototype: object,
  name: string,
  before: (self: unknown, args: readonly unknown[]) => void,
): () => void {
  return wrap(prototype, name, (original) => {
    return function (this: unknown, ...args: never[]) {
      before(this, args)
      return Reflect.apply(original, this, args)
    }
  })
}

/** The adapters' class: Dawn's globals do not name it, so it is taken from an adapter. */
type AdapterPrototype = Pick<GPUAdapter, 'requestDevice'>

export class Counting {
  /** Whose devices are opened now. */
  #owner: Owner | undefined
  /** Devices opened meanwhile. */
  #requested = 0
  readonly #labelled = new Map<string, Owner>()
  readonly #owners = new WeakMap<GPUDevice, Owner>()
  readonly #buffers = new WeakMap<GPUBuffer, { readonly owner: Owner; bytes: number }>()
  readonly #restore: (() => void)[] = []

  /** Follows the buffers of all devices that are opened from now on. */
  static async install(gpu: GPU): Promise<Counting> {
    const adapter = await gpu.requestAdapter()
    if (!adapter) throw new Error('WebGPU found no graphics adapter.')
    return new Counting(Object.getPrototypeOf(adapter) as AdapterPrototype)
  }

  private constructor(adapters: AdapterPrototype) {
    const follow = (device: GPUDevice): void => this.#follow(device)
    const created = (device: GPUDevice, buffer: GPUBuffer): void => this.#created(device, buffer)
    this.#restore.push(
      wrap(adapters, 'requestDevice', (original) => {
        return async function (this: unknown, ...args: never[]) {
          const device = (await Reflect.apply(original, this, args)) as GPUDevice
          follow(device)
          return device
        }
      }),
      wrap(GPUDevice.prototype, 'createBuffer', (original) => {
        return function (this: unknown, ...args: never[]) {
          const buffer = Reflect.apply(original, this, args) as GPUBuffer
          created(this as GPUDevice, buffer)
          return buffer
        }
      }),
      observe(GPUBuffer.prototype, 'destroy', (buffer) => this.#destroyed(buffer as GPUBuffer)),
    )
  }

  uninstall(): void {
    for (const restore of this.#restore.splice(0)) restore()
  }

  /**
   * Opens a program with `open`; the devices that it requests meanwhile are its own. A library that keeps the device of an
   * earlier time under the same `label` goes on with that; its peak then starts from what it still holds.
   */
  async own<T>(
    open: () => Promise<T>,
    label?: string,
  ): Promise<{ readonly value: T; readonly owner: Owner }> {
    const fresh: Owner = { liveBytes: 0, peakBytes: 0, allocatedBytes: 0, errors: [] }
    this.#owner = fresh
    this.#requested = 0
    try {
      const value = await open()
      const kept = label === undefined || this.#requested > 0 ? undefined : this.#labelled.get(label)
      if (kept) {
        kept.peakBytes = kept.liveBytes
        kept.allocatedBytes = 0
        kept.errors.length = 0
      }
      const owner = kept ?? fresh
      if (label !== undefined) this.#labelled.set(label, owner)
      return { value, owner }
    } finally {
      this.#owner = undefined
    }
  }

  /** Counts what is asked of all devices while `work` runs. */
  async count(work: () => Promise<void>): Promise<Counts> {
    const counts: Counts = { dispatches: 0, submits: 0, bytesReadBack: 0 }
    const dispatched = (): void => void counts.dispatches++
    const restore = [
      observe(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', dispatched),
      observe(GPUComputePassEncoder.prototype, 'dispatchWorkgroupsIndirect', dispatched),
      observe(GPUQueue.prototype, 'submit', () => void counts.submits++),
      observe(GPUBuffer.prototype, 'mapAsync', (buffer, args) => {
        const [mode, offset = 0, size] = args as Parameters<GPUBuffer['mapAsync']>
        if (mode & GPUMapMode.READ) counts.bytesReadBack += size ?? (buffer as GPUBuffer).size - offset
      }),
    ]
    try {
      await work()
    } finally {
      for (const put of restore) put()
    }
    return counts
  }

  #follow(device: GPUDevice): void {
    const owner = this.#owner
    if (!owner) return
    this.#requested++
    this.#owners.set(device, owner)
    device.addEventListener('uncapturederror', ({ error }) => owner.errors.push(error.message))
    device.lost.then(({ reason, message }) => {
      if (reason !== 'destroyed') owner.errors.push(`The device was lost: ${message}`)
    }, console.error)
  }

  #created(device: GPUDevice, buffer: GPUBuffer): void {
    const owner = this.#owners.get(device)
    if (!owner) return
    const { size } = buffer
    this.#buffers.set(buffer, { owner, bytes: size })
    owner.allocatedBytes += size
    owner.liveBytes += size
    owner.peakBytes = Math.max(owner.peakBytes, owner.liveBytes)
  }

  #destroyed(buffer: GPUBuffer): void {
    const entry = this.#buffers.get(buffer)
    if (!entry) return
    entry.owner.liveBytes -= entry.bytes
    // a second `destroy` frees nothing more
    entry.bytes = 0
  }
}
