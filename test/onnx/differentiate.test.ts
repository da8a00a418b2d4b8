import { describe, expect, it } from 'vitest'
import { splitModel } from '../../src/onnx/differentiate'
import type { Graph, Values } from '../../src/onnx/graph'
import { interpret } from '../../src/onnx/interpret'
import { specialize } from '../../src/onnx/simplify'
import { encodeTensor } from '../../src/onnx/tensor'
import { distance, floats, integers, random, runOnnx } from './checkRule'
import { draw, graphOf, node, smallUnet } from './graphs'

const DOUBLE = { type: 'float64' } as const

function dot(a: Values, b: Values): number {
  return a.data.reduce((sum, value, i) => sum + value * (b.data[i] as number), 0)
}

/** The output, J u and Jᵀ v of a graph by its split, in float64. */
function throughSplit(graph: Graph, feeds: Record<string, Values>, u: Values, v: Values, input = 'x') {
  const output = graph.outputs[0]?.name as string
  const typed = specialize(graph, {}, { variables: [input] })
  const split = splitModel(typed, { input, output, derivatives: ['vjp', 'jvp'] })
  const values = interpret(split.forward, feeds)
  const held = Object.fromEntries(split.residuals.map(({ name }) => [name, values.get(name) as Values]))
  const jvp = interpret(split.jvp as Graph, { ...held, tangent: u }).get('result') as Values
  const vjp = interpret(split.vjp as Graph, { ...held, cotangent: v }).get('result') as Values
  return { split, value: values.get(output) as Values, jvp, vjp }
}

describe('a small U-Net', () => {
  const graph = smallUnet('float64')
  const feeds = {
    x: { ...random([1, 2, 8, 8], 20), ...DOUBLE },
    sigma: { ...random([1], 21, 0.5, 1), ...DOUBLE },
  }
  const u = { ...random([1, 2, 8, 8], 22), ...DOUBLE }
  const v = { ...random([1, 2, 8, 8], 23), ...DOUBLE }
  const found = throughSplit(graph, feeds, u, v)

  it('keeps its output', () => {
    const value = interpret(graph, feeds).get('denoised') as Values
    expect(distance(found.value.data, value.data)).toBeLessThan(1e-12)
  })

  it('has the JVP of finite differences, and the adjoint VJP', () => {
    const step = 1e-5
    const [ahead, behind] = [step, -step].map((h) => {
      const x = { ...feeds.x, data: feeds.x.data.map((value, i) => value + h * (u.data[i] as number)) }
      return (interpret(graph, { ...feeds, x }).get('denoised') as Values).data
    }) as [Float64Array, Float64Array]
    const difference = ahead.map((value, i) => (value - (behind[i] as number)) / (2 * step))
    expect(distance(found.jvp.data, difference)).toBeLessThan(1e-6)
    expect(Math.abs(dot(found.jvp, v) - dot(found.vjp, u))).toBeLessThan(1e-10)
  })

  it('leaves only what depends on the cotangent in the VJP model', () => {
    const { vjp, jvp, residuals } = found.split
    const elementwise = vjp?.nodes.filter(({ op }) =>
      ['Sigmoid', 'Exp', 'Log', 'Div', 'Sqrt', 'Softmax'].includes(op),
    )
    expect(elementwise?.map(({ op }) => op)).toEqual([])
    const nodes = specialize(graph, {}).graph.nodes.length
    expect(vjp?.nodes.length).toBeLessThan(2 * nodes)
    expect(jvp?.nodes.length).toBeLessThan(2 * nodes)
    const [numbers, sizes] = [residuals.map(({ name }) => name), residuals.map(({ type }) => type.shape)]
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(sizes.every((shape) => shape.length > 0)).toBe(true)
  })

  it('runs in ONNX Runtime in float32, to 1e-5', async () => {
    const single = (values: Values): Values => ({ ...values, type: 'float32' })
    const typed = specialize(smallUnet('float32'), {})
    const split = splitModel(typed, { input: 'x', output: 'denoised', derivatives: ['vjp', 'jvp'] })
    const held = await runOnnx(split.forward, { x: single(feeds.x), sigma: single(feeds.sigma) })
    const jvp = await runOnnx(split.jvp as Graph, { ...held, tangent: single(u) })
    const vjp = await runOnnx(split.vjp as Graph, { ...held, cotangent: single(v) })
    expect(distance((held.denoised as Values).data, found.value.data)).toBeLessThan(1e-5)
    expect(distance((jvp.result as Values).data, found.jvp.data)).toBeLessThan(1e-5)
    expect(distance((vjp.result as Values).data, found.vjp.data)).toBeLessThan(1e-5)
  })
})

describe('splitting', () => {
  const [u, v] = [
    { ...random([3], 1), ...DOUBLE },
    { ...random([3], 2), ...DOUBLE },
  ]
  const x = { ...random([3], 3), ...DOUBLE }

  it('differentiates with respect to weights that the file holds', () => {
    const port = { ...DOUBLE, shape: [3] }
    const graph: Graph = {
      ...graphOf([node('Mul', ['w', 'w'], ['square']), node('Mul', ['square', 'x'], ['y'])]),
      inputs: [{ name: 'x', ...port }],
      outputs: [{ name: 'y', ...port }],
      initializers: new Map([['w', encodeTensor({ ...port, data: Float64Array.of(1, 2, 3) })]]),
    }
    const { vjp, jvp } = throughSplit(graph, { x }, u, v, 'w')
    const slope = x.data.map((value, i) => 2 * (i + 1) * value)
    expect(
      distance(
        vjp.data,
        v.data.map((value, i) => value * (slope[i] as number)),
      ),
    ).toBeLessThan(1e-12)
    expect(
      distance(
        jvp.data,
        u.data.map((value, i) => value * (slope[i] as number)),
      ),
    ).toBeLessThan(1e-12)
  })

  it('keeps apart a model’s own names from those of the derivative', () => {
    // x · tanh(cotangent), all with names that the derivative models use.
    const graph = draw(
      17,
      { cotangent: [3], tangent: [3] },
      (build) => ({
        result: build.mul('cotangent', build.mul('cotangent', build.node('Tanh', ['tangent']))),
      }),
      'float64',
    )
    const { vjp, jvp } = throughSplit(graph, { cotangent: x, tangent: u }, u, v, 'cotangent')
    const slope = x.data.map((value, i) => 2 * value * Math.tanh(u.data[i] as number))
    expect(
      distance(
        vjp.data,
        v.data.map((value, i) => value * (slope[i] as number)),
      ),
    ).toBeLessThan(1e-12)
    expect(
      distance(
        jvp.data,
        u.data.map((value, i) => value * (slope[i] as number)),
      ),
    ).toBeLessThan(1e-12)
  })

  it.each(['result', 'tangent', 'cotangent'])('keeps apart a residual that is called "%s"', (name) => {
    // the derivative of a softmax needs its output as it is
    const graph: Graph = {
      ...graphOf([node('Softmax', ['x'], [name]), node('Mul', [name, 'two'], ['y'])], {
        two: { ...floats([1], [2]), ...DOUBLE },
      }),
      inputs: [{ name: 'x', type: 'float64', shape: [3] }],
      outputs: [{ name: 'y', type: 'float64', shape: [3] }],
    }
    const { vjp, jvp, split } = throughSplit(graph, { x }, u, v)
    const exps = x.data.map(Math.exp)
    const p = exps.map((value) => value / exps.reduce((a, b) => a + b))
    expect(split.residuals.length).toBeGreaterThan(0)
    for (const [found, { data }] of [
      [vjp, v],
      [jvp, u],
    ] as const) {
      const mean = data.reduce((sum, value, i) => sum + value * (p[i] as number), 0)
      const expected = data.map((value, i) => 2 * (p[i] as number) * (value - mean))
      expect(distance(found.data, expected)).toBeLessThan(1e-12)
    }
  })

  it('runs in ONNX Runtime whatever a file calls its nodes', async () => {
    // as old exporters do: operator and number; of values only the numbers
    const names = Array.from({ length: 30 }, (_, i) => `Mul_${i}`)
    const nodes = names.map((name, i) => {
      const [from, to] = [i === 0 ? 'x' : `${i}`, i === 29 ? 'y' : `${i + 1}`]
      return node(i % 2 ? 'Sigmoid' : 'Exp', [from], [to], { name })
    })
    const graph = graphOf([...nodes])
    const { forward, vjp } = splitModel(specialize(graph, {}), {
      input: 'x',
      output: 'y',
      derivatives: ['vjp'],
    })
    const values = { x: random([2, 3]), cotangent: random([2, 3], 2) }
    const held = await runOnnx(forward, values)
    const { result } = await runOnnx(vjp as Graph, { ...held, ...values })
    expect(result?.shape).toEqual([2, 3])
  })

  it('gives zero where the output does not depend on the input, and the seed for the identity', () => {
    const flat = draw(
      17,
      { x: [3], z: [3] },
      (build) => ({ y: build.add(build.node('Floor', ['x']), 'z') }),
      'float64',
    )
    expect(throughSplit(flat, { x, z: x }, u, v).vjp.data).toEqual(new Float64Array(3))
    const same = draw(17, { x: [3] }, () => ({ y: 'x' }), 'float64')
    expect(throughSplit(same, { x }, u, v)).toMatchObject({ vjp: { data: v.data }, jvp: { data: u.data } })
  })

  it('names every operator without a derivative on the way, and no other', () => {
    const graph = graphOf(
      [
        node('TopK', ['x', 'k'], ['largest', 'where'], { name: 'pick' }),
        node('TopK', ['x', 'k'], ['aside', 'nowhere']),
        node('Cast', ['nowhere'], ['zero'], { attributes: { to: { kind: 'int', value: 1 } } }),
        node('Add', ['largest', 'zero'], ['y']),
      ],
      { k: integers([1], [3]) },
    )
    const typed = specialize(graph, {})
    const split = () => splitModel(typed, { input: 'x', output: 'y', derivatives: ['vjp'] })
    expect(split).toThrow('No derivative is known of nodes[0] "pick" (TopK), on the way')
    expect(() => splitModel(typed, { input: 'x', output: 'z', derivatives: ['vjp'] })).toThrow(
      'no output "z"',
    )
  })

  it('lets integers cut the way', () => {
    const graph = graphOf([
      node('Cast', ['x'], ['whole'], { attributes: { to: { kind: 'int', value: 7 } } }),
      node('Cast', ['whole'], ['back'], { attributes: { to: { kind: 'int', value: 1 } } }),
      node('Mul', ['x', 'back'], ['y']),
    ])
    const split = splitModel(specialize(graph, {}), { input: 'x', output: 'y', derivatives: ['vjp'] })
    expect(split.vjp?.nodes.map(({ op }) => op)).toEqual(['Mul'])
    expect(split.residuals.map(({ name }) => name)).toEqual(['back'])
  })
})
