import { expect, it } from 'vitest'
import { countFlops } from '../../src/onnx/cost'
import { specialize } from '../../src/onnx/simplify'
import { draw } from './graphs'

it('counts two operations for every product of a convolution and a matrix product', () => {
  const inputs = { x: [1, 2, 4, 4], w: [4, 1, 3, 3], b: [4, 5, 2, 2], p: [3, 6], q: [3, 7], r: [7, 2] }
  const graph = draw(17, inputs, (build) => {
    // 4 channels of 4 × 4, each a sum over one channel of its group and 3 × 3 taps: 576 products.
    const conv = build.node('Conv', ['x', 'w'], { pads: [1, 1, 1, 1], group: 2 })
    // Each of 4 · 16 numbers is spread to 5 channels and 2 × 2 places: 1280.
    const up = build.node('ConvTranspose', [conv, 'b'], { strides: [2, 2] })
    // 6 × 7 sums of 3, then 6 × 2 sums of 7: 126 + 84.
    const gemm = build.node('Gemm', ['p', 'q'], { transA: 1 })
    return { up, product: build.node('MatMul', [gemm, 'r']) }
  })
  expect(countFlops(specialize(graph, {}))).toBe(2 * (576 + 1280 + 126 + 84))
})
