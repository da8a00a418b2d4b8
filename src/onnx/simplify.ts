/**
 * A model for one size of its inputs: every shape concrete, constants computed, and nothing left that does no work.
 *
 * Shape arithmetic (exporters write hundreds of such nodes), Identity, Dropout, dead and duplicate nodes go; operators that
 * the WebGPU provider computes wrongly or on the CPU are rewritten (OperatorRule.rewrite); float16 weights that are cast to
 * float32 become float32 weights, so that a GPU without shader-f16 can run the model.
 */
import { createBuilder } from './builder'
import { GraphDraft } from './draft'
import { ELEMENT_TYPE_CODES, isFloatCode } from './elementTypes'
import { typesIn } from './finish'
import { OnnxError } from './graph'
import type { Attribute, Graph, GraphNode, GraphTensor, ValueType } from './graph'
import { attempt, inferNode, unsupportedMessage, unsupportedOperators } from './infer'
import { viewNode } from './nodeView'
import { constantTensor } from './operators/constants'
import { ruleOf } from './registry'
import { convertFloats, isFloat } from './tensor'

export interface TypedGraph {
  /** Every dimension of its inputs and outputs is a number. */
  readonly graph: Graph
  /** Of every input, initializer and output of a node. */
  readonly types: ReadonlyMap<string, ValueType>
}

export interface SpecializeOptions {
  /** float16, bfloat16 and float64 become float32 throughout, inputs and outputs too. Default false. */
  readonly float32?: boolean
  /** Outputs to keep; default all. */
  readonly outputs?: readonly string[]
  /** Initializers that stay as they are, so that something can be differentiated with respect to them. */
  readonly variables?: readonly string[]
}

/**
 * @param inputTypes of the inputs by name; inputs without open dimensions may be left out
 * Errors: OnnxError where sizes do not fit the model, an operator is not known, or the graph is wrong.
 */
export function specialize(
  graph: Graph,
  inputTypes: Readonly<Record<string, ValueType>>,
  options: SpecializeOptions = {},
): TypedGraph {
  const source = options.float32 ? withFloat32(graph) : graph
  const wanted = options.outputs ?? source.outputs.map(({ name }) => name)
  const live = liveNodes(source, wanted)
  const unknown = unsupportedOperators({ ...source, nodes: live })
  if (unknown.length > 0) throw new OnnxError(unsupportedMessage(unknown))
  const draft = new GraphDraft(source.opset, { reserved: allNames(source) })
  for (const port of source.inputs) draft.addInput(port.name, inputType(port, inputTypes, options))
  const names = new Map<string, string>()
  const resolve = (name: string) => names.get(name) ?? name
  const used = new Set([...live.flatMap((node) => node.inputs), ...wanted])
  for (const [name, tensor] of source.initializers) {
    if (options.variables?.includes(name)) draft.addVariable(tensor, name)
    else if (used.has(name)) names.set(name, draft.addConstant(tensor, name))
  }
  for (const node of live) {
    const results = copyNode(draft, { ...node, inputs: node.inputs.map(resolve) }, used)
    for (const [i, name] of node.outputs.entries()) if (name !== '') names.set(name, results[i] as string)
  }
  const outputs = wanted.map((name) => {
    if (!draft.has(resolve(name)))
      throw new OnnxError(`The model has no value "${name}", which should be its output.`)
    return { name, value: resolve(name) }
  })
  const finished = draft.finish(source.name, outputs)
  return { graph: finished, types: typesIn(draft, finished) }
}

/** The outputs' names in the draft. */
function copyNode(draft: GraphDraft, node: GraphNode, used: ReadonlySet<string>): readonly string[] {
  const outputs = node.outputs.map((name) => (used.has(name) ? name : ''))
  const kept = outputs.slice(0, outputs.findLastIndex((name) => name !== '') + 1)
  const copy = { ...node, outputs: kept }
  const view = viewNode(copy, {
    opset: draft.opset,
    typeOf: (name) => (draft.has(name) ? draft.typeOf(name) : undefined),
    constantOf: (name) => draft.constantOf(name),
    outputTypes: () => types,
  })
  const types = inferNode(node, view)
  const tensor = constantTensor(view)
  if (tensor) return [draft.addConstant(tensor, kept[0])]
  if (node.op === 'Dropout' && kept.length === 1) return [node.inputs[0] as string]
  const rewritten = attempt(view, () => ruleOf(node)?.rewrite?.(view, createBuilder(draft)))
  return rewritten ?? draft.emit(copy)
}

function inputType(
  port: Graph['inputs'][number],
  given: Readonly<Record<string, ValueType>>,
  options: SpecializeOptions,
): ValueType {
  const declared = `[${port.shape.map((size) => (size === '' ? '?' : size)).join(', ')}]`
  const type = Object.hasOwn(given, port.name) ? given[port.name] : undefined
  if (!type) {
    if (port.shape.every((size) => typeof size === 'number')) return { type: port.type, shape: port.shape }
    throw new OnnxError(
      `The model's input "${port.name}" has open sizes ${declared}: say which it should have.`,
    )
  }
  const shape = `[${type.shape.join(', ')}]`
  // A model without declared shape takes any.
  const fits =
    type.shape.length === port.shape.length &&
    type.shape.every((size, i) => typeof port.shape[i] === 'string' || port.shape[i] === size)
  if (!fits) {
    throw new OnnxError(
      `The model's input "${port.name}" is ${declared} and cannot be ${shape}. Choose a size that the model takes.`,
    )
  }
  if (type.type !== port.type && !(options.float32 && isFloat(type.type))) {
    throw new OnnxError(`The model's input "${port.name}" is ${port.type}, not ${type.type}.`)
  }
  return { type: port.type, shape: type.shape }
}

function liveNodes(graph: Graph, outputs: readonly string[]): readonly GraphNode[] {
  const needed = new Set(outputs)
  const live: GraphNode[] = []
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => name !== '' && needed.has(name))) continue
    live.push(node)
    for (const name of node.inputs) if (name !== '') needed.add(name)
  }
  return live.toReversed()
}

function allNames(graph: Graph): ReadonlySet<string> {
  return new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ])
}

/** The graph with every floating-point type float32. */
function withFloat32(graph: Graph): Graph {
  const port = (each: Graph['inputs'][number]) =>
    isFloat(each.type) ? { ...each, type: 'float32' as const } : each
  const tensor = (each: GraphTensor) => (isFloat(each.type) ? convertFloats(each, 'float32') : each)
  const attribute = (name: string, value: Attribute): Attribute => {
    if (value.kind === 'tensor') return { kind: 'tensor', value: tensor(value.value) }
    const isType = value.kind === 'int' && ['to', 'dtype', 'stash_type'].includes(name)
    return isType && isFloatCode(value.value) ? { kind: 'int', value: ELEMENT_TYPE_CODES.float32 } : value
  }
  return {
    ...graph,
    inputs: graph.inputs.map(port),
    outputs: graph.outputs.map(port),
    initializers: new Map([...graph.initializers].map(([name, each]) => [name, tensor(each)])),
    nodes: graph.nodes.map((node) => ({
      ...node,
      attributes: Object.fromEntries(
        Object.entries(node.attributes).map(([name, value]) => [name, attribute(name, value)]),
      ),
    })),
  }
}
