import { expect, test } from 'vitest'
import type { Graph, GraphNode } from '../../src/onnx/graph'
import { loadImageDistance } from '../../src/onnx/session/imageDistance'
import { nativeRuntime } from '../../src/onnx/session/nodeRuntimes'
import { writeModel } from '../../src/onnx/write'

function node(op: string, inputs: readonly string[], output: string): GraphNode {
  return { op, domain: '', name: output, inputs, outputs: [output], attributes: {} }
}

/** Mean of what the first input has above the second: not symmetric, so that a swap shows. */
function distance(inputs: readonly string[]): Graph {
  return {
    name: 'distance',
    opset: 17,
    inputs: inputs.map((name) => ({ name, type: 'float32', shape: ['n', 3, 'height', 'width'] })),
    outputs: [{ name: 'out', type: 'float32', shape: [1, 1, 1, 1] }],
    initializers: new Map(),
    nodes: [
      node('Sub', ['image', inputs[1] ?? 'image'], 'difference'),
      node('Relu', ['difference'], 'excess'),
      node('ReduceMean', ['excess'], 'out'),
    ],
  }
}

test('A network that compares images is given both, in order, with three planes of a gray image', async () => {
  const runtime = await nativeRuntime()
  const network = await loadImageDistance(writeModel(distance(['image', 'reference'])), runtime)
  const [image, reference] = [Float32Array.of(1, 0, 0.5, -1), Float32Array.of(0, 0.5, 0.5, 0)]
  const shape = { channels: 1, height: 2, width: 2 }
  expect(await network.measure(image, reference, shape)).toBeCloseTo(1 / 4, 6)
  expect(await network.measure(reference, image, shape)).toBeCloseTo(1.5 / 4, 6)
  const planes = Float32Array.from({ length: 12 }, (_, i) => (i < 4 ? 0.9 : 0.1))
  const value = await network.measure(planes, new Float32Array(12), { ...shape, channels: 3 })
  expect(value).toBeCloseTo((0.9 + 0.1 + 0.1) / 3, 6)
  await network.release()
  await expect(loadImageDistance(writeModel(distance(['image'])), runtime)).rejects.toThrow('has 1')
})
