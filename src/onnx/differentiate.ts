/**
 * One model split in two: a *forward* model (the output, and the residuals that derivatives need), and models of Jᵀ v and
 * J u that take the residuals, so that k products with J at one x cost one forward pass.
 *
 * Every node of the derivative that depends on neither cotangent nor tangent moves to the forward model. Not residuals, but
 * copied: constants, what follows from constants alone, and changes of shape.
 */
import { forward, reverse } from './derivatives'
import { createBuilder } from './builder'
import { GraphDraft } from './draft'
import { renamedNode } from './finish'
import { OnnxError } from './graph'
import type { Graph, GraphNode, ValueType } from './graph'
import type { TypedGraph } from './simplify'
import { elementCount, isFloat } from './tensor'

export type DerivativeMode = 'vjp' | 'jvp'

export interface SplitModel {
  /** Inputs as the model's; outputs: `output`, then the residuals. */
  readonly forward: Graph
  /** Inputs: residuals (the needed ones of the list) and `cotangent`, like the output; output `result`, like the input. */
  readonly vjp?: Graph
  /** Inputs: residuals and `tangent`, like the input; output `result`, like the output. */
  readonly jvp?: Graph
  readonly residuals: readonly { readonly name: string; readonly type: ValueType }[]
}

export interface SplitRequest {
  /** What is differentiated with respect to: an input, or an initializer (see SpecializeOptions.variables). */
  readonly input: string
  readonly output: string
  readonly derivatives: readonly DerivativeMode[]
}

/** What v or u is called in the models of the products. */
export const SEEDS = { vjp: 'cotangent', jvp: 'tangent' } as const
const RESULT = 'result'
/** Computed again rather than kept: they move or repeat numbers. */
const VIEWS = new Set(['Reshape', 'Expand', 'Identity'])

/** Errors: OnnxError where input or output do not exist or are integers, or a derivative is not known. */
export function splitModel(typed: TypedGraph, request: SplitRequest): SplitModel {
  const draft = adoptedDraft(typed, request.input)
  const input = floatType(draft, request.input, 'input')
  const output = floatType(draft, request.output, 'output')
  const values = new Set(typed.graph.nodes.flatMap((node) => node.outputs))
  const results = request.derivatives.map((mode) => {
    const seed = draft.addInput(draft.freshName(SEEDS[mode]), mode === 'vjp' ? output : input, 'linear')
    const found =
      mode === 'vjp'
        ? reverse(draft, [request.input], new Map([[request.output, seed]]), values)[0]
        : forward(draft, [request.output], new Map([[request.input, seed]]), values)[0]
    const like = mode === 'vjp' ? input : output
    return { mode, seed, value: found ?? createBuilder(draft).zeros(like) }
  })
  const inputs = typed.graph.inputs
  const needs = results.map(({ value }) => neededValues(draft, value, inputs))
  const held = heldNames(draft, new Set(needs.flat()), [request.output, ...inputs.map(({ name }) => name)])
  const outputs = [{ name: request.output, value: request.output }]
  for (const [value, name] of held) outputs.push({ name, value })
  const models = results.map(({ mode, seed, value }, i) => {
    const ports = [...(needs[i] as readonly string[]), seed].map((name) => draft.portOf(name))
    const shown = draft.freshName(RESULT)
    const graph = draft.finish(`${typed.graph.name} ${mode}`, [{ name: shown, value }], ports)
    const names = new Map([...held, [seed, SEEDS[mode]], [shown, RESULT]])
    return [mode, renamed(draft, graph, names)] as const
  })
  return {
    forward: draft.finish(`${typed.graph.name} forward`, outputs, inputs),
    residuals: [...held].map(([value, name]) => ({ name, type: draft.typeOf(value) })),
    ...Object.fromEntries(models),
  }
}

function adoptedDraft({ graph, types }: TypedGraph, variable: string): GraphDraft {
  const draft = new GraphDraft(graph.opset, { reserved: types.keys() })
  for (const { name } of graph.inputs) draft.addInput(name, types.get(name) as ValueType)
  for (const [name, tensor] of graph.initializers) {
    if (name === variable) draft.addVariable(tensor, name)
    else draft.adoptConstant(tensor, name)
  }
  for (const node of graph.nodes)
    draft.adopt(
      node,
      node.outputs.map((name) => types.get(name)),
    )
  return draft
}

function floatType(draft: GraphDraft, name: string, role: string): ValueType {
  if (!draft.has(name)) throw new OnnxError(`The model has no ${role} "${name}" to differentiate.`)
  const type = draft.typeOf(name)
  if (isFloat(type.type)) return type
  throw new OnnxError(
    `The model's ${role} "${name}" is of type ${type.type}: only floating-point numbers have derivatives.`,
  )
}

/** Values that a derivative model takes from the forward model, in the order in which they are computed. */
function neededValues(draft: GraphDraft, result: string, inputs: Graph['inputs']): readonly string[] {
  const varying = varyingValues(draft, inputs)
  const residuals = new Set<string>()
  const visited = new Set<string>()
  const pending = [result]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || visited.has(name)) continue
    visited.add(name)
    const node = draft.producerOf(name)
    const copied = node && (draft.isLinear(name) || !varying.has(name) || isView(draft, node))
    if (copied) pending.push(...node.inputs)
    else if (varying.has(name)) residuals.add(name)
  }
  // A transpose of something that is kept anyway need not be kept too.
  for (const name of residuals) {
    const node = draft.producerOf(name)
    if (node?.op === 'Transpose' && residuals.has(node.inputs[0] as string)) residuals.delete(name)
  }
  const order = [...inputs.map(({ name }) => name), ...draft.nodes.flatMap(({ outputs }) => outputs)]
  return order.filter((name) => residuals.has(name))
}

/** Values that depend on the model's inputs, and on no cotangent or tangent. */
function varyingValues(draft: GraphDraft, inputs: Graph['inputs']): ReadonlySet<string> {
  const varying = new Set(inputs.map(({ name }) => name))
  for (const node of draft.nodes) {
    if (!node.inputs.some((name) => varying.has(name))) continue
    for (const name of node.outputs) if (name !== '' && !draft.isLinear(name)) varying.add(name)
  }
  return varying
}

function isView(draft: GraphDraft, node: GraphNode): boolean {
  if (VIEWS.has(node.op)) return true
  if (node.op !== 'Cast') return false
  const [from, to] = [node.inputs[0] as string, node.outputs[0] as string].map((name) => draft.typeOf(name))
  return from !== undefined && to !== undefined && isFloat(from.type) && elementCount(from.shape) > 0
}

/** Names of the residuals among the forward model's outputs: their own, but a copy of an input or output has another. */
function heldNames(
  draft: GraphDraft,
  residuals: ReadonlySet<string>,
  taken: readonly string[],
): ReadonlyMap<string, string> {
  const reserved = new Set<string>([RESULT, ...Object.values(SEEDS), ...taken])
  return new Map(
    [...residuals].map((name) => [name, reserved.has(name) ? draft.freshName('residual') : name]),
  )
}

/** The graph with other names for some values; a value that has one of the new names by chance makes room. */
function renamed(draft: GraphDraft, graph: Graph, names: ReadonlyMap<string, string>): Graph {
  const occupied = new Set(names.values())
  const moved = new Map(names)
  const rename = (name: string): string => {
    if (name === '') return ''
    const known = moved.get(name)
    if (known !== undefined) return known
    const chosen = occupied.has(name) ? draft.freshName(name) : name
    moved.set(name, chosen)
    return chosen
  }
  return {
    ...graph,
    inputs: graph.inputs.map((port) => ({ ...port, name: rename(port.name) })),
    outputs: graph.outputs.map((port) => ({ ...port, name: rename(port.name) })),
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [rename(name), tensor])),
    nodes: graph.nodes.map((node) => renamedNode(node, rename)),
  }
}
