/**
 * The linear maps of src/operators/primitives.ts with WebGPU: each is one dispatch, between those of the vectors.
 * Twin: src/operators/cpuPrimitives.ts.
 */
import type { GpuVector, Vector } from '../linalg/vectorSpace'
import { type AxisMatrix, nonzeroBands, transposed } from '../operators/axisMatrix'
import { type ImagePrimitives, type Lines, nonzeroTaps } from '../operators/primitives'
import { AxisProductKernel, packMatrix } from './kernels/axisProduct'
import { ReflectedCorrelationKernel, packTaps } from './kernels/reflectedCorrelation'
import type { GpuVectors } from './vectors'

/** Compiles the kernels without blocking the page, for operators of any kind and size. Errors: ShaderError. */
export async function createGpuImagePrimitives(vectors: GpuVectors): Promise<ImagePrimitives> {
  const { device, stream } = vectors
  const [axisProduct, correlation] = await Promise.all([
    AxisProductKernel.create(device),
    ReflectedCorrelationKernel.create(device),
  ])
  const upload = (label: string, data: Float32Array) => {
    const vector = vectors.vector(label, 1, data.length)
    vectors.write(vector, data)
    return vector
  }
  /** One direction of a product. */
  const multiplication = (label: string, matrix: AxisMatrix, lines: Lines) => {
    const weights = upload(`${label}: matrix`, packMatrix(matrix))
    // integers by their bits
    const bands = upload(`${label}: bands`, new Float32Array(nonzeroBands(matrix).buffer))
    return {
      encode(x: Vector, out: Vector) {
        const buffers = { matrix: weights.buffer, bands: bands.buffer, x: bufferOf(x), out: bufferOf(out) }
        axisProduct.encode(stream, matrix, lines, buffers)
      },
      release: () => vectors.release(weights, bands),
    }
  }
  return {
    space: vectors,
    product(label, matrix, lines) {
      const forward = multiplication(label, matrix, lines)
      const backward = multiplication(`${label}, transposed`, transposed(matrix), lines)
      return {
        apply: (x, out) => forward.encode(x, out),
        adjoint: (y, out) => backward.encode(y, out),
        release() {
          forward.release()
          backward.release()
        },
      }
    },
    correlation(label, kernel, planes) {
      const nonzero = nonzeroTaps(kernel)
      const taps = upload(`${label}: taps`, packTaps(nonzero))
      const encode = (direction: 'apply' | 'adjoint', x: Vector, out: Vector) => {
        const buffers = { taps: taps.buffer, x: bufferOf(x), out: bufferOf(out) }
        correlation.encode(stream, direction, kernel, nonzero.length, planes, buffers)
      }
      return {
        apply: (x, out) => encode('apply', x, out),
        adjoint: (y, out) => encode('adjoint', y, out),
        release: () => vectors.release(taps),
      }
    },
  }
}

function bufferOf(vector: Vector): GPUBuffer {
  return (vector as GpuVector).buffer
}
