import { describe, expect, it } from 'vitest'
import { withChannelsLast } from '../../src/onnx/channelsLast'
import { splitModel } from '../../src/onnx/differentiate'
import type { Graph, Values } from '../../src/onnx/graph'
import { interpret } from '../../src/onnx/interpret'
import { specialize } from '../../src/onnx/simplify'
import { withTurnedConvolutions } from '../../src/onnx/turnedConvolution'
import { distance, random } from './checkRule'
import { draw, smallUnet } from './graphs'

const ops = ({ nodes }: Graph) => nodes.map(({ op }) => op)

interface Case {
  readonly title: string
  readonly weights: readonly number[]
  readonly attributes: Record<string, number | readonly number[]>
  readonly input?: readonly number[]
}

describe('a transposed convolution of stride 1', () => {
  const transposed = (
    weights: readonly number[],
    attributes: Record<string, number | readonly number[]>,
    input: readonly number[] = [2, weights[0]!, 5, 7],
  ) =>
    draw(17, { x: input }, (build) => {
      const constant = (shape: readonly number[], seed: number) =>
        build.constant('float32', shape, random(shape, seed).data)
      const bias = constant([weights[1]! * Number(attributes['group'] ?? 1)], 2)
      return { y: build.node('ConvTranspose', ['x', constant(weights, 1), bias], attributes) }
    })

  it.each<Case>([
    { title: 'of one tap', weights: [3, 4, 1, 1], attributes: {} },
    { title: 'padded unevenly', weights: [3, 4, 3, 2], attributes: { pads: [1, 0, 2, 1] } },
    {
      title: 'dilated',
      weights: [2, 3, 3, 3],
      attributes: { dilations: [2, 1], pads: [2, 1, 2, 1], strides: [1, 1] },
    },
    { title: 'of signals', weights: [2, 3, 4], attributes: { pads: [1, 2] }, input: [1, 2, 9] },
  ])('$title is a convolution', ({ weights, attributes, input }) => {
    const graph = transposed(weights, attributes, input)
    const turned = withTurnedConvolutions(graph)
    expect([ops(graph), ops(turned)]).toEqual([['ConvTranspose'], ['Conv']])
    expect(turned.initializers.size).toBe(graph.initializers.size)
    const x = random(graph.inputs[0]!.shape.map(Number), 3)
    const [expected, found] = [graph, turned].map((each) => interpret(each, { x }).get('y') as Values)
    expect(found!.shape).toEqual(expected!.shape)
    expect(distance(found!.data, expected!.data)).toBeLessThan(1e-12)
  })

  it.each<Case>([
    { title: 'strides', weights: [3, 4, 3, 3], attributes: { strides: [2, 1] } },
    { title: 'inputs that WebGPU would read wrongly', weights: [6, 4, 3, 3], attributes: {} },
    { title: 'groups', weights: [4, 1, 3, 3], attributes: { group: 2 } },
    {
      title: 'more padding than the kernel reaches',
      weights: [3, 4, 1, 1],
      attributes: { pads: [1, 0, 0, 0] },
    },
  ])('stays with $title', ({ weights, attributes }) => {
    const graph = transposed(weights, attributes)
    expect(withTurnedConvolutions(graph)).toBe(graph)
  })
})

it('gives the same derivatives from residuals with channels last', () => {
  const graph = smallUnet('float32')
  const output = graph.outputs[0]!.name
  const split = splitModel(specialize(graph, {}), { input: 'x', output, derivatives: ['vjp', 'jvp'] })
  const moved = withChannelsLast(split)
  expect(moved.residuals.some(({ type: { shape } }) => shape.join() === '1,8,8,4')).toBe(true)
  const feeds = { x: random([1, 2, 8, 8], 1), sigma: random([1], 2, 0.5, 1) }
  const seed = random([1, 2, 8, 8], 3)
  const [expected, found] = [split, moved].map(({ forward, vjp, jvp, residuals }) => {
    const values = interpret(forward, feeds)
    const held = Object.fromEntries(
      residuals.map(({ name, type }) => {
        const value = values.get(name) as Values
        expect(value.shape).toEqual(type.shape)
        return [name, value]
      }),
    )
    const result = (product: Graph, name: string) =>
      (interpret(product, { ...held, [name]: seed }).get('result') as Values).data
    return [(values.get(output) as Values).data, result(vjp!, 'cotangent'), result(jvp!, 'tangent')]
  })
  expect(found).toEqual(expected)
})

it('finds the slope of SiLU with three nodes beside the function', () => {
  const graph = draw(17, { x: [1, 3] }, (build) => ({ y: build.mul('x', build.node('Sigmoid', ['x'])) }))
  const { forward, vjp } = splitModel(specialize(graph, {}), {
    input: 'x',
    output: 'y',
    derivatives: ['vjp'],
  })
  expect(ops(forward).toSorted()).toEqual(['Add', 'Mul', 'Mul', 'Sigmoid', 'Sub'])
  expect(ops(vjp!)).toEqual(['Mul'])
})
