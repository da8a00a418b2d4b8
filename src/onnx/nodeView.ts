/** A node together with what is known of its inputs: the way in which rules see a graph (src/onnx/rule.ts). */
import { OnnxError } from './graph'
import type { GraphNode, GraphTensor, Values, ValueType } from './graph'
import type { NodeView } from './rule'

export interface NodeContext {
  readonly opset: number
  typeOf(name: string): ValueType | undefined
  constantOf(name: string): Values | undefined
  /** Types of the node's outputs, where inferred. */
  outputTypes?(): readonly ValueType[]
}

interface AttributeValues {
  int: number
  float: number
  string: string
  ints: readonly number[]
  tensor: GraphTensor
}

export function describeNode(node: { readonly op: string; readonly name: string }): string {
  return `${node.name ? `"${node.name}" ` : ''}(${node.op})`
}

export function viewNode(node: GraphNode, context: NodeContext): NodeView {
  const error = (message: string) => new OnnxError(`Node ${describeNode(node)}: ${message}`)
  const inputs = node.inputs.map((name) => name || undefined)

  function attribute<K extends keyof AttributeValues>(name: string, kind: K): AttributeValues[K] | undefined {
    // An own property: a hostile file may ask for "constructor".
    const found = Object.hasOwn(node.attributes, name) ? node.attributes[name] : undefined
    if (!found) return undefined
    if (found.kind !== kind) {
      throw error(
        `attribute "${name}" is of kind ${found.kind}, but must be ${kind}. Export the model again.`,
      )
    }
    return found.value as AttributeValues[K]
  }
  function required<T>(value: T | undefined, name: string): T {
    if (value === undefined) throw error(`attribute "${name}" is missing. Export the model again.`)
    return value
  }
  function typeOf(input: number): ValueType {
    const name = inputs[input]
    if (!name) throw error(`input ${input} is missing. Export the model again.`)
    const type = context.typeOf(name)
    if (!type) throw error(`input "${name}" is not defined before it. Export the model again.`)
    return type
  }
  function constant(input: number): Values | undefined {
    const name = inputs[input]
    return name ? context.constantOf(name) : undefined
  }

  return {
    op: node.op,
    name: node.name,
    opset: context.opset,
    inputs,
    outputs: node.outputs.map((name) => name || undefined),
    attributes: node.attributes,
    typeOf,
    constant,
    error,
    outputType(output) {
      const type = context.outputTypes?.()[output]
      if (!type) throw error(`the type of output ${output} is not known.`)
      return type
    },
    integers(input) {
      const values = constant(input)
      if (!values) {
        throw error(
          `input ${input} ("${inputs[input] ?? ''}") depends on the data, but must be known before running. ` +
            'Export the model with fixed sizes.',
        )
      }
      return Array.from(values.data)
    },
    int: (name, fallback) => required(attribute(name, 'int') ?? fallback, name),
    float(name, fallback) {
      // Graphs made by hand may say 1 where a float is meant.
      const found = node.attributes[name]
      if (found?.kind === 'int') return found.value
      return required(attribute(name, 'float') ?? fallback, name)
    },
    string: (name, fallback) => required(attribute(name, 'string') ?? fallback, name),
    ints: (name, fallback) => required(attribute(name, 'ints') ?? fallback, name),
    has: (name) => Object.hasOwn(node.attributes, name),
    tensor: (name) => attribute(name, 'tensor'),
  }
}
