/**
 * The linear maps of src/operators/primitives.ts on the CPU: float32 vectors, float64 sums. Twins of
 * src/gpu/kernels/axisProduct.ts and reflectCorrelation.ts.
 */
import type { CpuVector, Vector, VectorSpace } from '../linalg/vectorSpace'
import { type AxisMatrix, nonzeroBands, transposed } from './axisMatrix'
import {
  type CorrelationKernel,
  type ImagePrimitives,
  type Lines,
  type Planes,
  type Tap,
  nonzeroTaps,
  reflected,
} from './primitives'

/** `space` is the CPU's (src/linalg/cpuVectors.ts). */
export function createCpuImagePrimitives(space: VectorSpace): ImagePrimitives {
  return {
    space,
    product(_label, matrix, lines) {
      const forward = axisProduct(matrix, lines)
      const backward = axisProduct(transposed(matrix), lines)
      return {
        apply: (x, out) => forward(values(x), values(out)),
        adjoint: (y, out) => backward(values(y), values(out)),
        release: () => undefined,
      }
    },
    correlation(_label, kernel, planes) {
      const taps = nonzeroTaps(kernel)
      const padded = paddedPlane(kernel, planes)
      return {
        apply: (x, out) => correlate(taps, padded, planes, values(x), values(out)),
        adjoint: (y, out) => correlateAdjoint(taps, padded, planes, values(y), values(out)),
        release: () => undefined,
      }
    },
  }
}

function values(vector: Vector): Float32Array {
  return (vector as CpuVector).data
}

function axisProduct(matrix: AxisMatrix, lines: Lines) {
  const bands = nonzeroBands(matrix)
  // A line is a row of the image, or runs across its rows: then a whole row of results is summed at once.
  return lines.after === 1
    ? (x: Float32Array, out: Float32Array) => productOfRows(matrix, bands, lines, x, out)
    : (x: Float32Array, out: Float32Array) => productOfColumns(matrix, bands, lines, x, out)
}

function productOfRows(
  { rows, columns, rowParts, columnParts, data }: AxisMatrix,
  bands: Uint32Array,
  { outer, before }: Lines,
  x: Float32Array,
  out: Float32Array,
): void {
  for (let o = 0; o < outer; o++) {
    for (let q = 0; q < rowParts; q++) {
      for (let b = 0; b < before; b++) {
        for (let r = 0; r < rows; r++) {
          const row = q * rows + r
          const [first, end] = [bands[2 * row]!, bands[2 * row + 1]!]
          let sum = 0
          for (let p = 0; p < columnParts; p++) {
            const from = ((o * columnParts + p) * before + b) * columns
            const weights = (row * columnParts + p) * columns
            for (let c = first; c < end; c++) sum += data[weights + c]! * x[from + c]!
          }
          out[((o * rowParts + q) * before + b) * rows + r] = sum
        }
      }
    }
  }
}

function productOfColumns(
  { rows, columns, rowParts, columnParts, data }: AxisMatrix,
  bands: Uint32Array,
  { outer, before, after }: Lines,
  x: Float32Array,
  out: Float32Array,
): void {
  const sums = new Float64Array(after)
  for (let o = 0; o < outer; o++) {
    for (let q = 0; q < rowParts; q++) {
      for (let b = 0; b < before; b++) {
        for (let r = 0; r < rows; r++) {
          const row = q * rows + r
          const [first, end] = [bands[2 * row]!, bands[2 * row + 1]!]
          sums.fill(0)
          for (let p = 0; p < columnParts; p++) {
            for (let c = first; c < end; c++) {
              const weight = data[(row * columnParts + p) * columns + c]!
              const from = (((o * columnParts + p) * before + b) * columns + c) * after
              for (let a = 0; a < after; a++) sums[a]! += weight * x[from + a]!
            }
          }
          out.set(sums, (((o * rowParts + q) * before + b) * rows + r) * after)
        }
      }
    }
  }
}

/** A plane with room for the kernel on all sides, and where its rows and columns lie in the image. */
interface PaddedPlane {
  readonly width: number
  readonly marginY: number
  readonly marginX: number
  readonly rows: Int32Array
  readonly columns: Int32Array
  readonly data: Float64Array
}

function paddedPlane({ rows, columns }: CorrelationKernel, { height, width }: Planes): PaddedPlane {
  const [marginY, marginX] = [(rows - 1) / 2, (columns - 1) / 2]
  const paddedWidth = width + 2 * marginX
  return {
    width: paddedWidth,
    marginY,
    marginX,
    rows: reflected(height, marginY),
    columns: reflected(width, marginX),
    data: new Float64Array((height + 2 * marginY) * paddedWidth),
  }
}

/** Pads each plane, then adds it up at the places of all taps. */
function correlate(
  taps: readonly Tap[],
  padded: PaddedPlane,
  { count, height, width }: Planes,
  x: Float32Array,
  out: Float32Array,
): void {
  const sums = new Float64Array(height * width)
  for (let plane = 0; plane < count; plane++) {
    const offset = plane * height * width
    let at = 0
    for (const row of padded.rows) {
      for (const column of padded.columns) padded.data[at++] = x[offset + row * width + column]!
    }
    sums.fill(0)
    for (const { dy, dx, weight } of taps) {
      for (let i = 0; i < height; i++) {
        const from = (i + padded.marginY + dy) * padded.width + padded.marginX + dx
        for (let j = 0; j < width; j++) sums[i * width + j]! += weight * padded.data[from + j]!
      }
    }
    out.set(sums, offset)
  }
}

/** The transpose, step by step: spreads each plane to the places of all taps, then folds the padding back. */
function correlateAdjoint(
  taps: readonly Tap[],
  padded: PaddedPlane,
  { count, height, width }: Planes,
  y: Float32Array,
  out: Float32Array,
): void {
  const sums = new Float64Array(height * width)
  for (let plane = 0; plane < count; plane++) {
    const offset = plane * height * width
    padded.data.fill(0)
    for (const { dy, dx, weight } of taps) {
      for (let i = 0; i < height; i++) {
        const to = (i + padded.marginY + dy) * padded.width + padded.marginX + dx
        for (let j = 0; j < width; j++) padded.data[to + j]! += weight * y[offset + i * width + j]!
      }
    }
    sums.fill(0)
    let at = 0
    for (const row of padded.rows) {
      for (const column of padded.columns) sums[row * width + column]! += padded.data[at++]!
    }
    out.set(sums, offset)
  }
}
