import { describe, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../src/math/safetensors'

/** A file with the given header text and data bytes. */
function file(header: string, data = new Uint8Array(0), claimed?: bigint): Uint8Array {
  const text = new TextEncoder().encode(header)
  const bytes = new Uint8Array(8 + text.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true)
  bytes.set(text, 8)
  bytes.set(data, 8 + text.length)
  return bytes
}

const entry = (dtype: string, shape: unknown, offsets: unknown) =>
  JSON.stringify({ a: { dtype, shape, data_offsets: offsets } })

describe('safetensors', () => {
  test('what is written is read back, whatever the types and the alignment of the input', () => {
    const tensors = new Map([
      ['bytes', { shape: [3], data: new Uint8Array([1, 2, 255]) }],
      ['weights', { shape: [2, 2], data: new Float32Array([1, -2, 0.5, NaN]) }],
      ['empty', { shape: [0, 4], data: new Float32Array(0) }],
      ['scalar', { shape: [], data: new Float64Array([Math.PI]) }],
      ['long', { shape: [2], data: new BigInt64Array([-1n, 2n ** 62n]) }],
      ['ganz-groß', { shape: [2], data: new Int16Array([-5, 6]) }],
    ] as const)
    const written = writeSafetensors(tensors, { format: 'pt', note: 'ε' })
    const shifted = new Uint8Array(written.length + 3)
    shifted.set(written, 3)
    const { tensors: read, metadata } = readSafetensors(shifted.subarray(3))
    expect(metadata).toEqual({ format: 'pt', note: 'ε' })
    expect(read.size).toBe(tensors.size)
    for (const [name, { shape, data }] of tensors) {
      expect(read.get(name)!.shape).toEqual(shape)
      expect(read.get(name)!.data).toEqual(data)
    }
  })

  test('half and bfloat16 are widened', () => {
    const halves = new Uint16Array([0x3c00, 0xc000, 0x0001, 0x7c00, 0x3555])
    const { tensors } = readSafetensors(file(entry('F16', [5], [0, 10]), new Uint8Array(halves.buffer)))
    expect([...tensors.get('a')!.data]).toEqual([1, -2, 2 ** -24, Infinity, 0.333251953125])
    const brain = new Uint16Array([0x3f80, 0xc040])
    const read = readSafetensors(file(entry('BF16', [2], [0, 4]), new Uint8Array(brain.buffer)))
    expect([...read.tensors.get('a')!.data]).toEqual([1, -3])
  })

  test.each([
    ['an empty file', new Uint8Array(0), /at least 8/],
    ['a hostile header size', file('{}', undefined, 2n ** 63n), /claims 9223372036854775808 bytes/],
    ['a truncated header', file('{}', undefined, 100n), /truncated/],
    ['a header that is not JSON', file('{"a"'), /not JSON/],
    ['a header that is no object', file('[1]'), /not a JSON object/],
    ['bad UTF-8', file('{}\xff').map((b, i) => (i === 10 ? 0xff : b)), /not JSON/],
    ['an unknown type', file(entry('F128', [1], [0, 16]), new Uint8Array(16)), /"F128"; readable are F64/],
    ['an inherited name as type', file(entry('toString', [1], [0, 4]), new Uint8Array(4)), /readable are/],
    ['a negative size', file(entry('F32', [-1], [0, 4]), new Uint8Array(4)), /shape \[-1\]/],
    ['a fractional size', file(entry('F32', [0.5], [0, 2]), new Uint8Array(2)), /shape/],
    ['an overflowing size', file(entry('F32', [2 ** 52, 2 ** 52], [0, 0])), /needs .* bytes/],
    ['a missing shape', file('{"a":{"dtype":"F32","data_offsets":[0,4]}}'), /shape undefined/],
    ['offsets that are not two numbers', file(entry('F32', [1], [0])), /data_offsets \[0\]/],
    [
      'offsets that do not match the shape',
      file(entry('F32', [2], [0, 4]), new Uint8Array(4)),
      /needs 8 bytes/,
    ],
    ['truncated data', file(entry('F32', [2], [0, 8]), new Uint8Array(4)), /only 4 bytes of data/],
    ['a hole', file(entry('F32', [1], [4, 8]), new Uint8Array(8)), /overlap or leave a hole/],
    ['trailing bytes', file(entry('F32', [1], [0, 4]), new Uint8Array(7)), /3 bytes at the end/],
    ['metadata that is not text', file('{"__metadata__":{"k":1}}'), /"k" is not a string/],
    ['an entry that is no object', file('{"a":3}'), /not an object/],
  ])('%s is refused with its reason', (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(message)
  })

  test('overlapping tensors are refused', () => {
    const header = JSON.stringify({
      a: { dtype: 'U8', shape: [4], data_offsets: [0, 4] },
      b: { dtype: 'U8', shape: [4], data_offsets: [2, 6] },
    })
    expect(() => readSafetensors(file(header, new Uint8Array(6)))).toThrow(/overlap/)
  })

  test('a shape that does not match the data is not written', () => {
    expect(() => writeSafetensors([['a', { shape: [3], data: new Float32Array(2) }]])).toThrow(/2 values/)
  })
})
