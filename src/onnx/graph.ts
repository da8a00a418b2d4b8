/**
 * An ONNX graph in memory: what the protobuf of a model says, without protobuf.
 *
 * Values are named; a name is defined once (an input, an initializer or a node's output), and nodes are in topological
 * order. Omitted optional inputs and outputs are ''. Source: github.com/onnx/onnx, docs/IR.md.
 */

export type FloatType = 'float32' | 'float16' | 'float64' | 'bfloat16'
export type IntegerType = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'uint64'
export type ElementType = FloatType | IntegerType | 'bool'

/** Element type and concrete shape of a value. */
export interface ValueType {
  readonly type: ElementType
  readonly shape: readonly number[]
}

/** A constant as the file holds it: little-endian bytes, row-major. Weights pass through without being decoded. */
export interface GraphTensor extends ValueType {
  readonly bytes: Uint8Array
}

/** A constant decoded for computing. Integers beyond 2^53 are rounded (Slice's "to the end" stays beyond every end). */
export interface Values extends ValueType {
  readonly data: Float64Array
}

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: GraphTensor }

export interface GraphNode {
  readonly op: string
  /** '' is the ONNX standard. */
  readonly domain: string
  /** As in the file, or made; for messages. */
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

/** An input or output of the graph; a dimension may be open, and then has a name (or '' where it has none). */
export interface GraphPort {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly (number | string)[]
}

export interface Graph {
  readonly name: string
  /** Version of the standard operators, 13 and newer. */
  readonly opset: number
  readonly inputs: readonly GraphPort[]
  readonly outputs: readonly GraphPort[]
  readonly initializers: ReadonlyMap<string, GraphTensor>
  readonly nodes: readonly GraphNode[]
}

/** A model that cannot be used; the message names the node or value, says what is wrong and what to do. */
export class OnnxError extends Error {
  override readonly name = 'OnnxError'
}
