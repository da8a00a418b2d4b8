import { describe, expect, test } from 'vitest'
import { readCsv, writeCsv } from '../../src/math/csv'
import { readNpy, writeNpy } from '../../src/math/npy'

describe('NPY', () => {
  test.each([
    [[3], Float32Array.of(1, -2.5, Infinity)],
    [[2, 2], Float64Array.of(1, Math.PI, -0, 1e-300)],
    [[], Float64Array.of(4)],
    [[0, 5], new Float32Array(0)],
  ])('shape %j is read back', (shape, data) => {
    const file = writeNpy({ shape, data })
    // NumPy maps the data into memory from a 64-byte boundary.
    expect((file.length - data.byteLength) % 64).toBe(0)
    const shifted = new Uint8Array(file.length + 1)
    shifted.set(file, 1)
    const read = readNpy(shifted.subarray(1))
    expect(read.shape).toEqual(shape)
    expect(read.data).toEqual(data)
  })

  const good = writeNpy({ shape: [2], data: Float32Array.of(1, 2) })
  const edited = (from: string, to: string) =>
    Uint8Array.from(
      Array.from(good, (byte) => String.fromCharCode(byte))
        .join('')
        .replace(from, to),
      (character) => character.charCodeAt(0),
    )
  test.each([
    ['another file', new Uint8Array(20), /Not an NPY/],
    ['a later version', good.map((byte, i) => (i === 6 ? 2 : byte)), /version 2/],
    ['a truncated header', good.subarray(0, 40), /header is truncated/],
    ['truncated data', good.subarray(0, -4), /4 bytes, the shape needs 8/],
    ['another type', edited('<f4', '<i4'), /type <i4/],
    ['Fortran order', edited('False', 'True '), /Fortran/],
    ['a malformed header', edited('descr', 'dress'), /malformed/],
  ])('%s is refused with its reason', (_, file, message) => {
    expect(() => readNpy(file)).toThrow(message)
  })
})

describe('CSV', () => {
  test('float32 and float64 are read back exactly', () => {
    for (const values of [
      Float32Array.of(0.1, -1e-7, 3, 16777217),
      Float64Array.of(0.1, Math.PI, -1e-20, 1 / 3),
    ]) {
      const table = readCsv(writeCsv(['a', 'b'], values))
      expect(table.header).toEqual(['a', 'b'])
      expect(table.columns).toBe(2)
      expect([...(values instanceof Float32Array ? Float32Array.from(table.values) : table.values)]).toEqual([
        ...values,
      ])
    }
  })

  test('no header, other separators, blank lines, byte order mark, Windows line ends', () => {
    const table = readCsv('\uFEFF1;2\r\n\r\n 3 ; 4e-1\r\n')
    expect(table.header).toBeUndefined()
    expect([...table.values]).toEqual([1, 2, 3, 0.4])
  })

  test.each([
    ['', /no numbers/],
    ['a,b\n', /no numbers/],
    ['1,2\n3\n', /Line 2 has 1 columns/],
    ['x,y\n1,2\n\n3,oops\n', /Line 4, column 2: "oops"/],
    ['1,2\n3,\n', /Line 2, column 2/],
    ['1,2\n3,Infinity\n', /"Infinity" is not a number/],
  ])('%j is refused with the line', (text, message) => {
    expect(() => readCsv(text)).toThrow(message)
  })
})
