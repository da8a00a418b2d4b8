/**
 * A graph in the making: every value's type is known as soon as its node is written.
 *
 * On the way in, nodes whose inputs are known are computed (within limits, so that a hostile file cannot exhaust memory or
 * time), nodes that were written before are reused, and algebra that needs no computation is done (src/onnx/peephole.ts).
 */
import { finishGraph } from './finish'
import type { NamedValue } from './finish'
import { Folding } from './folding'
import { OnnxError } from './graph'
import type { Attribute, Graph, GraphNode, GraphPort, GraphTensor, Values, ValueType } from './graph'
import { inferNode } from './infer'
import { viewNode } from './nodeView'
import { simplified } from './peephole'
import type { NodeView } from './rule'
import { decodeTensor, isDecodable } from './tensor'

/** Elements of decoded constants that stay in memory, 256 MiB. */
const MOST_CACHED = 2 ** 25
/** Elements that may be decoded in all, some seconds: many nodes may read one large constant. */
const MOST_DECODED = 2 ** 28
const COMMUTATIVE = new Set(['Add', 'Mul', 'And', 'Or', 'Xor', 'Equal'])

export interface NewNode {
  readonly op: string
  readonly domain?: string
  readonly name?: string
  readonly inputs: readonly (string | undefined)[]
  /** Names that the outputs should have, or how many there are. */
  readonly outputs: readonly string[] | number
  readonly attributes: Readonly<Record<string, Attribute>>
}

export class GraphDraft {
  readonly nodes: GraphNode[] = []
  readonly inputs: GraphPort[] = []
  readonly initializers = new Map<string, GraphTensor>()
  /** Whether values are shared and algebra is done; rules are tested without. */
  readonly simplifies: boolean
  readonly #types = new Map<string, ValueType>()
  readonly #producers = new Map<string, GraphNode>()
  readonly #values = new Map<string, Values>()
  #cached = 0
  #decoded = 0
  readonly #uniform = new Map<string, number | undefined>()
  readonly #written = new Map<string, readonly string[]>()
  readonly #constants = new Map<string, string>()
  /** Initializers that count as unknown, because something is differentiated with respect to them. */
  readonly #variables = new Set<string>()
  /** Values that are linear in a cotangent or tangent. */
  readonly #linear = new Set<string>()
  readonly #reserved: ReadonlySet<string>
  readonly #folding = new Folding(this)
  #fresh = 0

  constructor(
    readonly opset: number,
    options: { readonly simplifies?: boolean; readonly reserved?: Iterable<string> } = {},
  ) {
    this.simplifies = options.simplifies ?? true
    this.#reserved = new Set(options.reserved)
  }

  /** A new name that nothing has, from a stem. */
  freshName(stem: string): string {
    for (;;) {
      const name = `${stem}_${this.#fresh++}`
      if (!this.#types.has(name) && !this.#reserved.has(name)) return name
    }
  }

  has(name: string): boolean {
    return this.#types.has(name)
  }

  typeOf(name: string): ValueType {
    const type = this.#types.get(name)
    if (!type) throw new OnnxError(`The value "${name}" is not defined.`)
    return type
  }

  portOf(value: string, name = value): GraphPort {
    const { type, shape } = this.typeOf(value)
    return { name, type, shape }
  }

  /** The node that computes a value; undefined for inputs and initializers. */
  producerOf(name: string): GraphNode | undefined {
    return this.#producers.get(name)
  }

  isConstant(name: string): boolean {
    return this.initializers.has(name) && !this.#variables.has(name)
  }

  /** Errors: OnnxError where constants were decoded too often. */
  constantOf(name: string): Values | undefined {
    const cached = this.#values.get(name)
    if (cached) return cached
    const tensor = this.initializers.get(name)
    if (!tensor || this.#variables.has(name) || !isDecodable(tensor)) return undefined
    const values = decodeTensor(tensor)
    const count = values.data.length
    this.#decoded += count
    if (this.#decoded > MOST_DECODED) {
      throw new OnnxError(
        `The model computes with too many large constants, the last of them "${name}". Export it with constants computed.`,
      )
    }
    if (this.#cached + count <= MOST_CACHED) {
      this.#cached += count
      this.#values.set(name, values)
    }
    return values
  }

  /** The number that all elements of a constant are; undefined where they differ or it is none. */
  uniformValueOf(name: string): number | undefined {
    if (this.#uniform.has(name)) return this.#uniform.get(name)
    const data = this.constantOf(name)?.data
    const first = data?.[0]
    const uniform = data?.every((value) => value === first) ? first : undefined
    this.#uniform.set(name, uniform)
    return uniform
  }

  isLinear(name: string): boolean {
    return this.#linear.has(name)
  }

  addInput(name: string, type: ValueType, role: 'value' | 'linear' = 'value'): string {
    this.inputs.push({ name, type: type.type, shape: type.shape })
    this.#types.set(name, type)
    if (role === 'linear') this.#linear.add(name)
    return name
  }

  /** An initializer; one with the same small content is shared. Returns its name. */
  addConstant(tensor: GraphTensor, name?: string): string {
    const key = contentKey(tensor)
    const same = this.simplifies && key !== '' ? this.#constants.get(key) : undefined
    if (same) return same
    const chosen = name ?? this.freshName('constant')
    this.adoptConstant(tensor, chosen)
    return chosen
  }

  /** An initializer under its own name. */
  adoptConstant(tensor: GraphTensor, name: string): void {
    this.initializers.set(name, tensor)
    this.#types.set(name, { type: tensor.type, shape: tensor.shape })
    const key = contentKey(tensor)
    if (key !== '' && !this.#constants.has(key)) this.#constants.set(key, name)
  }

  /** An initializer whose value the graph may not rely on. */
  addVariable(tensor: GraphTensor, name: string): void {
    this.initializers.set(name, tensor)
    this.#types.set(name, { type: tensor.type, shape: tensor.shape })
    this.#variables.add(name)
  }

  viewOf(node: GraphNode): NodeView {
    return viewNode(node, {
      opset: this.opset,
      typeOf: (name) => this.#types.get(name),
      constantOf: (name) => this.constantOf(name),
      outputTypes: () => node.outputs.map((name) => this.#types.get(name) as ValueType),
    })
  }

  /** A node as it is, whose types are known: for a graph that went through a draft before. */
  adopt(node: GraphNode, types: readonly (ValueType | undefined)[]): void {
    this.#push(node, types)
    this.#written.set(writtenKey(node), node.outputs)
  }

  /** The value of a node without attributes that was written before; undefined where there is none. */
  written(op: string, inputs: readonly string[]): string | undefined {
    const node: GraphNode = { op, domain: '', name: '', inputs, outputs: [''], attributes: {} }
    return this.#written.get(writtenKey(node))?.[0]
  }

  /** Writes a node, or finds its value by other means; returns the names of its outputs ('' where it has none). */
  emit(wanted: NewNode): readonly string[] {
    const names =
      typeof wanted.outputs === 'number'
        ? Array.from({ length: wanted.outputs }, () => this.freshName(wanted.op))
        : wanted.outputs
    const node: GraphNode = {
      op: wanted.op,
      domain: wanted.domain ?? '',
      name: wanted.name ?? names.find((name) => name !== '') ?? '',
      inputs: trimmed(wanted.inputs.map((name) => name ?? '')),
      outputs: names,
      attributes: wanted.attributes,
    }
    const view = this.viewOf(node)
    const types = inferNode(node, view)
    const folded = this.#folding.fold(node, view, types)
    if (folded) return folded
    const key = writtenKey(node)
    if (this.simplifies) {
      const written = this.#written.get(key)
      if (written?.every((name, i) => name !== '' || names[i] === '')) return written
      const other = names.length === 1 ? simplified(this, node, view, types[0] as ValueType) : undefined
      if (other) return [other]
    }
    for (const [i, name] of names.entries()) {
      if (name !== '' && !types[i]) {
        throw view.error(`it has ${names.length} outputs, but this operator has ${types.length}.`)
      }
    }
    this.#push(node, types)
    this.#written.set(key, names)
    return names
  }

  #push(node: GraphNode, types: readonly (ValueType | undefined)[]): void {
    this.nodes.push(node)
    const linear = node.inputs.some((name) => this.#linear.has(name))
    for (const [i, name] of node.outputs.entries()) {
      if (name === '') continue
      this.#types.set(name, types[i] as ValueType)
      this.#producers.set(name, node)
      if (linear) this.#linear.add(name)
    }
  }

  /** The finished graph: what `outputs` need of the draft, see finishGraph. */
  finish(name: string, outputs: readonly NamedValue[], inputs: readonly GraphPort[] = this.inputs): Graph {
    return finishGraph(this, name, outputs, inputs)
  }
}

/** Small constants are shared by content; '' for large ones. */
function contentKey(tensor: GraphTensor): string {
  return tensor.bytes.length <= 256 ? `${tensor.type}|${tensor.shape.join()}|${tensor.bytes.join()}` : ''
}

const numbered = new WeakMap<GraphTensor, number>()
let numberedCount = 0

/** Large tensors are compared by identity. */
function tensorKey(tensor: GraphTensor): string {
  const content = contentKey(tensor)
  if (content !== '') return content
  const number = numbered.get(tensor) ?? numberedCount++
  numbered.set(tensor, number)
  return `tensor ${number}`
}

/** What two nodes that compute the same have in common. */
function writtenKey(node: GraphNode): string {
  const attributes = Object.entries(node.attributes).map(([name, { kind, value }]) => [
    name,
    kind,
    kind === 'tensor' ? tensorKey(value) : value,
  ])
  const inputs = COMMUTATIVE.has(node.op) ? node.inputs.toSorted() : node.inputs
  return JSON.stringify([node.op, node.domain, inputs, attributes, node.outputs.length])
}

/** Without omitted inputs at the end, which some checkers refuse. */
function trimmed(inputs: readonly string[]): readonly string[] {
  const last = inputs.findLastIndex((name) => name !== '')
  return inputs.slice(0, last + 1)
}
