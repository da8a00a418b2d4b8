/** Graphs for tests, written as one would by hand. */
import { createBuilder } from '../../src/onnx/builder'
import { GraphDraft } from '../../src/onnx/draft'
import type { Graph, GraphNode, Values } from '../../src/onnx/graph'
import type { Builder } from '../../src/onnx/rule'
import { encodeTensor } from '../../src/onnx/tensor'
import { random } from './checkRule'

export function draw(
  opset: number,
  inputs: Readonly<Record<string, readonly number[]>>,
  body: (build: Builder, draft: GraphDraft) => Readonly<Record<string, string>>,
  type: 'float32' | 'float64' = 'float32',
): Graph {
  const draft = new GraphDraft(opset, { simplifies: false, reserved: Object.keys(inputs) })
  for (const [name, shape] of Object.entries(inputs)) draft.addInput(name, { type, shape })
  const outputs = Object.entries(body(createBuilder(draft), draft))
  return draft.finish(
    'test',
    outputs.map(([name, value]) => ({ name, value })),
  )
}

/**
 * A U-Net of two resolutions, [1, 2, 8, 8] and sigma [1] → [1, 2, 8, 8]: convolutions, InstanceNormalization, SiLU modulated by
 * sigma, average pooling, attention over pixels, nearest upscaling, a skip connection by Concat; then `last`.
 */
export function smallUnet(
  type: 'float32' | 'float64',
  opset = 17,
  last: (build: Builder, h: string) => string = (_build, h) => h,
): Graph {
  let seed = 1
  return draw(
    opset,
    { x: [1, 2, 8, 8], sigma: [1] },
    (build) => {
      const weights = (shape: readonly number[]) => {
        const { data } = random(shape, seed++)
        const fan = shape.slice(1).reduce((product, size) => product * size, 1)
        return build.constant(
          type,
          shape,
          data.map((value) => value / Math.sqrt(fan)),
        )
      }
      const conv = (x: string, from: number, to: number) =>
        build.node('Conv', [x, weights([to, from, 3, 3]), weights([to])], { pads: [1, 1, 1, 1] })
      const silu = (x: string) => build.mul(x, build.node('Sigmoid', [x]))
      const emb = build.reshape(build.node('Log', ['sigma']), [1, 1])
      const block = (x: string, channels: number) => {
        const ones = build.constant(type, [channels], new Float64Array(channels).fill(1))
        const normal = build.node('InstanceNormalization', [x, ones, weights([channels])])
        const scale = build.reshape(build.node('MatMul', [emb, weights([1, channels])]), [1, channels, 1, 1])
        const modulated = build.mul(normal, build.add(scale, build.scalar(1, scale)))
        return build.add(x, conv(silu(modulated), channels, channels))
      }
      const top = block(conv('x', 2, 4), 4)
      const pooled = build.node('AveragePool', [top], { kernel_shape: [2, 2], strides: [2, 2] })
      const low = block(pooled, 4)
      const tokens = build.transpose(build.reshape(low, [1, 4, 16]), [0, 2, 1])
      const [q, k, v] = [0, 1, 2].map(() => build.node('MatMul', [tokens, weights([4, 4])])) as [
        string,
        string,
        string,
      ]
      const scores = build.mul(build.node('MatMul', [q, build.transpose(k, [0, 2, 1])]), build.scalar(0.5, q))
      const mixed = build.node('MatMul', [build.node('Softmax', [scores], { axis: -1 }), v])
      const back = build.add(low, build.reshape(build.transpose(mixed, [0, 2, 1]), [1, 4, 4, 4]))
      const scales = build.constant('float32', [4], [1, 1, 2, 2])
      const large = build.node('Resize', [back, undefined, scales], {
        mode: 'nearest',
        coordinate_transformation_mode: 'asymmetric',
        nearest_mode: 'floor',
      })
      const h = conv(silu(build.concat([large, top], 1)), 8, 2)
      return { denoised: build.sub('x', build.mul(last(build, h), 'sigma')) }
    },
    type,
  )
}

export function node(
  op: string,
  inputs: string[],
  outputs: string[],
  more: Partial<GraphNode> = {},
): GraphNode {
  return { op, domain: '', name: `${op} ${outputs[0]}`, inputs, outputs, attributes: {}, ...more }
}

/** A graph of these nodes with input x and output y, both float32 [2, 3]. */
export function graphOf(
  nodes: readonly GraphNode[],
  constants: Readonly<Record<string, Values>> = {},
  opset = 17,
): Graph {
  return {
    name: 'test',
    opset,
    inputs: [{ name: 'x', type: 'float32', shape: [2, 3] }],
    outputs: [{ name: 'y', type: 'float32', shape: [2, 3] }],
    initializers: new Map(Object.entries(constants).map(([name, values]) => [name, encodeTensor(values)])),
    nodes,
  }
}
