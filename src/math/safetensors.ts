/**
 * Safetensors: 8 bytes N (little-endian), N bytes of JSON header, then the tensors' bytes.
 *
 * Header: name → { dtype, shape, data_offsets: [begin, end] }, and `__metadata__`: string → string. Reading is
 * strict: every byte of the file must belong to exactly one tensor.
 * Source: github.com/huggingface/safetensors, "Format".
 */

/** Element types that can be read. F16 and BF16 are widened to float32. */
export type Dtype =
  'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'U64' | 'I32' | 'U32' | 'I16' | 'U16' | 'I8' | 'U8' | 'BOOL'

export type TensorData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array

/** An array of numbers with its shape, row-major. */
export interface Tensor {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly data: TensorData
}

export interface SafetensorsFile {
  readonly metadata: Record<string, string>
  readonly tensors: Map<string, Tensor>
}

/** The bytes are not a safetensors file; the message says what is wrong with them. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError'
}

/** The format's own bound on the header, which keeps a hostile file from asking for gigabytes. */
const MAX_HEADER_BYTES = 100_000_000

const BYTES: Record<Dtype, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  U64: 8,
  I32: 4,
  U32: 4,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
}

/**
 * Reads a safetensors file. Data are copied out of `bytes`.
 * Errors: SafetensorsError for anything that is not a complete, well-formed file.
 */
export function readSafetensors(bytes: ArrayBuffer | Uint8Array): SafetensorsFile {
  // a plain view: slice() of a Node Buffer would not copy
  const file =
    bytes instanceof Uint8Array
      ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : new Uint8Array(bytes)
  if (file.byteLength < 8) {
    throw new SafetensorsError(`The file has ${file.byteLength} bytes; a safetensors file has at least 8.`)
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const headerBytes = view.getBigUint64(0, true)
  if (headerBytes > BigInt(MAX_HEADER_BYTES)) {
    throw new SafetensorsError(
      `The header claims ${headerBytes} bytes, more than the ${MAX_HEADER_BYTES} allowed: not a safetensors file?`,
    )
  }
  const start = 8 + Number(headerBytes)
  if (start > file.byteLength) {
    throw new SafetensorsError(
      `The header claims ${headerBytes} bytes but the file ends after ${file.byteLength - 8}: it is truncated.`,
    )
  }
  const header = parseHeader(file.subarray(8, start))
  const metadata: Record<string, string> = {}
  const entries: { name: string; dtype: Dtype; shape: number[]; begin: number; end: number }[] = []
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') readMetadata(value, metadata)
    else entries.push(readEntry(name, value))
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
  const available = file.byteLength - start
  let position = 0
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      throw new SafetensorsError(
        `Tensor "${name}" starts at byte ${begin} of the data instead of ${position}: offsets overlap or leave a hole.`,
      )
    }
    if (end > available) {
      throw new SafetensorsError(
        `Tensor "${name}" ends at byte ${end} but the file has only ${available} bytes of data: it is truncated.`,
      )
    }
    position = end
  }
  if (position !== available) {
    throw new SafetensorsError(`${available - position} bytes at the end of the file belong to no tensor.`)
  }
  const tensors = new Map<string, Tensor>()
  for (const { name, dtype, shape, begin, end } of entries) {
    // slice copies, so that views of any element size are aligned.
    tensors.set(name, { dtype, shape, data: decode(dtype, file.slice(start + begin, start + end).buffer) })
  }
  return { metadata, tensors }
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new SafetensorsError(`The header is not JSON: ${(error as Error).message}`)
  }
  if (!isRecord(header)) throw new SafetensorsError('The header is not a JSON object.')
  return header
}

function readMetadata(value: unknown, metadata: Record<string, string>): void {
  if (!isRecord(value)) throw new SafetensorsError('__metadata__ is not a JSON object.')
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw new SafetensorsError(`__metadata__ entry "${key}" is not a string.`)
    metadata[key] = text
  }
}

function readEntry(name: string, value: unknown) {
  if (!isRecord(value)) throw new SafetensorsError(`The header entry of tensor "${name}" is not an object.`)
  const { dtype, shape, data_offsets: offsets } = value
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES, dtype)) {
    throw new SafetensorsError(
      `Tensor "${name}" has type ${JSON.stringify(dtype)}; readable are ${Object.keys(BYTES).join(', ')}.`,
    )
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw new SafetensorsError(`Tensor "${name}" has shape ${JSON.stringify(shape)}.`)
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw new SafetensorsError(`Tensor "${name}" has data_offsets ${JSON.stringify(offsets)}.`)
  }
  const [begin, end] = offsets as [number, number]
  const expected = shape.reduce((product: number, size: number) => product * size, BYTES[dtype as Dtype])
  if (end - begin !== expected) {
    throw new SafetensorsError(
      `Tensor "${name}" of type ${dtype} and shape [${shape.join(', ')}] needs ${expected} bytes, its offsets give ${end - begin}.`,
    )
  }
  return { name, dtype: dtype as Dtype, shape, begin, end }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function decode(dtype: Dtype, buffer: ArrayBuffer): TensorData {
  switch (dtype) {
    case 'F64':
      return new Float64Array(buffer)
    case 'F32':
      return new Float32Array(buffer)
    case 'F16':
      return Float32Array.from(new Uint16Array(buffer), halfToNumber)
    case 'BF16':
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer)
    case 'I64':
      return new BigInt64Array(buffer)
    case 'U64':
      return new BigUint64Array(buffer)
    case 'I32':
      return new Int32Array(buffer)
    case 'U32':
      return new Uint32Array(buffer)
    case 'I16':
      return new Int16Array(buffer)
    case 'U16':
      return new Uint16Array(buffer)
    case 'I8':
      return new Int8Array(buffer)
    case 'U8':
    case 'BOOL':
      return new Uint8Array(buffer)
  }
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function dtypeOf(data: TensorData): Dtype {
  if (data instanceof Float64Array) return 'F64'
  if (data instanceof Float32Array) return 'F32'
  if (data instanceof BigInt64Array) return 'I64'
  if (data instanceof BigUint64Array) return 'U64'
  if (data instanceof Int32Array) return 'I32'
  if (data instanceof Uint32Array) return 'U32'
  if (data instanceof Int16Array) return 'I16'
  if (data instanceof Uint16Array) return 'U16'
  if (data instanceof Int8Array) return 'I8'
  return 'U8'
}

/**
 * Writes a safetensors file; the element type follows from each array's class.
 * Errors: SafetensorsError where a shape does not match its data.
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, { readonly shape: readonly number[]; readonly data: TensorData }]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  // Widest elements first, so that every tensor is aligned to its element size, then by name.
  const ordered = [...tensors].sort(
    ([nameA, a], [nameB, b]) =>
      b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT || (nameA < nameB ? -1 : nameA > nameB ? 1 : 0),
  )
  const header: [string, unknown][] = []
  if (Object.keys(metadata).length > 0) header.push(['__metadata__', metadata])
  let position = 0
  for (const [name, { shape, data }] of ordered) {
    if (name === '__metadata__') throw new SafetensorsError('A tensor cannot be called __metadata__.')
    if (shape.reduce((product, size) => product * size, 1) !== data.length) {
      throw new SafetensorsError(
        `Tensor "${name}" has ${data.length} values for shape [${shape.join(', ')}].`,
      )
    }
    header.push([
      name,
      { dtype: dtypeOf(data), shape, data_offsets: [position, (position += data.byteLength)] },
    ])
  }
  let text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)))
  const padded = Math.ceil(text.byteLength / 8) * 8
  if (padded > text.byteLength) {
    const spaces = new Uint8Array(padded).fill(0x20)
    spaces.set(text)
    text = spaces
  }
  const file = new Uint8Array(8 + padded + position)
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true)
  file.set(text, 8)
  position = 8 + padded
  for (const [, { data }] of ordered) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position)
    position += data.byteLength
  }
  return file
}
