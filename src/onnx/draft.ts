/**
 * A graph in the making: every value's type is known as soon as its node is written.
 *
 * On the way in, nodes whose inputs are known are computed (within limits, so that a hostile file cannot exhaust memory or
 * time), nodes that were written before are reused, and algebra that needs no computation is done (src/onnx/peephole.ts).
 */
import { OnnxError } from './graph'
import type { Attribute, Graph, GraphNode, GraphPort, GraphTensor, Values, ValueType } from './graph'
import { attempt, inferNode } from './infer'
import { viewNode } from './nodeView'
import { simplified } from './peephole'
import { ruleOf } from './registry'
import type { NodeView } from './rule'
import { convertFloats, decodeTensor, elementCount, encodeTensor, isDecodable, isFloat } from './tensor'

/** Floating-point constants are computed here up to this size; ONNX Runtime folds larger ones when it loads the model. */
const LARGEST_FLOAT_FOLD = 2 ** 16
const LARGEST_INTEGER_FOLD = 2 ** 22
/** Multiplications that all folding of a draft may take, about a second. */
const FOLDING_WORK = 2 ** 26
/** Bytes of float16 constants that may be cast when the model is read. */
const LARGEST_WIDENING = 2 ** 30
/** Decoded constants up to this size stay in memory. */
const LARGEST_CACHED = 2 ** 16
const HEAVY = new Set([
  'Conv',
  'ConvTranspose',
  'MatMul',
  'Gemm',
  'Einsum',
  'Resize',
  'AveragePool',
  'MaxPool',
  'GridSample',
])
/** These need the type of their input only. */
const OF_TYPE = new Set(['Shape', 'Size'])

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
  readonly #written = new Map<string, readonly string[]>()
  readonly #constants = new Map<string, string>()
  /** Initializers that count as unknown, because something is differentiated with respect to them. */
  readonly #variables = new Set<string>()
  /** Values that are linear in a cotangent or tangent. */
  readonly #linear = new Set<string>()
  readonly #reserved: ReadonlySet<string>
  #work = 0
  #widening = LARGEST_WIDENING
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

  constantOf(name: string): Values | undefined {
    const cached = this.#values.get(name)
    if (cached) return cached
    const tensor = this.initializers.get(name)
    if (!tensor || this.#variables.has(name) || !isDecodable(tensor)) return undefined
    const values = decodeTensor(tensor)
    if (values.data.length <= LARGEST_CACHED) this.#values.set(name, values)
    return values
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
    const folded = this.#fold(node, view, types)
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

  /** The outputs of a node as constants, where its inputs are known and the work is small. */
  #fold(node: GraphNode, view: NodeView, types: readonly ValueType[]): readonly string[] | undefined {
    const evaluate = ruleOf(node)?.evaluate
    const inputs = node.inputs.filter((name) => name !== '')
    const ofType = OF_TYPE.has(node.op)
    if (!evaluate || (!ofType && !inputs.every((name) => this.isConstant(name)))) return undefined
    const widened = this.#widened(node, inputs, types)
    if (widened) return [widened]
    const outputs = types.slice(0, node.outputs.length)
    if (!ofType && !this.#affordable(node.op, inputs, outputs)) return undefined
    const known = node.inputs.map((name) =>
      name === ''
        ? undefined
        : ofType
          ? { ...this.typeOf(name), data: new Float64Array(0) }
          : this.constantOf(name),
    )
    if (!node.inputs.every((name, i) => name === '' || known[i])) return undefined
    const values = attempt(view, () => evaluate(view, known))
    return node.outputs.map((name, i) =>
      name === ''
        ? ''
        : this.addConstant(encodeTensor(values[i] as Values), this.has(name) ? undefined : name),
    )
  }

  /** Float16 weights cast to float32 become float32 weights, however large: a file that has them may have that many bytes. */
  #widened(node: GraphNode, inputs: readonly string[], types: readonly ValueType[]): string | undefined {
    const tensor = node.op === 'Cast' ? this.initializers.get(inputs[0] as string) : undefined
    const type = types[0]?.type
    if (!tensor || tensor.bytes.length > this.#widening || !isFloat(tensor.type) || !type || !isFloat(type))
      return undefined
    this.#widening -= tensor.bytes.length
    const name = node.outputs[0] as string
    return this.addConstant(convertFloats(tensor, type), this.has(name) ? undefined : name)
  }

  #affordable(op: string, inputs: readonly string[], outputs: readonly ValueType[]): boolean {
    const produced = outputs.reduce((sum, { shape }) => sum + elementCount(shape), 0)
    const read = inputs.map((name) => elementCount(this.typeOf(name).shape))
    const work = HEAVY.has(op)
      ? produced * Math.min(...read.filter((count) => count > 1), 2 ** 20)
      : produced + read.reduce((sum, count) => sum + count, 0)
    // Float16 weights must not reach a GPU without shader-f16: what only they need is always computed.
    const narrow = inputs.some((name) => ['float16', 'bfloat16'].includes(this.typeOf(name).type))
    const floats = outputs.some(({ type }) => isFloat(type))
    const limit = floats && !narrow ? LARGEST_FLOAT_FOLD : LARGEST_INTEGER_FOLD
    if (produced > limit || this.#work + work > FOLDING_WORK) return false
    this.#work += work
    return true
  }

  /** Types of all values of a graph that this draft finished. */
  typesIn(graph: Graph): ReadonlyMap<string, ValueType> {
    const shown = new Map(
      graph.outputs.map(({ name, type, shape }) => [name, { type, shape: shape.map(Number) }]),
    )
    const names = [
      ...graph.inputs.map(({ name }) => name),
      ...graph.initializers.keys(),
      ...graph.nodes.flatMap(({ outputs }) => outputs),
    ]
    return new Map(
      names
        .filter((name) => name !== '')
        .map((name) => [name, shown.get(name) ?? this.typeOf(name)] as const),
    )
  }

  /**
   * The finished graph: what `outputs` need of the draft. An output has the name that is asked for, through an Identity
   * where its value has another name.
   */
  finish(
    name: string,
    outputs: readonly { readonly name: string; readonly value: string }[],
    inputs: readonly GraphPort[] = this.inputs,
  ): Graph {
    const nodes: GraphNode[] = []
    const given = new Set(inputs.map((port) => port.name))
    const needed = new Set(outputs.map(({ value }) => value))
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some((output) => needed.has(output) && !given.has(output))) continue
      nodes.push({ ...node, outputs: node.outputs.map((output) => (given.has(output) ? '' : output)) })
      for (const input of node.inputs) if (input !== '') needed.add(input)
    }
    nodes.reverse()
    const renamed = new Map<string, string>()
    for (const output of outputs) {
      const computed = this.#producers.has(output.value) && !given.has(output.value)
      const shown = outputs.some((other) => other !== output && other.value === output.value)
      if (computed && !shown) renamed.set(output.value, output.name)
      else nodes.push(identity(output.value, output.name))
    }
    const rename = (value: string) => renamed.get(value) ?? value
    const finished = nodes.map((node) => renamedNode(node, rename))
    return {
      name,
      opset: this.opset,
      inputs,
      outputs: outputs.map((output) => this.portOf(output.value, output.name)),
      initializers: new Map(
        [...this.initializers].filter(([constant]) => needed.has(constant) && !given.has(constant)),
      ),
      nodes: finished,
    }
  }
}

/** A node that reads and writes values of other names. */
export function renamedNode(node: GraphNode, rename: (name: string) => string): GraphNode {
  return { ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) }
}

function identity(from: string, to: string): GraphNode {
  return { op: 'Identity', domain: '', name: `output ${to}`, inputs: [from], outputs: [to], attributes: {} }
}

/** Small constants are shared by content; '' for large ones. */
function contentKey(tensor: GraphTensor): string {
  return tensor.bytes.length <= 256 ? `${tensor.type}|${tensor.shape.join()}|${tensor.bytes.join()}` : ''
}

/** What two nodes that compute the same have in common. */
function writtenKey(node: GraphNode): string {
  const attributes = Object.entries(node.attributes).map(([name, { kind, value }]) => [
    name,
    kind,
    kind === 'tensor' ? [value.type, value.shape, value.bytes.join()] : value,
  ])
  const inputs = COMMUTATIVE.has(node.op) ? node.inputs.toSorted() : node.inputs
  return JSON.stringify([node.op, node.domain, inputs, attributes, node.outputs.length])
}

/** Without omitted inputs at the end, which some checkers refuse. */
function trimmed(inputs: readonly string[]): readonly string[] {
  const last = inputs.findLastIndex((name) => name !== '')
  return inputs.slice(0, last + 1)
}
