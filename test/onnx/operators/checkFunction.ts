/**
 * What a function written as several nodes must pass: an operator that is rewritten, or a block of a network.
 *
 * Its derivative nodes agree with central differences in float64 and with each other, ⟨v, J u⟩ = ⟨Jᵀ v, u⟩; and ONNX Runtime
 * gives the interpreter's numbers in float32, of a rewritten operator also where it runs the original.
 */
import { expect } from 'vitest'
import { createBuilder, encodeAttributes } from '../../../src/onnx/builder'
import { forward, reverse } from '../../../src/onnx/derivatives'
import { GraphDraft } from '../../../src/onnx/draft'
import type { Graph, Values } from '../../../src/onnx/graph'
import { interpret } from '../../../src/onnx/interpret'
import { ruleOf } from '../../../src/onnx/registry'
import type { Builder } from '../../../src/onnx/rule'
import { encodeTensor, isFloat } from '../../../src/onnx/tensor'
import { distance, random, runOnnx } from '../checkRule'
import type { RuleCheck } from '../checkRule'

const STEP = 1e-5

export interface FunctionCheck {
  readonly inputs: readonly (Values | undefined)[]
  readonly opset?: number
  /** Inputs that are initializers. */
  readonly constants?: readonly number[]
  /** Inputs to differentiate with respect to; default: all floating-point inputs that are not constants. */
  readonly wanted?: readonly number[]
  /** The function, for ONNX Runtime 1e-5 unless given. */
  readonly tolerance?: number
  define(build: Builder, inputs: readonly (string | undefined)[]): string
}

/** Checks the nodes that an operator is rewritten to, and that they compute the operator. */
export async function checkFunction(op: string, check: RuleCheck): Promise<void> {
  const original = ruleOf({ op, domain: '' })
  const attributes = encodeAttributes(check.attributes ?? {})
  const write = (isRewritten: boolean) => (draft: GraphDraft, inputs: readonly (string | undefined)[]) => {
    const before = draft.nodes.length
    const [plain] = draft.emit({ op, inputs, outputs: 1, attributes })
    const node = draft.nodes[before]
    if (!isRewritten || !node) return plain!
    const names = original?.rewrite?.(draft.viewOf(node), createBuilder(draft))
    expect(names, `${op} is rewritten`).toHaveLength(1)
    return names![0]!
  }
  const plain = evaluateIn('float64', check, write(false))
  const rewritten = await checkNodes(check, write(true))
  expect(distance(rewritten.data, plain.data), 'the rewritten nodes').toBeLessThan(1e-12)
  expect({ type: rewritten.type, shape: rewritten.shape }).toEqual({ type: plain.type, shape: plain.shape })
  if (check.runtimes ?? true) {
    const { graph, feeds } = assemble('float32', check, write(false), false)
    const found = (await runOnnx(graph, feeds))['y']!
    expect(distance(found.data, plain.data), `${op} in ONNX Runtime`).toBeLessThan(1e-5)
  }
}

/** Checks a block of a network. */
export async function checkBlock(check: FunctionCheck): Promise<void> {
  await checkNodes(check, (draft, inputs) => check.define(createBuilder(draft), inputs), check.tolerance)
}

type Write = (draft: GraphDraft, inputs: readonly (string | undefined)[]) => string
type Inputs = Pick<FunctionCheck, 'inputs' | 'opset' | 'constants' | 'wanted'>

interface Assembled {
  readonly graph: Graph
  readonly feeds: Record<string, Values>
  readonly wanted: readonly string[]
}

function assemble(
  type: 'float32' | 'float64',
  check: Inputs,
  write: Write,
  differentiates: boolean,
): Assembled {
  const draft = new GraphDraft(check.opset ?? 18)
  const feeds: Record<string, Values> = {}
  const inputs = check.inputs.map((given, i) => {
    if (!given) return undefined
    const values = isFloat(given.type) ? { ...given, type } : given
    if (check.constants?.includes(i)) return draft.addConstant(encodeTensor(values), `x${i}`)
    feeds[`x${i}`] = values
    return draft.addInput(`x${i}`, values)
  })
  const y = write(draft, inputs)
  const wanted = Object.keys(feeds).filter(
    (name) =>
      isFloat(feeds[name]!.type) && (check.wanted ?? [...inputs.keys()]).includes(Number(name.slice(1))),
  )
  const shown = [{ name: 'y', value: y }]
  if (differentiates && wanted.length > 0) {
    const seed = (name: string, like: string, number: number) => {
      feeds[name] = { ...random(draft.typeOf(like).shape, number), type }
      return draft.addInput(name, draft.typeOf(like), 'linear')
    }
    const tangents = new Map(wanted.map((name, i) => [name, seed(`tangent of ${name}`, name, 100 + i)]))
    const cotangents = new Map([[y, seed('cotangent', y, 200)]])
    const [jvp] = forward(draft, [y], tangents)
    shown.push({ name: 'jvp', value: jvp! })
    for (const [i, value] of reverse(draft, wanted, cotangents).entries()) {
      shown.push({ name: `vjp of ${wanted[i]}`, value: value! })
    }
  }
  return { graph: draft.finish('function', shown), feeds, wanted: differentiates ? wanted : [] }
}

function evaluateIn(type: 'float32' | 'float64', check: Inputs, write: Write): Values {
  const { graph, feeds } = assemble(type, check, write, false)
  return interpret(graph, feeds).get('y')!
}

async function checkNodes(check: Inputs, write: Write, tolerance = 1e-5): Promise<Values> {
  const { graph, feeds, wanted } = assemble('float64', check, write, true)
  const here = interpret(graph, feeds)
  if (wanted.length > 0) {
    const shifted = (sign: number) => {
      const moved = { ...feeds }
      for (const name of wanted) {
        const [x, tangent] = [feeds[name]!, feeds[`tangent of ${name}`]!.data]
        moved[name] = { ...x, data: x.data.map((value, i) => value + sign * STEP * tangent[i]!) }
      }
      return interpret(graph, moved).get('y')!.data
    }
    const [ahead, behind] = [shifted(1), shifted(-1)]
    const differences = ahead.map((value, i) => (value - behind[i]!) / (2 * STEP))
    const jvp = here.get('jvp')!.data
    expect(distance(jvp, differences), 'JVP against central differences').toBeLessThan(1e-6)
    const forwards = dot(jvp, feeds['cotangent']!.data)
    const backwards = wanted
      .map((name) => dot(here.get(`vjp of ${name}`)!.data, feeds[`tangent of ${name}`]!.data))
      .reduce((a, b) => a + b, 0)
    const size = Math.sqrt(dot(jvp, jvp) * dot(feeds['cotangent']!.data, feeds['cotangent']!.data))
    expect(Math.abs(forwards - backwards) / size, '⟨v, Ju⟩ - ⟨Jᵀv, u⟩').toBeLessThan(1e-10)
  }
  const single = assemble('float32', check, write, true)
  const expected = interpret(single.graph, single.feeds)
  const found = await runOnnx(single.graph, single.feeds)
  for (const { name } of single.graph.outputs) {
    const error = distance(found[name]!.data, expected.get(name)!.data)
    expect(error, `${name} in ONNX Runtime`).toBeLessThan(tolerance)
  }
  return here.get('y')!
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}
