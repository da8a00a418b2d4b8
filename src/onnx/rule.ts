/**
 * What the program knows of one ONNX operator: its types, its value, its derivatives.
 *
 * A rule never computes on weights: it writes nodes. The reverse rule of y = f(x) writes nodes for x̄ = (∂f/∂x)ᵀ ȳ, the
 * forward rule for ẏ = (∂f/∂x) ẋ. Both may use the node's own inputs and outputs; whatever does not depend on ȳ or ẋ is
 * moved to the forward model by src/onnx/differentiate.ts, so that it is computed once per x.
 */
import type { Attribute, ElementType, GraphTensor, Values, ValueType } from './graph'

/** A node whose types are known, as rules see it. */
export interface NodeView {
  readonly op: string
  readonly name: string
  readonly opset: number
  /** Names of the inputs; undefined where omitted. */
  readonly inputs: readonly (string | undefined)[]
  readonly outputs: readonly (string | undefined)[]
  /** Type of input i. Errors: OnnxError where it is omitted. */
  typeOf(input: number): ValueType
  /** Type of output i (not while inferring). */
  outputType(output: number): ValueType
  /** Value of input i where it is known before running. */
  constant(input: number): Values | undefined
  /** The same, as integers. Errors: OnnxError where it is not known. */
  integers(input: number): readonly number[]
  int(attribute: string, fallback?: number): number
  float(attribute: string, fallback?: number): number
  string(attribute: string, fallback?: string): string
  ints(attribute: string, fallback?: readonly number[]): readonly number[]
  has(attribute: string): boolean
  tensor(attribute: string): GraphTensor | undefined
  readonly attributes: Readonly<Record<string, Attribute>>
  /** An OnnxError that names this node. */
  error(message: string): Error
}

/** Writes nodes. Every method returns the name of a new value, whose type is inferred at once. */
export interface Builder {
  readonly opset: number
  typeOf(name: string): ValueType
  /** The value, where it is known. */
  constantOf(name: string): Values | undefined
  /** One node with one output. */
  node(op: string, inputs: readonly (string | undefined)[], attributes?: AttributeValues): string
  /** One node with several outputs. */
  nodes(
    op: string,
    inputs: readonly (string | undefined)[],
    outputs: number,
    attributes?: AttributeValues,
  ): readonly string[]
  /** A constant; `values` in row-major order. */
  constant(type: ElementType, shape: readonly number[], values: ArrayLike<number>): string
  /** int64 [values.length]. */
  integers(values: readonly number[]): string
  /** A scalar of the type of `like` (a value's name). */
  scalar(value: number, like: string): string
  add(a: string, b: string): string
  sub(a: string, b: string): string
  mul(a: string, b: string): string
  div(a: string, b: string): string
  neg(a: string): string
  /** a + b where either may be missing. */
  sum(a: string | undefined, b: string | undefined): string | undefined
  reshape(a: string, shape: readonly number[]): string
  transpose(a: string, permutation: readonly number[]): string
  /** Broadcasts to a shape; `a` itself where it has it. */
  expand(a: string, shape: readonly number[]): string
  /** The adjoint of broadcasting: sums over the dimensions that `shape` lacks or has as 1. */
  sumTo(a: string, shape: readonly number[]): string
  reduceSum(a: string, axes: readonly number[], keepDims: boolean): string
  reduceMean(a: string, axes: readonly number[], keepDims: boolean): string
  slice(
    a: string,
    starts: readonly number[],
    ends: readonly number[],
    axes: readonly number[],
    steps?: readonly number[],
  ): string
  /** Zeros around: as many entries as dimensions. */
  pad(a: string, before: readonly number[], after: readonly number[]): string
  concat(parts: readonly string[], axis: number): string
  cast(a: string, type: ElementType): string
  /** Zeros of a type. */
  zeros(type: ValueType): string
}

/** Numbers become ints where they are integers; floats are written `{ float }`. */
export type AttributeValues = Readonly<
  Record<
    string,
    | number
    | string
    | readonly number[]
    | readonly string[]
    | { readonly float: number }
    | { readonly floats: readonly number[] }
    | { readonly tensor: GraphTensor }
  >
>

export interface OperatorRule {
  /** Types of the outputs; checks the inputs as far as they can be wrong. Errors: OnnxError (`node.error`). */
  infer(node: NodeView): readonly ValueType[]
  /**
   * The reference, in float64: values of the outputs. Used to fold constants and to test every derivative. Missing only
   * where an operator has no value (random ones).
   */
  evaluate?(node: NodeView, inputs: readonly (Values | undefined)[]): readonly Values[]
  /**
   * Cotangents of the inputs where `wanted`, from those of the outputs (undefined = 0). An undefined result is 0. Missing:
   * the operator has no derivative (integers, comparisons), or none that is known: see `derivative`.
   */
  vjp?(
    node: NodeView,
    cotangents: readonly (string | undefined)[],
    build: Builder,
    wanted: readonly boolean[],
  ): readonly (string | undefined)[]
  /** Tangents of the outputs from those of the inputs (undefined = 0). */
  jvp?(
    node: NodeView,
    tangents: readonly (string | undefined)[],
    build: Builder,
  ): readonly (string | undefined)[]
  /** `none`: the outputs are locally constant (Shape, comparisons, Floor): derivatives are 0 and need no rule. */
  readonly derivative?: 'none'
  /**
   * The same function in operators that the WebGPU provider computes rightly and fast, where it does not compute this one
   * so; undefined keeps the node. Applied before anything else. Returns the names of the outputs' replacements.
   */
  rewrite?(node: NodeView, build: Builder): readonly string[] | undefined
}

export type OperatorRules = Readonly<Record<string, OperatorRule>>
