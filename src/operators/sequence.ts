/**
 * Linear maps one after the other, A = A_k … A_2 A_1, whose transpose runs backwards.
 */
import type { VectorSpace } from '../linalg/vectorSpace'
import type { LinearMap } from './types'

/** `sizes` are those of the vectors between the maps, one less than there are maps. Releases the maps with itself. */
export function sequence(
  space: VectorSpace,
  batch: number,
  maps: readonly LinearMap[],
  sizes: readonly number[],
): LinearMap {
  const between = sizes.map((size, i) =>
    space.vector(`between the factors ${i + 1} and ${i + 2}`, batch, size),
  )
  return {
    apply(x, out) {
      maps.forEach((map, i) => map.apply(between[i - 1] ?? x, between[i] ?? out))
    },
    adjoint(y, out) {
      for (let i = maps.length - 1; i >= 0; i--) maps[i]!.adjoint(between[i] ?? y, between[i - 1] ?? out)
    },
    release() {
      for (const map of maps) map.release()
      space.release(...between)
    },
  }
}
