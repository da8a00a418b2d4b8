/**
 * Items in groups, one after the other: memory stays bounded, however many there are.
 */
import { GpuMemoryError } from '../job'

/** Bytes of a group's largest buffer. */
export const groupBytes = 2 ** 27

/**
 * Calls `run` for groups of at most `most` of `count` items. Where the device has no room for one, half as many are tried, in
 * multiples of `granularity`. Errors: those of `run`; GpuMemoryError only where `granularity` items have no room.
 */
export async function inGroups(
  count: number,
  most: number,
  granularity: number,
  run: (first: number, size: number) => Promise<void>,
): Promise<void> {
  let largest = most
  for (let first = 0; first < count;) {
    const size = Math.min(largest, count - first)
    try {
      await run(first, size)
      first += size
    } catch (error) {
      if (!(error instanceof GpuMemoryError) || size <= granularity) throw error
      largest = Math.ceil(size / 2 / granularity) * granularity
    }
  }
}
