/**
 * Small dense systems as maps on any vector space, made of its own operations: out ← Σ_i ⟨row_i, v⟩ e_i.
 */
import type { Vector, VectorMap, VectorSpace } from '../../../src/linalg/vectorSpace'

export function vectorFrom(space: VectorSpace, batch: number, data: ArrayLike<number>): Vector {
  const vector = space.vector('from data', batch, data.length / batch)
  space.write(vector, Float32Array.from(data))
  return vector
}

/** matrices [batch, size, size]; counts its products. */
export function denseMap(space: VectorSpace, matrices: ArrayLike<number>, batch: number, size: number) {
  const product = space.scalars('product', batch)
  const rows = Array.from({ length: size }, (_, i) => {
    const at = (index: number) => {
      const [b, j] = [Math.floor(index / size), index % size]
      return matrices[(b * size + i) * size + j]!
    }
    const row = Float32Array.from({ length: batch * size }, (_, index) => at(index))
    const unit = Float32Array.from({ length: size }, (_, j) => (j === i ? 1 : 0))
    return { row: vectorFrom(space, batch, row), unit: vectorFrom(space, 1, unit) }
  })
  const counted = { products: 0 }
  const map: VectorMap = (v, out) => {
    counted.products++
    space.combine(out, [{ factor: 0, vector: out }])
    for (const { row, unit } of rows) {
      space.dot(product, row, v)
      space.combine(out, [
        { factor: 1, vector: out },
        { factor: product, vector: unit },
      ])
    }
  }
  return { map, counted }
}
