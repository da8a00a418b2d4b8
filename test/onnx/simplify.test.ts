import { describe, expect, it } from 'vitest'
import type { Graph, Values } from '../../src/onnx/graph'
import { interpret } from '../../src/onnx/interpret'
import { specialize } from '../../src/onnx/simplify'
import { decodeTensor, encodeTensor } from '../../src/onnx/tensor'
import { floats, integers, random } from './checkRule'
import { graphOf, node } from './graphs'

const int = (value: number) => ({ kind: 'int', value }) as const
const ops = (graph: Graph) => graph.nodes.map(({ op }) => op)

describe('specialize', () => {
  it('folds the shape arithmetic of exporters away', () => {
    // x.view(x.shape[0], -1).view(x.shape), as PyTorch writes it.
    const graph = graphOf(
      [
        node('Shape', ['x'], ['shape']),
        node('Gather', ['shape', 'zero'], ['batch'], { attributes: { axis: int(0) } }),
        node('Unsqueeze', ['batch', 'axes'], ['rows']),
        node('Concat', ['rows', 'rest'], ['flat'], { attributes: { axis: int(0) } }),
        node('Reshape', ['x', 'flat'], ['wide']),
        node('Relu', ['wide'], ['positive']),
        node('Relu', ['wide'], ['again']),
        node('Add', ['positive', 'again'], ['sum']),
        node('Reshape', ['sum', 'shape'], ['back']),
        node('Dropout', ['back'], ['dropped', 'mask']),
        node('Identity', ['dropped'], ['y']),
        node('Exp', ['x'], ['dead']),
      ],
      { zero: integers([], [0]), axes: integers([1], [0]), rest: integers([1], [-1]) },
    )
    const open: Graph = { ...graph, inputs: [{ name: 'x', type: 'float32', shape: ['batch', 3] }] }
    const typed = specialize(open, { x: { type: 'float32', shape: [4, 3] } })
    expect(ops(typed.graph)).toEqual(['Relu', 'Add'])
    expect(typed.types.get('y')).toEqual({ type: 'float32', shape: [4, 3] })
    expect(() => specialize(open, {})).toThrow('open sizes [batch, 3]')
    expect(() => specialize(open, { x: { type: 'float32', shape: [4, 5] } })).toThrow(
      'is [batch, 3] and cannot be [4, 5]',
    )
  })

  it('turns float16 weights that are cast into float32 weights, exactly', () => {
    const halves: Values = { type: 'float16', shape: [3], data: Float64Array.of(0.5, -65504, 2 ** -24) }
    const graph = graphOf([
      node('Cast', ['w'], ['wide'], { attributes: { to: int(1) } }),
      node('Mul', ['x', 'wide'], ['y']),
    ])
    const typed = specialize({ ...graph, initializers: new Map([['w', encodeTensor(halves)]]) }, {})
    expect(ops(typed.graph)).toEqual(['Mul'])
    const x = random([2, 3])
    const y = interpret(typed.graph, { x }).get('y') as Values
    expect([...y.data]).toEqual([...x.data].map((value, i) => value * (halves.data[i % 3] as number)))
  })

  it('keeps the finite numbers of a float64 model finite in float32', () => {
    const graph: Graph = {
      ...graphOf([node('Mul', ['x', 'w'], ['y'])], {
        w: { type: 'float64', shape: [3], data: Float64Array.of(-Number.MAX_VALUE, Infinity, 0.1) },
      }),
      inputs: [{ name: 'x', type: 'float64', shape: [2, 3] }],
    }
    const { initializers } = specialize(graph, {}, { float32: true }).graph
    const { data } = decodeTensor(initializers.get('w')!)
    expect([...data]).toEqual([-(2 ** 128 - 2 ** 104), Infinity, Math.fround(0.1)])
  })

  it('makes a float16 model float32 on demand', () => {
    const half = { type: 'float16', shape: [2, 3] } as const
    const graph: Graph = {
      ...graphOf([
        node('Mul', ['x', 'w'], ['h']),
        node('Cast', ['h'], ['y'], { attributes: { to: int(10) } }),
      ]),
      inputs: [{ name: 'x', ...half }],
      outputs: [{ name: 'y', ...half }],
      initializers: new Map([['w', encodeTensor({ type: 'float16', shape: [], data: Float64Array.of(3) })]]),
    }
    expect(specialize(graph, {}).types.get('y')?.type).toBe('float16')
    const typed = specialize(graph, {}, { float32: true })
    expect([...typed.types.values()].every(({ type }) => type === 'float32')).toBe(true)
    expect(ops(typed.graph)).toEqual(['Mul'])
  })

  it('rewrites what the WebGPU provider sends to the CPU', () => {
    const graph = graphOf([node('Sum', ['x', 'x', 'x'], ['a']), node('Softsign', ['a'], ['y'])])
    expect(ops(specialize(graph, {}).graph)).toEqual(['Add', 'Add', 'Abs', 'Add', 'Div'])
  })

  it.each<[string, Graph, string]>([
    [
      'an operator that is not known',
      graphOf([node('Fft', ['x'], ['y'], { name: 'n1', domain: 'custom' })]),
      '"n1" (Fft) of domain "custom"',
    ],
    [
      'shapes that do not fit',
      graphOf([node('Add', ['x', 'b'], ['y'])], { b: floats([2], [1, 2]) }),
      '[2, 3] and [2]',
    ],
    [
      'a constant of 10^12 numbers',
      graphOf([node('ConstantOfShape', ['size'], ['big']), node('ReduceSum', ['big'], ['y'])], {
        size: integers([2], [1e6, 1e6]),
      }),
      '[1000000, 1000000] would have 1000000000000 elements',
    ],
    ['random numbers', graphOf([node('RandomNormalLike', ['x'], ['y'])]), 'draws random numbers'],
    [
      'a range that never ends',
      graphOf(
        [node('Range', ['a', 'a', 'a'], ['r']), node('Cast', ['r'], ['y'], { attributes: { to: int(1) } })],
        {
          a: integers([], [0]),
        },
      ),
      'never ends',
    ],
    [
      'a type of strings',
      graphOf([node('Cast', ['x'], ['y'], { attributes: { to: int(8) } })]),
      'data type 8',
    ],
    ['a missing attribute', graphOf([node('Cast', ['x'], ['y'])]), 'attribute "to" is missing'],
  ])('refuses %s', (_what, graph, message) => {
    expect(() => specialize(graph, {})).toThrow(message)
  })

  it('does not compute large products before running', () => {
    const square = integers([2], [4096, 4096])
    const graph = graphOf(
      [
        node('ConstantOfShape', ['size'], ['zeros']),
        node('MatMul', ['zeros', 'zeros'], ['product']),
        node('ReduceMean', ['product'], ['mean']),
        node('Add', ['x', 'mean'], ['y']),
      ],
      { size: square },
    )
    expect(ops(specialize(graph, {}).graph)).toContain('MatMul')
  })

  it('leaves costly constants to ONNX Runtime, however short their biases are', () => {
    const zeros = (shape: readonly number[]): Values => ({
      type: 'float32',
      shape,
      data: new Float64Array(shape.reduce((product, size) => product * size, 1)),
    })
    const graph = graphOf(
      [node('Conv', ['image', 'kernel', 'bias'], ['blurred']), node('Add', ['x', 'blurred'], ['y'])],
      { image: zeros([1, 1, 400, 400]), kernel: zeros([1, 1, 200, 200]), bias: zeros([1]) },
    )
    const typed = specialize({ ...graph, inputs: [{ name: 'x', type: 'float32', shape: [1] }] }, {})
    expect(ops(typed.graph)).toContain('Conv')
  })
})
