/**
 * A constant of an ONNX file: raw or typed fields, or a piece of a file beside it, as little-endian bytes.
 *
 * Nothing is allocated from what a header claims: the bytes that are there must be as many as the dimensions say.
 */
import { ELEMENT_TYPES } from './elementTypes'
import { OnnxError } from './graph'
import type { ElementType, GraphTensor } from './graph'
import { TensorProto_DataLocation, type TensorProto } from './proto/onnx_pb'
import { BYTES_PER_ELEMENT, elementCount, encodeTensor } from './tensor'

/** TensorProto.DataType of what cannot be computed with, for messages. */
const OTHER_TYPES: Readonly<Record<number, string>> = {
  8: 'strings',
  14: 'complex numbers',
  15: 'complex numbers',
  17: 'float8',
  18: 'float8',
  19: 'float8',
  20: 'float8',
  21: 'uint4',
  22: 'int4',
  23: 'float4',
  24: 'float8',
  25: 'uint2',
  26: 'int2',
}

export type ExternalData = ReadonlyMap<string, Uint8Array>

/** Errors: OnnxError where the type is not a number of 8 to 64 bits. */
export function readElementType(code: number, what: string): ElementType {
  const type = ELEMENT_TYPES.get(code)
  if (type) return type
  throw new OnnxError(
    `${what} holds ${OTHER_TYPES[code] ?? `elements of the unknown type ${code}`}. ` +
      'Export the model in float32 or float16, without quantisation and strings.',
  )
}

/** The file, beside the model, in which a constant lies; undefined where it is in the model. */
export function externalFile(tensor: TensorProto): string | undefined {
  if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) return undefined
  return tensor.externalData.find(({ key }) => key === 'location')?.value ?? ''
}

/** The entry for a location: its full path, or else its last part, as files that are dropped have no folder. */
export function findExternal(data: ExternalData, location: string): Uint8Array | undefined {
  const last = location.split(/[/\\]/).at(-1) ?? location
  return data.get(location) ?? data.get(last)
}

/** @param name for messages */
export function readTensor(tensor: TensorProto, name: string, external: ExternalData): GraphTensor {
  const what = `The constant "${name}"`
  const type = readElementType(tensor.dataType, what)
  const shape = tensor.dims.map(Number)
  const count = elementCount(shape)
  if (!shape.every((size) => size >= 0) || !Number.isSafeInteger(count) || shape.length > 32) {
    throw new OnnxError(
      `${what} has the impossible shape [${shape.slice(0, 33).join(', ')}]. The file is damaged: export it again.`,
    )
  }
  const bytes = contentOf(tensor, type, external, what, count * BYTES_PER_ELEMENT[type])
  if (bytes.length !== count * BYTES_PER_ELEMENT[type]) {
    throw new OnnxError(
      `${what}, ${type} [${shape.join(', ')}], needs ${count * BYTES_PER_ELEMENT[type]} bytes but has ${bytes.length}. ` +
        'The file is damaged or cut off: download or export it again.',
    )
  }
  return { type, shape, bytes }
}

function contentOf(
  tensor: TensorProto,
  type: ElementType,
  external: ExternalData,
  what: string,
  expected: number,
): Uint8Array {
  const location = externalFile(tensor)
  if (location !== undefined) return externalContent(tensor, location, external, what, expected)
  if (tensor.rawData.length > 0) return tensor.rawData
  return typedContent(tensor, type)
}

function externalContent(
  tensor: TensorProto,
  location: string,
  external: ExternalData,
  what: string,
  expected: number,
): Uint8Array {
  const file = findExternal(external, location)
  if (!file) throw new OnnxError(missingFiles([location]))
  const entry = (key: string) => tensor.externalData.find((each) => each.key === key)?.value
  const offset = Number(entry('offset') ?? 0)
  const length = Number(entry('length') ?? expected)
  const inside = [offset, length, offset + length].every(
    (at) => Number.isSafeInteger(at) && at >= 0 && at <= file.length,
  )
  if (!inside) {
    throw new OnnxError(
      `${what} should be bytes ${offset} to ${offset + length} of "${location}", but that file has ${file.length} bytes. ` +
        'Use the file that was exported together with this model.',
    )
  }
  return file.subarray(offset, offset + length)
}

export function missingFiles(locations: readonly string[]): string {
  const files = locations.map((location) => `"${location}"`).join(', ')
  return `The model keeps its weights in ${locations.length === 1 ? 'another file' : 'other files'}, ${files}: choose or drop it together with the model.`
}

function typedContent(tensor: TensorProto, type: ElementType): Uint8Array {
  if (type === 'int64') return viewOf(BigInt64Array.from(tensor.int64Data))
  if (type === 'uint64') return viewOf(BigUint64Array.from(tensor.uint64Data))
  // Half-precision numbers are written as the integers of their bits.
  if (type === 'float16' || type === 'bfloat16') return viewOf(Uint16Array.from(tensor.int32Data))
  const numbers =
    type === 'float32'
      ? tensor.floatData
      : type === 'float64'
        ? tensor.doubleData
        : type === 'uint32'
          ? tensor.uint64Data.map(Number)
          : tensor.int32Data
  return encodeTensor({ type, shape: [numbers.length], data: Float64Array.from(numbers) }).bytes
}

function viewOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
