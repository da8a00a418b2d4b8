/**
 * Constants computed before running, within limits of size and work, so that a hostile file can exhaust neither memory nor
 * time. Source of the values: the operators' references (OperatorRule.evaluate).
 */
import type { GraphDraft } from './draft'
import type { GraphNode, Values, ValueType } from './graph'
import { attempt } from './infer'
import { ruleOf } from './registry'
import type { NodeView } from './rule'
import { convertFloats, elementCount, encodeTensor, isFloat } from './tensor'

/** Floating-point constants are computed here up to this size; ONNX Runtime folds larger ones when it loads the model. */
const LARGEST_FLOAT_FOLD = 2 ** 16
const LARGEST_INTEGER_FOLD = 2 ** 22
/** Multiplications that all folding of a draft may take, about a second. */
const FOLDING_WORK = 2 ** 26
/** Bytes of float16 constants that may be cast when the model is read. */
const LARGEST_WIDENING = 2 ** 30
/** Bounds of the multiplications of operators that do more than read each input and write each output once. */
const WORK: Readonly<Record<string, (sizes: Sizes) => number>> = {
  // every output is a sum over at most all weights; every input of a transposed one meets at most all
  Conv: ({ read, produced }) => produced * read[1]!,
  ConvTranspose: ({ read }) => read[0]! * read[1]!,
  MatMul: ({ read, produced }) => produced * Math.min(read[0]!, read[1]!),
  Gemm: ({ read, produced }) => produced * Math.min(read[0]!, read[1]!),
  Einsum: ({ read }) => read.reduce((product, count) => product * count, 1),
  Attention: ({ read }) => read[0]! * Math.max(...read.slice(1)),
  Sum: ofEach,
  Mean: ofEach,
  Max: ofEach,
  Min: ofEach,
  Resize: ({ read, produced }) => produced * read[0]!,
  AveragePool: ({ produced, window }) => produced * window,
  MaxPool: ({ produced, window }) => produced * window,
}
/** These need the type of their input only. */
const OF_TYPE = new Set(['Shape', 'Size'])

function ofEach({ read, produced }: Sizes): number {
  return produced * read.length
}

/** Numbers of elements: of each input, of all outputs, and of the window that slides over the first input. */
interface Sizes {
  readonly read: readonly number[]
  readonly produced: number
  readonly window: number
}

export class Folding {
  #work = 0
  #widening = LARGEST_WIDENING

  constructor(readonly draft: GraphDraft) {}

  /** The outputs of a node as constants, where its inputs are known and the work is small. */
  fold(node: GraphNode, view: NodeView, types: readonly ValueType[]): readonly string[] | undefined {
    const { draft } = this
    const evaluate = ruleOf(node)?.evaluate
    const inputs = node.inputs.filter((name) => name !== '')
    const ofType = OF_TYPE.has(node.op)
    if (!evaluate || (!ofType && !inputs.every((name) => draft.isConstant(name)))) return undefined
    const widened = this.#widened(node, inputs, types)
    if (widened) return [widened]
    if (!ofType && !this.#affordable(node, inputs, types.slice(0, node.outputs.length))) return undefined
    const valueOf = (name: string): Values | undefined =>
      ofType ? { ...draft.typeOf(name), data: new Float64Array(0) } : draft.constantOf(name)
    const known = node.inputs.map((name) => (name === '' ? undefined : valueOf(name)))
    if (!node.inputs.every((name, i) => name === '' || known[i])) return undefined
    const values = attempt(view, () => evaluate(view, known))
    return node.outputs.map((name, i) =>
      name === ''
        ? ''
        : draft.addConstant(encodeTensor(values[i] as Values), draft.has(name) ? undefined : name),
    )
  }

  /** Float16 weights cast to float32 become float32 weights, however large: a file that has them may have that many bytes. */
  #widened(node: GraphNode, inputs: readonly string[], types: readonly ValueType[]): string | undefined {
    const { draft } = this
    const tensor = node.op === 'Cast' ? draft.initializers.get(inputs[0] as string) : undefined
    const type = types[0]?.type
    if (!tensor || !type || !isFloat(tensor.type) || !isFloat(type)) return undefined
    if (tensor.bytes.length > this.#widening) return undefined
    this.#widening -= tensor.bytes.length
    const name = node.outputs[0] as string
    return draft.addConstant(convertFloats(tensor, type), draft.has(name) ? undefined : name)
  }

  #affordable(node: GraphNode, inputs: readonly string[], outputs: readonly ValueType[]): boolean {
    const produced = outputs.reduce((sum, { shape }) => sum + elementCount(shape), 0)
    const read = inputs.map((name) => elementCount(this.draft.typeOf(name).shape))
    const kernel = node.attributes['kernel_shape']
    const window = kernel?.kind === 'ints' ? elementCount(kernel.value) : 1
    const passed = produced + read.reduce((sum, count) => sum + count, 0)
    const bound = Object.hasOwn(WORK, node.op) ? WORK[node.op]!({ read, produced, window }) : 0
    const work = Math.max(passed, bound)
    // Float16 weights must not reach a GPU without shader-f16: what only they need is always computed.
    const narrow = inputs.some((name) => ['float16', 'bfloat16'].includes(this.draft.typeOf(name).type))
    const floats = outputs.some(({ type }) => isFloat(type))
    const limit = floats && !narrow ? LARGEST_FLOAT_FOLD : LARGEST_INTEGER_FOLD
    if (produced > limit || this.#work + work > FOLDING_WORK) return false
    this.#work += work
    return true
  }
}
