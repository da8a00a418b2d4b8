/**
 * Constants of a graph as numbers and back: little-endian bytes ↔ float64.
 *
 * float16 is IEEE binary16; bfloat16 is the upper half of binary32. Integers beyond 2^53 are rounded, and clamped to their
 * type on the way back.
 */
import { OnnxError } from './graph'
import type { ElementType, FloatType, GraphTensor, Values, ValueType } from './graph'

export const BYTES_PER_ELEMENT: Readonly<Record<ElementType, number>> = {
  float32: 4,
  float16: 2,
  float64: 8,
  bfloat16: 2,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  bool: 1,
}

/** More elements than this in one constant are never decoded: 128 MiB of float64. */
const LARGEST_DECODED = 2 ** 24

export function isFloat(type: ElementType): type is FloatType {
  return type === 'float32' || type === 'float16' || type === 'float64' || type === 'bfloat16'
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i])
}

export function isDecodable(tensor: ValueType): boolean {
  return elementCount(tensor.shape) <= LARGEST_DECODED
}

/** Errors: OnnxError where the bytes are not as many as the shape says, or too many to decode. */
export function decodeTensor(tensor: GraphTensor): Values {
  const { type, shape, bytes } = tensor
  const count = elementCount(shape)
  if (bytes.length !== count * BYTES_PER_ELEMENT[type]) {
    throw new OnnxError(
      `A ${type} tensor of shape [${shape.join(', ')}] needs ${count * BYTES_PER_ELEMENT[type]} bytes, ` +
        `but has ${bytes.length}. The file is damaged: export the model again.`,
    )
  }
  if (!isDecodable(tensor))
    throw new OnnxError(`A constant of ${count} numbers is too large to compute with.`)
  const source = alignedCopy(bytes)
  return { type, shape, data: decoders[type](source) }
}

const decoders: Readonly<Record<ElementType, (source: ArrayBuffer) => Float64Array>> = {
  float32: (source) => new Float64Array(new Float32Array(source)),
  float64: (source) => new Float64Array(source),
  float16: (source) => decodeHalves(new Uint16Array(source)),
  bfloat16: (source) => decodeBrainFloats(new Uint16Array(source)),
  int8: (source) => new Float64Array(new Int8Array(source)),
  uint8: (source) => new Float64Array(new Uint8Array(source)),
  int16: (source) => new Float64Array(new Int16Array(source)),
  uint16: (source) => new Float64Array(new Uint16Array(source)),
  int32: (source) => new Float64Array(new Int32Array(source)),
  uint32: (source) => new Float64Array(new Uint32Array(source)),
  int64: (source) => bigToNumbers(new BigInt64Array(source)),
  uint64: (source) => bigToNumbers(new BigUint64Array(source)),
  bool: (source) => Float64Array.from(new Uint8Array(source), (value) => (value === 0 ? 0 : 1)),
}

export function encodeTensor(values: Values): GraphTensor {
  const { type, shape, data } = values
  const array = encoders[type](data)
  return { type, shape, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) }
}

const encoders: Readonly<Record<ElementType, (data: Float64Array) => ArrayBufferView>> = {
  float32: (data) => new Float32Array(data),
  float64: (data) => new Float64Array(data),
  float16: encodeHalves,
  bfloat16: encodeBrainFloats,
  int8: (data) => new Int8Array(data),
  uint8: (data) => new Uint8Array(data),
  int16: (data) => new Int16Array(data),
  uint16: (data) => new Uint16Array(data),
  int32: (data) => new Int32Array(data),
  uint32: (data) => new Uint32Array(data),
  int64: (data) => numbersToBig(new BigInt64Array(data.length), data, -(2n ** 63n), 2n ** 63n - 1n),
  uint64: (data) => numbersToBig(new BigUint64Array(data.length), data, 0n, 2n ** 64n - 1n),
  bool: (data) => Uint8Array.from(data, (value) => (value === 0 ? 0 : 1)),
}

/** Typed arrays need aligned memory. (`slice` of Node's Buffer, which is a Uint8Array, would not copy.) */
function alignedCopy(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127

/**
 * A floating-point constant in another floating-point type, whatever its size. Finite numbers beyond float32 become its
 * largest, not infinite: a mask's -1.8e308 times 0 must stay 0.
 */
export function convertFloats(tensor: GraphTensor, type: FloatType): GraphTensor {
  if (tensor.type === type) return tensor
  const { shape, bytes } = tensor
  const source = alignedCopy(bytes)
  if (tensor.type === 'float16' && type === 'float32') {
    const [halves, table] = [new Uint16Array(source), halfTable()]
    const floats = new Float32Array(halves.length)
    for (let i = 0; i < floats.length; i++) floats[i] = table[halves[i] as number] as number
    return { type, shape, bytes: new Uint8Array(floats.buffer) }
  }
  const data = decoders[tensor.type](source)
  if (tensor.type === 'float64' && type === 'float32') {
    for (const [i, value] of data.entries()) {
      if (Number.isFinite(value)) data[i] = Math.min(Math.max(value, -LARGEST_FLOAT32), LARGEST_FLOAT32)
    }
  }
  return encodeTensor({ type, shape, data })
}

function bigToNumbers(source: BigInt64Array | BigUint64Array): Float64Array {
  const out = new Float64Array(source.length)
  for (let i = 0; i < out.length; i++) out[i] = Number(source[i])
  return out
}

function numbersToBig<T extends BigInt64Array | BigUint64Array>(
  out: T,
  data: Float64Array,
  least: bigint,
  most: bigint,
): T {
  for (let i = 0; i < out.length; i++) {
    const value = data[i] as number
    const integer = Number.isFinite(value)
      ? BigInt(Math.trunc(value))
      : value > 0
        ? most
        : value < 0
          ? least
          : 0n
    out[i] = integer > most ? most : integer < least ? least : integer
  }
  return out
}

let table: Float32Array | undefined

/** All 65,536 numbers, made once: a large model has hundreds of millions of weights. */
function halfTable(): Float32Array {
  if (table) return table
  table = new Float32Array(2 ** 16)
  for (let bits = 0; bits < table.length; bits++) table[bits] = decodeHalf(bits)
  return table
}

function decodeHalves(source: Uint16Array): Float64Array {
  const out = new Float64Array(source.length)
  for (let i = 0; i < out.length; i++) out[i] = decodeHalf(source[i] as number)
  return out
}

function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

function encodeHalves(data: Float64Array): Uint16Array {
  const out = new Uint16Array(data.length)
  for (let i = 0; i < out.length; i++) out[i] = encodeHalf(data[i] as number)
  return out
}

/** Rounds to the nearest binary16, ties to even. */
function encodeHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (size >= 65520) return sign | 0x7c00
  const exponent = Math.max(-14, size === 0 ? -14 : Math.floor(Math.log2(size)))
  const steps = roundToEven(size * 2 ** (10 - exponent))
  // `steps` is in 0..2048; the sum carries into the exponent where rounding reaches the next power of two.
  return sign | (exponent === -14 ? steps : ((exponent + 14) << 10) + steps)
}

function roundToEven(value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below
}

function decodeBrainFloats(source: Uint16Array): Float64Array {
  const bits = Uint32Array.from(source, (half) => half << 16)
  return Float64Array.from(new Float32Array(bits.buffer))
}

function encodeBrainFloats(data: Float64Array): Uint16Array {
  const bits = new Uint32Array(Float32Array.from(data).buffer)
  return Uint16Array.from(bits, (word) =>
    // Adding half a unit would turn some NaN into infinity.
    (word & 0x7fffffff) > 0x7f800000 ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16,
  )
}
