/**
 * Orthonormal 2-D discrete cosine transform (DCT-II) of every channel, whose adjoint is its inverse:
 *
 *     c[k, l] = s_k s_l Σ_{i, j} x[i, j] cos(π k (2i + 1) / 2h) cos(π l (2j + 1) / 2w),   s_0 = √(1/n), s_k = √(2/n)
 *
 * In it the covariance of photographs is nearly diagonal.
 */
import { alongBothAxes } from './alongBothAxes'
import { realMatrix } from './axisMatrix'
import type { ImagePrimitives } from './primitives'
import type { ImageShape, LinearMap } from './types'

/** [batch, channels, height, width] → coefficients of the same shape, frequency 0 first. */
export function createDct(shape: ImageShape, batch: number, primitives: ImagePrimitives): LinearMap {
  return alongBothAxes('DCT', cosines(shape.height), cosines(shape.width), shape, batch, primitives)
}

function cosines(n: number) {
  return realMatrix(n, n, (k, i) => {
    const scale = Math.sqrt((k === 0 ? 1 : 2) / n)
    return scale * Math.cos((Math.PI * ((k * (2 * i + 1)) % (4 * n))) / (2 * n))
  })
}
