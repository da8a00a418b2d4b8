/**
 * One open command encoder that vectors and operators share, so that a whole step goes to the GPU in one submit.
 *
 * A dispatch's parameters lie in one buffer of slots, written once a submit and bound with a dynamic offset: then a bind
 * group depends on buffers alone and is kept. The stream submits when it is flushed and when its slots are used up.
 */
import { type GpuCounters, type UniformWord } from './buffers'
import { type ComputeKernel, createComputeKernel } from './compile'

/** Parameters of one dispatch begin at multiples of this, which every adapter allows. */
const SLOT_BYTES = 256
const RING_BYTES = 256 * SLOT_BYTES
/** Bind groups kept; buffers made elsewhere (ONNX Runtime) come and go. */
const KEPT_GROUPS = 2048

/** A kernel whose binding 0 is its uniform parameters and whose other bindings are storage buffers. */
export interface StreamKernel extends ComputeKernel {
  readonly parameterBytes: number
}

export interface StreamKernelOptions {
  readonly label: string
  readonly code: string
  readonly entryPoint: string
  /** Access of bindings 1, 2, … */
  readonly storage: readonly ('read' | 'write')[]
  /** Size of the uniform parameters, at most 4096. Default 256. */
  readonly parameterBytes?: number
}

/** Largest block of parameters: the ring has room for one behind its last slot. */
const LARGEST_PARAMETERS = 4096

/** Compiles without blocking the page. Errors: as createComputeKernel. */
export async function createStreamKernel(
  device: GPUDevice,
  { label, code, entryPoint, storage, parameterBytes = SLOT_BYTES }: StreamKernelOptions,
): Promise<StreamKernel> {
  const visibility = GPUShaderStage.COMPUTE
  const group = device.createBindGroupLayout({
    label,
    entries: [
      { binding: 0, visibility, buffer: { type: 'uniform', hasDynamicOffset: true } },
      ...storage.map((access, i) => ({
        binding: i + 1,
        visibility,
        buffer: { type: access === 'read' ? ('read-only-storage' as const) : ('storage' as const) },
      })),
    ],
  })
  const layout = device.createPipelineLayout({ label, bindGroupLayouts: [group] })
  return { ...(await createComputeKernel(device, { label, code, entryPoint, layout })), parameterBytes }
}

export class CommandStream {
  private readonly ring: GPUBuffer
  private readonly words = new DataView(new ArrayBuffer(RING_BYTES + LARGEST_PARAMETERS))
  private used = 0
  private encoder: GPUCommandEncoder | undefined
  private pass: GPUComputePassEncoder | undefined
  private readonly groups = new Map<string, GPUBindGroup>()
  private readonly identities = new WeakMap<object, number>()
  private lastIdentity = 0

  constructor(
    readonly device: GPUDevice,
    readonly counters: GpuCounters,
  ) {
    const { UNIFORM, COPY_DST } = GPUBufferUsage
    const size = RING_BYTES + LARGEST_PARAMETERS
    this.ring = device.createBuffer({ label: 'parameters', size, usage: UNIFORM | COPY_DST })
    counters.bytesAllocated += size
  }

  /** Encodes one dispatch: `words` are the parameters, `buffers` go to bindings 1, 2, … */
  dispatch(
    kernel: StreamKernel,
    words: readonly UniformWord[],
    buffers: readonly GPUBuffer[],
    workgroups: readonly [number, number?, number?],
  ): void {
    if (words.length * 4 > kernel.parameterBytes) {
      throw new RangeError(`${words.length} parameters do not fit into those of "${kernel.label}".`)
    }
    if (this.used + kernel.parameterBytes > RING_BYTES) this.flush()
    const offset = this.used
    words.forEach((word, i) => {
      if (typeof word === 'number') this.words.setUint32(offset + i * 4, word, true)
      else this.words.setFloat32(offset + i * 4, word.f32, true)
    })
    this.used += Math.max(1, Math.ceil((words.length * 4) / SLOT_BYTES)) * SLOT_BYTES
    const pass = this.open()
    pass.setPipeline(kernel.pipeline)
    pass.setBindGroup(0, this.group(kernel, buffers), [offset])
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2])
    this.counters.dispatches++
  }

  /** Encodes copies, in order with the dispatches. */
  copy(encode: (encoder: GPUCommandEncoder) => void): void {
    this.pass?.end()
    this.pass = undefined
    this.encoder ??= this.device.createCommandEncoder({ label: 'vectors' })
    encode(this.encoder)
  }

  /** Submits what is encoded. */
  flush(): void {
    if (!this.encoder) return
    this.pass?.end()
    if (this.used > 0) this.device.queue.writeBuffer(this.ring, 0, this.words.buffer, 0, this.used)
    this.device.queue.submit([this.encoder.finish()])
    this.counters.submits++
    this.encoder = undefined
    this.pass = undefined
    this.used = 0
  }

  /** Forgets bind groups, which would keep destroyed buffers' places. */
  forgetGroups(): void {
    this.groups.clear()
  }

  destroy(): void {
    this.forgetGroups()
    this.ring.destroy()
  }

  private open(): GPUComputePassEncoder {
    this.encoder ??= this.device.createCommandEncoder({ label: 'vectors' })
    this.pass ??= this.encoder.beginComputePass({ label: 'vectors' })
    return this.pass
  }

  private group(kernel: StreamKernel, buffers: readonly GPUBuffer[]): GPUBindGroup {
    const key = [kernel.pipeline, ...buffers].map((object) => this.identity(object)).join(' ')
    let group = this.groups.get(key)
    if (!group) {
      if (this.groups.size >= KEPT_GROUPS) this.forgetGroups()
      group = kernel.bind([{ buffer: this.ring, size: kernel.parameterBytes }, ...buffers])
      this.groups.set(key, group)
    }
    return group
  }

  private identity(object: object): number {
    let identity = this.identities.get(object)
    if (identity === undefined) {
      identity = ++this.lastIdentity
      this.identities.set(object, identity)
    }
    return identity
  }
}
