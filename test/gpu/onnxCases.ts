/**
 * Operators, their rewritten nodes and their derivatives in ONNX Runtime's WebGPU provider, against the float64 interpreter.
 * All cases are one model, because each session takes seconds on a software driver.
 */
import { expect } from 'vitest'
import { createBuilder } from '../../src/onnx/builder'
import { forward, reverse } from '../../src/onnx/derivatives'
import { GraphDraft } from '../../src/onnx/draft'
import type { Values } from '../../src/onnx/graph'
import { interpret } from '../../src/onnx/interpret'
import { ruleOf } from '../../src/onnx/registry'
import type { AttributeValues } from '../../src/onnx/rule'
import { nodeWebGpuRuntime } from '../../src/onnx/session/nodeRuntimes'
import { encodeTensor, isFloat } from '../../src/onnx/tensor'
import { writeModel } from '../../src/onnx/write'
import { distance, random } from '../onnx/checkRule'
import { gpu, openTestDevice } from './adapter'

export interface Case {
  readonly op: string
  /** undefined where an optional input is omitted. */
  readonly inputs: readonly (Values | undefined)[]
  readonly attributes?: AttributeValues
  /** Inputs that are initializers; default: those that are not floating-point. */
  readonly constants?: readonly number[]
  readonly outputs?: number
}

/** Writes a case into the model; adds its feeds, and returns the outputs to compare. */
function writeCase(
  draft: GraphDraft,
  { op, inputs, attributes, constants, outputs = 1 }: Case,
  feeds: Record<string, Values>,
) {
  const build = createBuilder(draft)
  const label = `${op} ${draft.nodes.length}`
  const feed = (values: Values, role?: 'linear') => {
    const name = draft.addInput(draft.freshName('in'), values, role)
    feeds[name] = values
    return name
  }
  const isConstant = (i: number) => constants?.includes(i) ?? !isFloat(inputs[i]!.type)
  const names = inputs.map((values, i) => {
    if (!values) return undefined
    return isConstant(i) ? draft.addConstant(encodeTensor(values)) : feed(values)
  })
  const before = draft.nodes.length
  const plain = build.nodes(op, names, outputs, attributes)
  const node = draft.nodes[before]!
  const ys = ruleOf(node)!.rewrite?.(draft.viewOf(node), build) ?? plain
  const active = names.filter((name, i) => name !== undefined && !isConstant(i)) as string[]
  const tangents = new Map(
    active.map((name, i) => [name, feed(random(draft.typeOf(name).shape, 100 + i), 'linear')]),
  )
  const cotangents = new Map(ys.map((y, i) => [y, feed(random(draft.typeOf(y).shape, 200 + i), 'linear')]))
  return [
    ...ys.map((value, i) => ({ name: `${label} output ${i}`, value })),
    ...forward(draft, ys, tangents).map((value, i) => ({ name: `${label} JVP ${i}`, value: value! })),
    ...reverse(draft, active, cotangents).map((value, i) => ({ name: `${label} VJP ${i}`, value: value! })),
  ]
}

/** Opens the device for the whole file. The check fails where a node leaves the GPU or an error passes the tolerance. */
export async function openRuleChecks(): Promise<
  (cases: readonly Case[], tolerance: number) => Promise<void>
> {
  const runtime = await nodeWebGpuRuntime(gpu, await openTestDevice())
  return async (cases, tolerance) => {
    const draft = new GraphDraft(23)
    const feeds: Record<string, Values> = {}
    const shown = cases.flatMap((each) => writeCase(draft, each, feeds))
    const graph = draft.finish('rules', shown)
    const expected = interpret(graph, feeds)
    const session = await runtime.session(writeModel(graph), 'the rules')
    expect(session.usesCpu).toBe(false)
    const tensors = graph.inputs.map(({ name }) => {
      const values = feeds[name]!
      return [name, runtime.tensor(values, encodeTensor(values).bytes)] as const
    })
    const found = await session.run(
      Object.fromEntries(tensors),
      shown.map(({ name }) => name),
    )
    const wrong: string[] = []
    for (const { name } of shown) {
      const data = (await found[name]!.getData()) as Float32Array
      const error = distance(data, expected.get(name)!.data)
      if (!(error < tolerance)) wrong.push(`${name}: ${error}`)
    }
    expect(wrong).toEqual([])
    await session.release()
  }
}
