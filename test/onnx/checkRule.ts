/**
 * What every operator's rule must pass, in one call.
 *
 * With f the operator, in float64 by its own reference: inferred types equal those of the values; J u (the JVP nodes)
 * equals central differences of f; ⟨v, J u⟩ = ⟨Jᵀ v, u⟩ (the VJP nodes), for all inputs together and each alone. The same
 * nodes in float32, with and without simplification, then run in ONNX Runtime and must give the interpreter's numbers.
 */
import * as ort from 'onnxruntime-node'
import { expect } from 'vitest'
import { createBuilder, encodeAttributes } from '../../src/onnx/builder'
import { forward, reverse } from '../../src/onnx/derivatives'
import { GraphDraft } from '../../src/onnx/draft'
import type { ElementType, Graph, GraphNode, Values } from '../../src/onnx/graph'
import { interpret } from '../../src/onnx/interpret'
import { ruleOf } from '../../src/onnx/registry'
import type { AttributeValues } from '../../src/onnx/rule'
import { encodeTensor, isFloat } from '../../src/onnx/tensor'
import { writeModel } from '../../src/onnx/write'

export interface RuleCheck {
  /** undefined where an optional input is omitted. Floating-point inputs are checked in float64 and in float32. */
  readonly inputs: readonly (Values | undefined)[]
  readonly attributes?: AttributeValues
  readonly opset?: number
  /** How many outputs the node has; default 1. */
  readonly outputs?: number
  /** Inputs to differentiate with respect to; default: all floating-point inputs that are not constants. */
  readonly wanted?: readonly number[]
  /** Inputs that are initializers. */
  readonly constants?: readonly number[]
  /** Whether ONNX Runtime runs it too; off where its CPU provider lacks the operator. */
  readonly runtimes?: boolean
}

const STEP = 1e-5

/** Float values from numbers; `random` makes them. */
export function floats(shape: readonly number[], data: Iterable<number>): Values {
  return { type: 'float32', shape, data: Float64Array.from(data) }
}

/** int64 values. */
export function integers(shape: readonly number[], data: Iterable<number>): Values {
  return { type: 'int64', shape, data: Float64Array.from(data) }
}

/** Numbers in [low, high), exact in float32, the same for the same seed. */
export function random(shape: readonly number[], seed = 1, low = -1, high = 1): Values {
  let state = seed >>> 0
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 8) / 2 ** 24
  }
  const size = shape.reduce((product, length) => product * length, 1)
  return floats(
    shape,
    Array.from({ length: size }, () => Math.fround(low + (high - low) * next())),
  )
}

/** Fails (vitest's expect) where a rule is wrong; the message says what differs. */
export async function checkRule(op: string, check: RuleCheck): Promise<void> {
  const exact = build(op, check, 'float64', false)
  expect(exact.wanted.length === 0 && check.wanted !== undefined, 'nothing to differentiate').toBe(false)
  const values = interpret(exact.graph, exact.feeds)
  for (const { name, type, shape } of exact.graph.outputs) {
    const value = values.get(name)
    expect({ name, type: value?.type, shape: value?.shape }).toEqual({ name, type, shape })
    expect(value?.data.length, `elements of ${name}`).toBe(
      shape.reduce<number>((n, size) => n * Number(size), 1),
    )
  }
  checkDifferences(exact)
  checkAdjoint(exact)
  for (const simplifies of [true, false]) {
    const single = build(op, check, 'float32', simplifies)
    if (ruleOf({ op, domain: '' })?.rewrite && simplifies) checkRewrite(single, exact)
    if (check.runtimes ?? true) await checkRuntime(single)
  }
}

interface Built {
  readonly graph: Graph
  readonly node: GraphNode
  readonly feeds: Readonly<Record<string, Values>>
  readonly outputs: readonly string[]
  /** Names of the inputs to differentiate with respect to. */
  readonly wanted: readonly string[]
}

/** One graph: the node, `jvp of <output>` from all tangents, `vjp of <input>` from all cotangents. */
function build(op: string, check: RuleCheck, type: 'float32' | 'float64', simplifies: boolean): Built {
  const draft = new GraphDraft(check.opset ?? 17, { simplifies })
  const feeds: Record<string, Values> = {}
  const typed = (values: Values): Values => (isFloat(values.type) ? { ...values, type } : values)
  const inputs = check.inputs.map((given, i) => {
    if (!given) return ''
    const values = typed(given)
    if (check.constants?.includes(i)) return draft.addConstant(encodeTensor(values), `in${i}`)
    feeds[`in${i}`] = values
    return draft.addInput(`in${i}`, { type: values.type, shape: values.shape })
  })
  const names = Array.from({ length: check.outputs ?? 1 }, (_, i) => `out${i}`)
  const attributes = encodeAttributes(check.attributes ?? {})
  const outputs = draft.emit({ op, inputs, outputs: names, attributes })
  const differentiable = (name: string) => feeds[name] !== undefined && isFloat(feeds[name].type)
  const wanted = (check.wanted?.map((i) => inputs[i] as string) ?? inputs).filter(differentiable)
  const active = ruleOf({ op, domain: '' })?.derivative === 'none' ? [] : wanted
  const seeds = outputs.filter((name) => isFloat(draft.typeOf(name).type))
  const shown = outputs.map((name, i) => ({ name: `out${i}`, value: name }))
  if (active.length > 0) {
    const add = (stem: string, name: string, seed: number) => {
      const like = draft.typeOf(name)
      const input = `${stem} of ${name}`
      feeds[input] = { ...random(like.shape, seed), type: like.type }
      return draft.addInput(input, like, 'linear')
    }
    const tangents = new Map(active.map((name, i) => [name, add('tangent', name, 100 + i)]))
    const cotangents = new Map(seeds.map((name, i) => [name, add('cotangent', name, 200 + i)]))
    const zeros = (like: string) => createBuilder(draft).zeros(draft.typeOf(like))
    for (const [i, value] of forward(draft, seeds, tangents).entries()) {
      shown.push({ name: `jvp of ${seeds[i]}`, value: value ?? zeros(seeds[i] as string) })
    }
    for (const [i, value] of reverse(draft, active, cotangents).entries()) {
      shown.push({ name: `vjp of ${active[i]}`, value: value ?? zeros(active[i] as string) })
    }
    // Each input alone, with the others' cotangents not wanted.
    if (active.length > 1) {
      for (const name of active) {
        const value = reverse(draft, [name], cotangents)[0] ?? zeros(name)
        shown.push({ name: `vjp of ${name} alone`, value })
      }
    }
  }
  const node = draft.nodes[0] ?? { op, domain: '', name: op, inputs, outputs: names, attributes }
  return { graph: draft.finish(op, shown), node, feeds, outputs: names, wanted: active }
}

function checkDifferences({ graph, feeds, outputs, wanted }: Built): void {
  if (wanted.length === 0) return
  const shifted = (sign: number) => {
    const moved: Record<string, Values> = { ...feeds }
    for (const name of wanted) {
      const [value, tangent] = [feeds[name] as Values, feeds[`tangent of ${name}`] as Values]
      moved[name] = {
        ...value,
        data: value.data.map((x, i) => x + sign * STEP * (tangent.data[i] as number)),
      }
    }
    return interpret(graph, moved)
  }
  const [ahead, behind, here] = [shifted(1), shifted(-1), interpret(graph, feeds)]
  for (const output of outputs) {
    const jvp = here.get(`jvp of ${output}`)
    if (!jvp) continue
    const [a, b] = [ahead.get(output) as Values, behind.get(output) as Values]
    const difference = a.data.map((x, i) => (x - (b.data[i] as number)) / (2 * STEP))
    expect(distance(jvp.data, difference), `JVP of ${output} against central differences`).toBeLessThan(1e-6)
  }
}

function checkAdjoint({ graph, feeds, outputs, wanted }: Built): void {
  if (wanted.length === 0) return
  const values = interpret(graph, feeds)
  let [forwards, size] = [0, 1e-300]
  for (const output of outputs) {
    const [jvp, cotangent] = [values.get(`jvp of ${output}`), feeds[`cotangent of ${output}`]]
    if (!jvp || !cotangent) continue
    forwards += dot(jvp.data, cotangent.data)
    size += norm(jvp.data) * norm(cotangent.data)
  }
  let backwards = 0
  for (const name of wanted) {
    const vjp = values.get(`vjp of ${name}`) as Values
    backwards += dot(vjp.data, (feeds[`tangent of ${name}`] as Values).data)
    const alone = values.get(`vjp of ${name} alone`)
    if (alone) expect(distance(alone.data, vjp.data), `VJP of ${name} alone`).toBeLessThan(1e-12)
  }
  expect(
    Math.abs(forwards - backwards) / size,
    `⟨v, Ju⟩ = ${forwards}, ⟨Jᵀv, u⟩ = ${backwards}`,
  ).toBeLessThan(1e-10)
}

/** The rewritten node has the same values. */
function checkRewrite(built: Built, exact: Built): void {
  const draft = new GraphDraft(built.graph.opset)
  for (const [name, tensor] of exact.graph.initializers) draft.addConstant(tensor, name)
  for (const { name, type, shape } of exact.graph.inputs) {
    if (!/^in\d/.test(name)) continue
    draft.addInput(name, { type, shape: shape.map(Number) })
  }
  const view = { ...exact.node }
  const constants = new Map(exact.graph.initializers)
  for (const name of view.inputs)
    if (name !== '' && !draft.has(name)) draft.addConstant(constants.get(name)!, name)
  for (const name of draft.emit({ ...view, outputs: exact.outputs.length })) void name
  const original = draft.nodes.at(-1)
  if (!original) return
  const names = ruleOf(original)?.rewrite?.(draft.viewOf(original), createBuilder(draft))
  if (!names) return
  const shown = names.map((value, i) => ({ name: `out${i}`, value }))
  const rewritten = interpret(draft.finish('rewritten', shown), exact.feeds)
  const values = interpret(exact.graph, exact.feeds)
  for (const { name } of shown) {
    const [a, b] = [rewritten.get(name) as Values, values.get(name) as Values]
    expect({ type: a.type, shape: a.shape }, `rewritten ${name}`).toEqual({ type: b.type, shape: b.shape })
    expect(distance(a.data, b.data), `rewritten ${name}`).toBeLessThan(1e-12)
  }
}

/** ONNX Runtime's CPU provider gives the interpreter's numbers to 1e-5, relative in norm. */
async function checkRuntime({ graph, feeds }: Built): Promise<void> {
  const expected = interpret(graph, feeds)
  const found = await runOnnx(graph, feeds)
  for (const { name, type } of graph.outputs) {
    const [a, b] = [found[name] as Values, expected.get(name) as Values]
    expect({ name, type: a.type, shape: a.shape }).toEqual({ name, type, shape: b.shape })
    expect(distance(a.data, b.data), `${name} in ONNX Runtime`).toBeLessThan(1e-5)
  }
}

/** Runs a graph on ONNX Runtime's CPU provider. */
export async function runOnnx(
  graph: Graph,
  feeds: Readonly<Record<string, Values>>,
): Promise<Record<string, Values>> {
  const session = await ort.InferenceSession.create(writeModel(graph), {
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  })
  try {
    const used = graph.inputs.map(({ name }) => [name, toTensor(feeds[name] as Values)] as const)
    const results = await session.run(Object.fromEntries(used))
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromTensor(tensor)]))
  } finally {
    await session.release()
  }
}

function toTensor(values: Values): ort.Tensor {
  const { bytes } = encodeTensor(values)
  const buffer = bytes.slice().buffer
  const make: Partial<Record<ElementType, () => ort.Tensor>> = {
    float32: () => new ort.Tensor('float32', new Float32Array(buffer), values.shape),
    float64: () => new ort.Tensor('float64', new Float64Array(buffer), values.shape),
    int64: () => new ort.Tensor('int64', new BigInt64Array(buffer), values.shape),
    int32: () => new ort.Tensor('int32', new Int32Array(buffer), values.shape),
    uint8: () => new ort.Tensor('uint8', new Uint8Array(buffer), values.shape),
    bool: () => new ort.Tensor('bool', new Uint8Array(buffer), values.shape),
  }
  const maker = make[values.type]
  if (!maker) throw new Error(`The harness cannot feed ${values.type}.`)
  return maker()
}

function fromTensor(tensor: ort.Tensor): Values {
  const data = tensor.data as ArrayLike<number | bigint>
  return {
    type: tensor.type as ElementType,
    shape: [...tensor.dims],
    data: Float64Array.from({ length: data.length }, (_, i) => Number(data[i])),
  }
}

/** ‖a - b‖ / max(‖b‖, 1); equal NaN and infinite entries count as equal. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity
  let [difference, size] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number]
    if (Object.is(x, y) && !Number.isFinite(x)) continue
    difference += (x - y) ** 2
    size += y ** 2
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(size), 1)
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] as number), 0)
}

function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a))
}
