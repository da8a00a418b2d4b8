/**
 * The scalars of a vector space, one after the other in one buffer: a kernel takes any of them by the slot where they begin.
 */
import type { Scalars } from '../linalg/vectorSpace'
import type { GpuCounters } from './buffers'

export interface GpuScalars extends Scalars {
  /** Where its `batch` numbers begin in the bank. */
  readonly slot: number
}

/** Numbers that fit. */
const CAPACITY = 65536

export class ScalarBank {
  readonly buffer: GPUBuffer
  private end = 0
  /** Slots given back, by batch. */
  private readonly free = new Map<number, number[]>()
  private readonly held = new Set<Scalars>()

  constructor(device: GPUDevice, counters: GpuCounters) {
    const { STORAGE, COPY_SRC } = GPUBufferUsage
    this.buffer = device.createBuffer({ label: 'scalars', size: CAPACITY * 4, usage: STORAGE | COPY_SRC })
    counters.bytesAllocated += CAPACITY * 4
  }

  /** Error: RangeError where the bank is full, because scalars were not released. */
  take(batch: number): GpuScalars {
    let slot = this.free.get(batch)?.pop()
    if (slot === undefined) {
      slot = this.end
      this.end += batch
      if (this.end > CAPACITY) throw new RangeError(`The scalar bank of ${CAPACITY} numbers is full.`)
    }
    const scalars = { batch, slot }
    this.held.add(scalars)
    return scalars
  }

  /** Whether `scalars` were this bank's and not yet given back. */
  giveBack(scalars: GpuScalars): boolean {
    if (!this.held.delete(scalars)) return false
    const slots = this.free.get(scalars.batch) ?? []
    slots.push(scalars.slot)
    this.free.set(scalars.batch, slots)
    return true
  }
}
