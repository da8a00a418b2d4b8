/**
 * Measurements of tiny images with a Gaussian prior, on any device, and what the methods must give, in float64 and dense.
 */
import { ImageGaussianDenoiser } from '../../../src/diffusion/image/gaussian'
import { powerLawVariances } from '../../../src/diffusion/image/powerLaw'
import type { ImageMethodOptions, SpectralCovariance } from '../../../src/diffusion/image/types'
import { createCpuVectors } from '../../../src/linalg/cpuVectors'
import type { Vector, VectorSpace } from '../../../src/linalg/vectorSpace'
import { multiply, solveDense, symmetricEigen, transpose } from '../../../src/math/matrix'
import { RandomStream } from '../../../src/math/philox'
import { createCpuImagePrimitives } from '../../../src/operators/cpuPrimitives'
import { createImageOperator } from '../../../src/operators/createOperator'
import { createDct } from '../../../src/operators/dct'
import type { ImagePrimitives } from '../../../src/operators/primitives'
import { type ImageShape, type OperatorDescription, sizeOf } from '../../../src/operators/types'

export const shape: ImageShape = { channels: 3, height: 2, width: 4 }
export const size = 24
export const batch = 3

/** Where the posterior system has at most ten distinct eigenvalues, ten iterations solve it. */
export const descriptions = {
  inpainting: { kind: 'inpainting', mask: Uint8Array.of(1, 0, 0, 1, 0, 0, 0, 1) },
  gaussianBlur: { kind: 'gaussianBlur', standardDeviation: 0.8, size: 3 },
  superResolution: { kind: 'superResolution', factor: 2 },
  mri: { kind: 'mri', columns: Uint8Array.of(1, 1, 0, 0) },
  gray: { kind: 'gray' },
} as const satisfies Record<string, OperatorDescription>

export const options: ImageMethodOptions = {
  method: 'mmps',
  solver: 'gmres',
  iterations: 10,
  guidance: 0.7,
  proximity: 8,
}

export function normals(count: number, index: number): Float64Array {
  const out = new Float64Array(count)
  new RandomStream(31, 0).fillNormals(out, 0, count, index, 0, 0)
  return out
}

export const mean = Float32Array.from(normals(size, 1), (value) => 0.3 * value)
export const variances = powerLawVariances(shape, { standardDeviation: 0.5, exponent: 2 })

/** A vector of `space` that holds `data`. */
export function vectorOf(space: VectorSpace, rows: number, data: ArrayLike<number>): Vector {
  const vector = space.vector('data', rows, data.length / rows)
  space.write(vector, Float32Array.from(data))
  return vector
}

/** The matrix of a map on one image, [rows, columns], by its images of the unit vectors. */
async function matrixOf(
  rows: number,
  columns: number,
  apply: (space: VectorSpace, primitives: ImagePrimitives, count: number, x: Vector, out: Vector) => void,
): Promise<Float64Array> {
  const space = createCpuVectors()
  const identity = Float64Array.from({ length: columns * columns }, (_, i) =>
    i % (columns + 1) === 0 ? 1 : 0,
  )
  const out = space.vector('columns', columns, rows)
  apply(space, createCpuImagePrimitives(space), columns, vectorOf(space, columns, identity), out)
  return transpose(Float64Array.from(await space.read(out)), columns, rows)
}

/** A [observed, size] and C [size, size]. */
export async function matrices(description: OperatorDescription) {
  const probe = createImageOperator(description, shape, 1, createCpuImagePrimitives(createCpuVectors()))
  const m = sizeOf(probe.output)
  const A = await matrixOf(m, size, (_, primitives, count, x, out) =>
    createImageOperator(description, shape, count, primitives).apply(x, out),
  )
  const T = await matrixOf(size, size, (_, primitives, count, x, out) =>
    createDct(shape, count, primitives).apply(x, out),
  )
  const C = product(transpose(T, size, size), scaleRows(T, variances), size, size, size)
  return { m, A, C, condition: condition(A, m) }
}

/** Largest over smallest singular value that is not zero. */
function condition(A: Float64Array, m: number): number {
  const { values } = symmetricEigen(multiply(A, transpose(A, m, size), m, size, m), m)
  const largest = values.reduce((most, value) => Math.max(most, value), 0)
  const kept = values.filter((value) => value > 1e-12 * largest)
  return Math.sqrt(largest / kept.reduce((least, value) => Math.min(least, value), largest))
}

/** Everything a method needs on one device. */
export function problemOn(
  space: VectorSpace,
  primitives: ImagePrimitives,
  description: OperatorDescription,
  rows = batch,
) {
  const covariance: SpectralCovariance = { transform: createDct(shape, rows, primitives), variances }
  return {
    denoiser: new ImageGaussianDenoiser(space, shape, rows, mean, covariance),
    operator: createImageOperator(description, shape, rows, primitives),
    fit: covariance,
  }
}

export function product(a: Float64Array, b: Float64Array, rows: number, inner: number, columns: number) {
  return multiply(a, b, rows, inner, columns)
}

export function scaleRows(a: Float64Array, factors: ArrayLike<number>): Float64Array {
  const columns = a.length / factors.length
  return a.map((value, i) => value * factors[Math.floor(i / columns)]!)
}

/** a + scale · I of a square matrix. */
export function shifted(a: Float64Array, scale: number): Float64Array {
  const n = Math.sqrt(a.length)
  return a.map((value, i) => value + (i % (n + 1) === 0 ? scale : 0))
}

/** matrix⁻¹ right, right [n, columns]. */
export function solveMany(matrix: Float64Array, right: Float64Array): Float64Array {
  const n = Math.sqrt(matrix.length)
  const columns = right.length / n
  const out = new Float64Array(right.length)
  for (let c = 0; c < columns; c++) {
    const b = Float64Array.from({ length: n }, (_, i) => right[i * columns + c]!)
    solveDense(matrix, b, n).forEach((value, i) => (out[i * columns + c] = value))
  }
  return out
}
