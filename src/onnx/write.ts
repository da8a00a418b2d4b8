/** A graph as an ONNX file, for ONNX Runtime: constants as raw bytes. */
import { create, toBinary } from '@bufbuild/protobuf'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { ELEMENT_TYPE_CODES } from './elementTypes'
import type { Attribute, Graph, GraphNode, GraphPort, GraphTensor } from './graph'
import {
  AttributeProto_AttributeType as Kind,
  ModelProtoSchema,
  type AttributeProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from './proto/onnx_pb'
import { writtenOpset } from './writtenOpset'

export function writeModel(graph: Graph): Uint8Array {
  const opset = writtenOpset(graph)
  const names = new Set<string>()
  const model = create(ModelProtoSchema, {
    // The file format's own version: what first carried such opsets, and no newer than needed.
    irVersion: opset >= 21 ? 10n : opset >= 19 ? 9n : 8n,
    producerName: 'diem-playground',
    opsetImport: [{ domain: '', version: BigInt(opset) }],
    graph: {
      name: graph.name || 'graph',
      node: graph.nodes.map((node) => writeNode(node, names)),
      initializer: [...graph.initializers].map(([name, tensor]) => writeTensor(tensor, name)),
      input: graph.inputs.map(writePort),
      output: graph.outputs.map(writePort),
    },
  })
  return toBinary(ModelProtoSchema, model)
}

function writeTensor(tensor: GraphTensor, name?: string): MessageInitShape<typeof TensorProtoSchema> {
  return {
    name,
    dims: tensor.shape.map(BigInt),
    dataType: ELEMENT_TYPE_CODES[tensor.type],
    rawData: tensor.bytes,
  }
}

function writePort(port: GraphPort): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = port.shape.map((size) =>
    typeof size === 'number'
      ? { value: { case: 'dimValue' as const, value: BigInt(size) } }
      : size === ''
        ? {}
        : { value: { case: 'dimParam' as const, value: size } },
  )
  const value = { elemType: ELEMENT_TYPE_CODES[port.type], shape: { dim } }
  return { name: port.name, type: { value: { case: 'tensorType', value } } }
}

/** Where another node has the name already, this one has none: ONNX Runtime refuses two of a name. */
function writeNode(node: GraphNode, names: Set<string>): MessageInitShape<typeof NodeProtoSchema> {
  const isTaken = names.has(node.name)
  names.add(node.name)
  return {
    opType: node.op,
    domain: node.domain,
    name: isTaken ? '' : node.name,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, attribute]) => writeAttribute(name, attribute)),
  }
}

function writeAttribute(name: string, attribute: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  const text = new TextEncoder()
  switch (attribute.kind) {
    case 'int':
      return { name, type: Kind.INT, i: toInt64(attribute.value) }
    case 'float':
      return { name, type: Kind.FLOAT, f: attribute.value }
    case 'string':
      return { name, type: Kind.STRING, s: text.encode(attribute.value) }
    case 'ints':
      return { name, type: Kind.INTS, ints: attribute.value.map(toInt64) }
    case 'floats':
      return { name, type: Kind.FLOATS, floats: [...attribute.value] }
    case 'strings':
      return { name, type: Kind.STRINGS, strings: attribute.value.map((value) => text.encode(value)) }
    case 'tensor':
      return { name, type: Kind.TENSOR, t: writeTensor(attribute.value) }
  }
}

/** Integers are numbers here, and "to the end" is written as the largest one, which rounds to 2^63. */
function toInt64(value: number): bigint {
  const integer = BigInt(Math.trunc(value))
  const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n]
  return integer > most ? most : integer < least ? least : integer
}
