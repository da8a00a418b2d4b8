/**
 * Descriptions of every operator for tests, and the checks that both devices pass.
 */
import type { VectorSpace } from '../../src/linalg/vectorSpace'
import { DOMAIN, RandomStream } from '../../src/math/philox'
import type { ImageShape, OperatorDescription } from '../../src/operators/types'

/** Standard normal numbers. */
export function normals(count: number, index: number): Float32Array {
  const out = new Float64Array(count)
  new RandomStream(5, 0).fillNormals(out, 0, count, index, 0, DOMAIN.verification)
  return Float32Array.from(out)
}

/** All that a shape allows. */
export function descriptionsFor(shape: ImageShape): OperatorDescription[] {
  const { channels, height, width } = shape
  const some = (count: number) => Uint8Array.from({ length: count }, (_, i) => ((i * 7 + 2) % 5 < 2 ? 1 : 0))
  const size = 2 * Math.min(height, width) - 1
  // Not symmetric, mostly zero, up to the widest that reflection allows.
  const kernel = Float32Array.from({ length: size * size }, (_, i) => (i % 11 === 3 ? 1 / (i + 1) : 0))
  const descriptions: OperatorDescription[] = [
    { kind: 'inpainting', mask: some(height * width) },
    { kind: 'blur', kernel, size },
    { kind: 'blur', kernel: normals(9, 77), size: 3 },
    { kind: 'gaussianBlur', standardDeviation: 1.3, size },
    { kind: 'mri', columns: some(width) },
    { kind: 'mri', columns: new Uint8Array(width).fill(1) },
  ]
  for (const factor of [2, 4]) {
    if (height % factor === 0 && width % factor === 0) descriptions.push({ kind: 'superResolution', factor })
  }
  if (channels === 3) descriptions.push({ kind: 'gray' })
  return descriptions
}

export const shapes: readonly ImageShape[] = [
  { channels: 3, height: 8, width: 16 },
  { channels: 1, height: 28, width: 28 },
  { channels: 3, height: 7, width: 5 },
]

/** A vector of a space with these numbers. */
export function vectorOf(space: VectorSpace, batch: number, data: Float32Array) {
  const vector = space.vector('test', batch, data.length / batch)
  space.write(vector, data)
  return vector
}

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** ‖a - b‖ / ‖b‖. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const difference = Float64Array.from(a, (value, i) => value - b[i]!)
  return Math.sqrt(dot(difference, difference) / dot(b, b))
}
