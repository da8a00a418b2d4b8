/**
 * Product of a matrix with one axis of an image.
 * Kernel: shaders/axis_product.wgsl; twin: `product` of src/operators/cpuPrimitives.ts.
 */
import source from '../../../shaders/axis_product.wgsl?raw'
import type { AxisMatrix } from '../../operators/axisMatrix'
import type { Lines } from '../../operators/primitives'
import { type CommandStream, type StreamKernel, createStreamKernel } from '../commandStream'

export class AxisProductKernel {
  private constructor(private readonly kernel: StreamKernel) {}

  static async create(device: GPUDevice): Promise<AxisProductKernel> {
    const kernel = await createStreamKernel(device, {
      label: 'axis product',
      code: source,
      entryPoint: 'axis_product',
      storage: ['read', 'read', 'read', 'write'],
    })
    return new AxisProductKernel(kernel)
  }

  /** x [outer, columnParts, before, columns, after] → out [outer, rowParts, before, rows, after]; matrix from `packMatrix`. */
  encode(
    stream: CommandStream,
    { rows, columns, rowParts, columnParts }: AxisMatrix,
    { outer, before, after }: Lines,
    buffers: { matrix: GPUBuffer; bands: GPUBuffer; x: GPUBuffer; out: GPUBuffer },
  ): void {
    const words = [rows, columns, rowParts, columnParts, before, after]
    const bound = [buffers.matrix, buffers.bands, buffers.x, buffers.out]
    stream.dispatch(this.kernel, words, bound, [Math.ceil((rowParts * before * rows * after) / 256), outer])
  }
}

/** In the kernel's order, [rowParts, columnParts, columns, rows]. */
export function packMatrix({ rows, columns, rowParts, columnParts, data }: AxisMatrix): Float32Array {
  const packed = new Float32Array(data.length)
  for (let q = 0; q < rowParts; q++) {
    for (let r = 0; r < rows; r++) {
      for (let p = 0; p < columnParts; p++) {
        const from = ((q * rows + r) * columnParts + p) * columns
        const to = (q * columnParts + p) * columns * rows + r
        for (let c = 0; c < columns; c++) packed[to + c * rows] = data[from + c]!
      }
    }
  }
  return packed
}
