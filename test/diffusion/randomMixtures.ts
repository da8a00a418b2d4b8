/** Mixtures, measurements and normals for tests; the same arguments give the same numbers. */
import type { Mixture } from '../../src/diffusion/types'
import { DOMAIN, RandomStream } from '../../src/math/philox'

export const random = new RandomStream(41, 0)

/** `count` standard normals; another index gives others. */
export function normals(count: number, index: number): Float64Array {
  const out = new Float64Array(count)
  random.fillNormals(out, 0, count, index, 0, DOMAIN.matrices)
  return out
}

export function randomMixture(features: number, components: number, thickness: number, index = 1): Mixture {
  return { features, means: normals(components * features, index), thickness }
}

/** m rows of unit length. */
export function randomRows(m: number, n: number, index: number): Float64Array {
  const A = normals(m * n, index)
  for (let r = 0; r < m; r++) {
    const norm = Math.hypot(...A.subarray(r * n, (r + 1) * n))
    for (let i = 0; i < n; i++) A[r * n + i]! /= norm
  }
  return A
}

export const largest = (values: Float64Array) =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
/** Largest distance of two entries. */
export const difference = (a: Float64Array, b: Float64Array) => largest(a.map((value, i) => value - b[i]!))
