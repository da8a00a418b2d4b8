/**
 * Nodes without functions and branches: calls of model-local functions become the function's nodes, and an If whose
 * condition is a constant becomes the branch that it takes. Exporters write both (torch.onnx's dynamo exporter, functions).
 */
import { OnnxError } from './graph'
import {
  AttributeProto_AttributeType as Kind,
  type AttributeProto,
  type FunctionProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
} from './proto/onnx_pb'

const DEEPEST = 32
/** A function that calls another twice, and so on, doubles with every level. */
const MOST_NODES = 100_000
/** Of a call's name, which stands before every name of its function. */
const LONGEST_PREFIX = 100

export interface Inlining {
  readonly functions: readonly FunctionProto[]
  /** The value of a condition, where it is a constant: an initializer of that name, or else `constant`. */
  constantCondition(name: string, constant: TensorProto | undefined): boolean | undefined
  /** Called with the constants of inlined branches, under their new names. */
  addInitializers(branch: GraphProto, rename: (name: string) => string): void
}

export function inlineNodes(nodes: readonly NodeProto[], inlining: Inlining): readonly NodeProto[] {
  const known = new Map(
    inlining.functions.map((each) => [keyOf(each.domain, each.name, each.overload), each]),
  )
  const result: NodeProto[] = []
  const constants = new Map<string, TensorProto>()
  let calls = 0
  const visit = (list: readonly NodeProto[], depth: number) => {
    if (depth > DEEPEST)
      throw new OnnxError(`The model's functions call each other more than ${DEEPEST} levels deep.`)
    for (const node of list) {
      const called = known.get(keyOf(node.domain, node.opType, node.overload))
      const prefix = `${(node.name || node.opType).slice(0, LONGEST_PREFIX)}/${calls}/`
      if (called) {
        calls++
        visit(callNodes(node, called, prefix), depth + 1)
      } else if (node.opType === 'If' && isStandard(node.domain)) {
        calls++
        visit(branchNodes(node, constants.get(node.input[0] ?? ''), prefix, inlining), depth + 1)
      } else {
        checkSubgraphs(node)
        const value =
          node.opType === 'Constant' ? node.attribute.find(({ name }) => name === 'value')?.t : undefined
        if (value) constants.set(node.output[0] ?? '', value)
        if (result.push(node) > MOST_NODES) {
          throw new OnnxError(
            `The model has more than ${MOST_NODES} nodes after its functions are written out.`,
          )
        }
      }
      if (calls > MOST_NODES) throw new OnnxError(`The model calls functions more than ${MOST_NODES} times.`)
    }
  }
  visit(nodes, 0)
  return result
}

export function isStandard(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx'
}

function keyOf(domain: string, name: string, overload: string): string {
  return JSON.stringify([isStandard(domain) ? '' : domain, name, overload])
}

function checkSubgraphs(node: NodeProto): void {
  const holds = node.attribute.some(
    ({ type, g }) => g !== undefined || type === Kind.GRAPH || type === Kind.GRAPHS,
  )
  if (!holds) return
  throw new OnnxError(
    `Node "${node.name}" (${node.opType}) runs other graphs, which this program cannot differentiate. ` +
      'Export the denoiser without loops and branches: one call of the network, with fixed sizes.',
  )
}

/** The function's nodes, with the call's values and attributes. */
function callNodes(call: NodeProto, called: FunctionProto, prefix: string): readonly NodeProto[] {
  const names = new Map<string, string>()
  for (const [i, name] of called.input.entries()) names.set(name, call.input[i] ?? '')
  for (const [i, name] of called.output.entries()) names.set(name, call.output[i] || `${prefix}${name}`)
  const given = new Map(called.attributeProto.map((each) => [each.name, each]))
  for (const each of call.attribute) given.set(each.name, each)
  return called.node.map((node) => renamedNode(node, names, prefix, given))
}

/** The nodes of the branch that an If takes. */
function branchNodes(
  node: NodeProto,
  constant: TensorProto | undefined,
  prefix: string,
  inlining: Inlining,
): readonly NodeProto[] {
  const condition = inlining.constantCondition(node.input[0] ?? '', constant)
  const wanted = condition ? 'then_branch' : 'else_branch'
  const branch = node.attribute.find(({ name }) => name === wanted)?.g
  if (condition === undefined || !branch) {
    throw new OnnxError(
      `Node "${node.name}" (If) chooses between two graphs while the model runs, which this program cannot differentiate. ` +
        'Export the model with fixed sizes, so that the choice is made when it is exported.',
    )
  }
  const own = new Set([
    ...branch.initializer.map(({ name }) => name),
    ...branch.node.flatMap(({ output }) => output),
  ])
  const names = new Map([...own].map((name) => [name, `${prefix}${name}`]))
  // A value of the outer graph may itself be an output; then a node hands it on.
  const handed: NodeProto[] = []
  for (const [i, output] of branch.output.entries()) {
    const target = node.output[i]
    if (!target) continue
    const inner = names.get(output.name)
    const computed = branch.node.some((each) => each.output.includes(output.name))
    if (computed && inner?.startsWith(prefix)) names.set(output.name, target)
    else
      handed.push(
        changed(node, { opType: 'Identity', input: [inner ?? output.name], output: [target], attribute: [] }),
      )
  }
  inlining.addInitializers(branch, (name) => names.get(name) ?? name)
  const nodes = branch.node.map((each) =>
    changed(each, {
      name: `${prefix}${each.name}`,
      input: each.input.map((name) => names.get(name) ?? name),
      output: each.output.map((name) => names.get(name) ?? name),
    }),
  )
  return [...nodes, ...handed]
}

function renamedNode(
  node: NodeProto,
  names: ReadonlyMap<string, string>,
  prefix: string,
  attributes: ReadonlyMap<string, AttributeProto>,
): NodeProto {
  const rename = (name: string) => (name === '' ? '' : (names.get(name) ?? `${prefix}${name}`))
  return changed(node, {
    name: `${prefix}${node.name}`,
    input: node.input.map(rename),
    output: node.output.map(rename),
    attribute: node.attribute.flatMap((each) => {
      if (!each.refAttrName) return [each]
      const given = attributes.get(each.refAttrName)
      // Not given and without default: the node's attribute is absent too.
      return given ? [changed(given, { name: each.name })] : []
    }),
  })
}

/** A copy with other fields. Messages keep the defaults of fields that are not set in their prototype. */
function changed<T extends object>(message: T, fields: Partial<T>): T {
  return Object.assign(Object.create(Object.getPrototypeOf(message)) as T, message, fields)
}
