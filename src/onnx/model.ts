/**
 * An ONNX file as a graph: checked, sorted, without functions. Nothing in it is trusted.
 *
 * Source: github.com/onnx/onnx, docs/IR.md and onnx/onnx.proto.
 */
import { fromBinary } from '@bufbuild/protobuf'
import { recognisedKind } from './fileKind'
import { OnnxError } from './graph'
import type { Attribute, Graph, GraphNode, GraphPort, GraphTensor } from './graph'
import { inlineNodes, isStandard } from './inline'
import { checkMessages } from './proto/budget'
import {
  AttributeProto_AttributeType as Kind,
  ModelProtoSchema,
  type AttributeProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './proto/onnx_pb'
import { externalFile, findExternal, missingFiles, readElementType, readTensor } from './readTensor'
import type { ExternalData } from './readTensor'
import { sortNodes } from './sortNodes'
import { decodeTensor } from './tensor'

export const OLDEST_OPSET = 13
/** The newest that ONNX Runtime 1.30 takes. */
export const NEWEST_OPSET = 26
/** A large model has some ten thousand nodes, each of some dozen parts. */
const MOST_PARTS = 1_000_000

/** A graph read from a file. */
export interface Model extends Graph {
  /** What is unusual, but not wrong, in sentences. */
  readonly warnings: readonly string[]
}

/**
 * @param externalData contents of the files beside the model, by file name
 * Errors: OnnxError that says what the file is or what in it is wrong, and what to do.
 */
export function readModel(bytes: Uint8Array, externalData: ExternalData = new Map()): Model {
  const model = parse(bytes)
  const proto = model.graph
  if (!proto || proto.output.length === 0) throw notOnnx(bytes, 'it holds no graph with outputs')
  const warnings: string[] = []
  const opset = opsetOf(model, warnings)
  if (proto.sparseInitializer.length > 0) {
    throw new OnnxError(
      `The constant "${proto.sparseInitializer[0]?.values?.name ?? ''}" is sparse. Export the model with dense weights.`,
    )
  }
  const protos = new Map<string, TensorProto>()
  const define = (tensor: TensorProto, name: string) => {
    if (protos.has(name)) throw duplicate(name)
    protos.set(name, tensor)
  }
  for (const tensor of proto.initializer) define(tensor, tensor.name)
  const nodes = inlineNodes(proto.node, {
    functions: model.functions,
    constantCondition: (name, constant) => conditionOf(protos.get(name) ?? constant),
    addInitializers(branch, rename) {
      for (const tensor of branch.initializer) define(tensor, rename(tensor.name))
    },
  })
  const used = new Set([...nodes.flatMap((node) => node.input), ...proto.output.map(({ name }) => name)])
  const wanted = [...protos].filter(([name]) => used.has(name))
  checkExternal([...wanted.map(([, tensor]) => tensor), ...constantsIn(nodes)], externalData)
  const initializers = new Map(
    wanted.map(([name, tensor]) => [name, readTensor(tensor, name, externalData)] as const),
  )
  // Old files list constants among the inputs.
  const inputs = proto.input.filter(({ name }) => !protos.has(name)).map((port) => readPort(port, 'input'))
  const graphNodes = nodes.map((node) => readNode(node, externalData))
  const defined = [...inputs.map(({ name }) => name), ...initializers.keys()]
  const outputs = proto.output.map((port) => readOutput(port))
  return {
    name: proto.name,
    opset,
    inputs,
    outputs,
    initializers,
    nodes: sortNodes(
      graphNodes,
      defined,
      outputs.map(({ name }) => name),
    ),
    warnings,
  }
}

function parse(bytes: Uint8Array): ModelProto {
  const kind = recognisedKind(bytes)
  if (kind !== undefined) throw new OnnxError(`This is not an ONNX model: it looks like ${kind}.`)
  try {
    checkMessages(bytes, ModelProtoSchema, MOST_PARTS)
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false })
  } catch (error) {
    throw notOnnx(bytes, error instanceof Error ? error.message : String(error))
  }
}

function notOnnx(bytes: Uint8Array, reason: string): OnnxError {
  // Files begin with the format's version, field 1.
  return bytes[0] === 0x08
    ? new OnnxError(
        `This ONNX model cannot be read (${reason}); it has ${bytes.length} bytes. It is damaged or cut off: download or export it again.`,
      )
    : new OnnxError(
        `This is not an ONNX model (${reason}). Choose a file that torch.onnx.export or another exporter wrote.`,
      )
}

function duplicate(name: string): OnnxError {
  return new OnnxError(`The value "${name}" is defined twice. The file is damaged: export the model again.`)
}

function opsetOf(model: ModelProto, warnings: string[]): number {
  const versions = model.opsetImport
    .filter(({ domain }) => isStandard(domain))
    .map(({ version }) => Number(version))
  const opset = versions.reduce((newest, version) => Math.max(newest, version), -Infinity)
  if (versions.length === 0) {
    throw new OnnxError(
      'The model names no version of the standard operators. Export it again, with opset 17 or newer.',
    )
  }
  if (opset < OLDEST_OPSET) {
    throw new OnnxError(
      `The model uses opset ${opset}; ${OLDEST_OPSET} to ${NEWEST_OPSET} can be used. Export it with opset_version=17, ` +
        'or convert it: onnx.version_converter.convert_version(model, 17).',
    )
  }
  if (opset <= NEWEST_OPSET) return opset
  warnings.push(
    `The model uses opset ${opset}, newer than ONNX Runtime here knows; it is read as opset ${NEWEST_OPSET}.`,
  )
  return NEWEST_OPSET
}

function conditionOf(tensor: TensorProto | undefined): boolean | undefined {
  if (!tensor || externalFile(tensor) !== undefined) return undefined
  const { data } = decodeTensor(readTensor(tensor, tensor.name, new Map()))
  return data.length === 1 ? data[0] !== 0 : undefined
}

function constantsIn(nodes: readonly NodeProto[]): readonly TensorProto[] {
  return nodes.flatMap((node) => node.attribute.flatMap(({ t }) => (t ? [t] : [])))
}

/** Names all missing files at once. */
function checkExternal(tensors: readonly TensorProto[], data: ExternalData): void {
  const locations = tensors.map(externalFile).filter((location) => location !== undefined)
  const missing = [...new Set(locations)].filter((location) => !findExternal(data, location))
  if (missing.length > 0) throw new OnnxError(missingFiles(missing.slice(0, 8)))
}

function tensorTypeOf(port: ValueInfoProto, role: string) {
  if (port.type?.value.case === 'tensorType') return port.type.value.value
  throw new OnnxError(
    `The model's ${role} "${port.name}" is no tensor (a sequence, an optional or untyped). ` +
      'Export the denoiser so that it takes and returns plain tensors.',
  )
}

function readPort(port: ValueInfoProto, role: string): GraphPort {
  const tensor = tensorTypeOf(port, role)
  const type = readElementType(tensor.elemType, `The model's ${role} "${port.name}"`)
  if (!tensor.shape) {
    throw new OnnxError(
      `The model's ${role} "${port.name}" has no shape, not even how many dimensions. Export it again.`,
    )
  }
  const shape = tensor.shape.dim.map(({ value }) => {
    if (value.case === 'dimParam') return value.value
    // -1 is how some converters write an open size.
    if (value.case === undefined || value.value === -1n) return ''
    if (value.value >= 0n && value.value < 2n ** 31n) return Number(value.value)
    throw new OnnxError(
      `The model's ${role} "${port.name}" has a dimension of ${value.value}. Export the model again.`,
    )
  })
  return { name: port.name, type, shape }
}

/** Outputs' types follow from the graph; what the file says of them may be missing. */
function readOutput(port: ValueInfoProto): GraphPort {
  const tensor = port.type?.value.case === 'tensorType' ? port.type.value.value : undefined
  return tensor?.shape && tensor.elemType
    ? readPort(port, 'output')
    : { name: port.name, type: 'float32', shape: [] }
}

function readNode(node: NodeProto, external: ExternalData): GraphNode {
  return {
    op: node.opType,
    domain: isStandard(node.domain) ? '' : node.domain,
    name: node.name || (node.output.find((name) => name !== '') ?? ''),
    inputs: node.input,
    outputs: node.output,
    attributes: Object.fromEntries(
      node.attribute.map((attribute) => [attribute.name, readAttribute(attribute, node, external)]),
    ),
  }
}

function readAttribute(attribute: AttributeProto, node: NodeProto, external: ExternalData): Attribute {
  const text = new TextDecoder()
  switch (attribute.type) {
    case Kind.INT:
      return { kind: 'int', value: Number(attribute.i) }
    case Kind.FLOAT:
      return { kind: 'float', value: attribute.f }
    case Kind.STRING:
      return { kind: 'string', value: text.decode(attribute.s) }
    case Kind.INTS:
      return { kind: 'ints', value: attribute.ints.map(Number) }
    case Kind.FLOATS:
      return { kind: 'floats', value: attribute.floats }
    case Kind.STRINGS:
      return { kind: 'strings', value: attribute.strings.map((each) => text.decode(each)) }
    case Kind.TENSOR:
      return { kind: 'tensor', value: namedTensor(attribute.t, attribute.name, node, external) }
    default:
      throw unusable(node, attribute.name, Kind[attribute.type] ?? `kind ${String(attribute.type)}`)
  }
}

function unusable(node: NodeProto, attribute: string, kind: string): OnnxError {
  return new OnnxError(
    `Node "${node.name}" (${node.opType}): attribute "${attribute}" cannot be used (${kind}). ` +
      'Export the model with plain tensors and numbers.',
  )
}

function namedTensor(
  tensor: TensorProto | undefined,
  attribute: string,
  node: NodeProto,
  external: ExternalData,
): GraphTensor {
  if (!tensor) throw unusable(node, attribute, 'an empty tensor')
  return readTensor(tensor, tensor.name || (node.output[0] ?? node.name), external)
}
