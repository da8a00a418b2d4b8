/**
 * The two linear maps that all operators are made of; a device implements these (src/operators/cpuPrimitives.ts,
 * src/gpu/imagePrimitives.ts), and every operator is written once.
 */
import type { VectorSpace } from '../linalg/vectorSpace'
import type { AxisMatrix } from './axisMatrix'
import type { LinearMap } from './types'

/** The axes around the one that a matrix multiplies: x is [outer, columnParts, before, columns, after]. */
export interface Lines {
  readonly outer: number
  readonly before: number
  readonly after: number
}

/** Images one after the other, [count, height, width]. */
export interface Planes {
  readonly count: number
  readonly height: number
  readonly width: number
}

/** Weights of a correlation, [rows, columns], both odd; the centre weighs the pixel itself. */
export interface CorrelationKernel {
  readonly rows: number
  readonly columns: number
  readonly weights: ArrayLike<number>
}

export interface ImagePrimitives {
  readonly space: VectorSpace
  /**
   * Product along one axis, out[o, q, b, r, a] = Σ_p Σ_c M[q, r, p, c] x[o, p, b, c, a]:
   * x [outer, columnParts, before, columns, after] → out [outer, rowParts, before, rows, after].
   */
  product(label: string, matrix: AxisMatrix, lines: Lines): LinearMap
  /**
   * out[i, j] = Σ w[u, v] x[reflect(i + u), reflect(j + v)], u and v counted from the kernel's centre, each plane alone.
   * A reflection does not repeat the edge pixel. The kernel reaches at most height - 1 and width - 1 pixels far.
   */
  correlation(label: string, kernel: CorrelationKernel, planes: Planes): LinearMap
}

/** An entry of a correlation that is not zero: weight of the pixel `dy` rows down and `dx` columns right. */
export interface Tap {
  readonly dy: number
  readonly dx: number
  readonly weight: number
}

/** The entries that are not zero: a motion kernel has few. */
export function nonzeroTaps({ rows, columns, weights }: CorrelationKernel): readonly Tap[] {
  const taps: Tap[] = []
  for (let i = 0; i < rows * columns; i++) {
    const weight = weights[i]!
    if (weight === 0) continue
    taps.push({ dy: Math.floor(i / columns) - (rows - 1) / 2, dx: (i % columns) - (columns - 1) / 2, weight })
  }
  return taps
}

/** Places of -margin .. length - 1 + margin in 0 .. length - 1, reflected at both ends. */
export function reflected(length: number, margin: number): Int32Array {
  return Int32Array.from({ length: length + 2 * margin }, (_, i) => {
    const at = Math.abs(i - margin)
    return at < length ? at : 2 * (length - 1) - at
  })
}
