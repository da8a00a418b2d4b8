/** Random Gaussian priors and observations, the same in every run. */
import type { Gaussian } from '../../src/diffusion/gaussianDenoiser'
import type { LinearObservations } from '../../src/diffusion/posterior/observations'
import { multiply, transpose } from '../../src/math/matrix'
import { DOMAIN, RandomStream } from '../../src/math/philox'

const random = new RandomStream(2024, 0)

/** Standard normals; another index gives others. */
export function normals(count: number, index: number): Float64Array {
  const out = new Float64Array(count)
  random.fillNormals(out, 0, count, index, 0, DOMAIN.metric)
  return out
}

/** A random prior with eigenvalues around one. */
export function randomPrior(n: number, index: number): Gaussian {
  const root = normals(n * n, index)
  const square = multiply(root, transpose(root, n, n), n, n, n)
  return {
    mean: normals(n, index + 1),
    covariance: square.map((value, i) => value / n + (i % (n + 1) === 0 ? 0.1 : 0)),
  }
}

/** Observations along random unit vectors. */
export function randomObservations(n: number, m: number, count: number, index: number): LinearObservations {
  const A = normals(count * m * n, index)
  for (let row = 0; row < count * m; row++) {
    const norm = Math.hypot(...A.subarray(row * n, (row + 1) * n))
    for (let j = 0; j < n; j++) A[row * n + j]! /= norm
  }
  return { count, features: n, observed: m, A, y: normals(count * m, index + 1), sigmaY: 0.1 }
}
