/**
 * NPY 1.0, little-endian float32 and float64, C order: magic, version, header length, a Python dict, the data.
 * Source: numpy.org, numpy.lib.format.
 */

export interface NpyArray {
  readonly shape: readonly number[]
  readonly data: Float32Array | Float64Array
}

/** The bytes are not an NPY file that can be read; the message says why. */
export class NpyError extends Error {
  override readonly name = 'NpyError'
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

/** Error: NpyError where the shape does not match the data. */
export function writeNpy({ shape, data }: NpyArray): Uint8Array<ArrayBuffer> {
  if (shape.reduce((product, size) => product * size, 1) !== data.length) {
    throw new NpyError(`${data.length} values do not fill the shape (${shape.join(', ')}).`)
  }
  const descr = data instanceof Float64Array ? '<f8' : '<f4'
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`
  // The data start at a multiple of 64 bytes.
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10
  const header = new TextEncoder().encode(dict.padEnd(length - 1) + '\n')
  const file = new Uint8Array(10 + length + data.byteLength)
  file.set([...MAGIC, 1, 0, length & 0xff, length >> 8])
  file.set(header, 10)
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + length)
  return file
}

/** Reads version 1.0, '<f4' or '<f8', C order. Error: NpyError. */
export function readNpy(bytes: ArrayBuffer | Uint8Array): NpyArray {
  const file = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)
  if (file.length < 10 || !MAGIC.every((byte, i) => file[i] === byte)) throw new NpyError('Not an NPY file.')
  if (file[6] !== 1) throw new NpyError(`NPY version ${file[6]}.${file[7]} is not read; save as version 1.0.`)
  const start = 10 + (file[8]! | (file[9]! << 8))
  if (start > file.length) throw new NpyError('The NPY header is truncated.')
  const dict = new TextDecoder('latin1').decode(file.subarray(10, start))
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(dict)?.[1]
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(dict)?.[1]
  const tuple = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(dict)?.[1]
  if (descr === undefined || order === undefined || tuple === undefined) {
    throw new NpyError(`The NPY header is malformed: ${dict.trim().slice(0, 100)}`)
  }
  if (descr !== '<f4' && descr !== '<f8') {
    throw new NpyError(`NPY type ${descr} is not read; save as float32 or float64.`)
  }
  if (order === 'True') throw new NpyError('NPY in Fortran order is not read; save as C order.')
  const shape = tuple
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    .map(Number)
  const expected = shape.reduce((product, size) => product * size, descr === '<f8' ? 8 : 4)
  if (file.length - start !== expected) {
    throw new NpyError(`The NPY data have ${file.length - start} bytes, the shape needs ${expected}.`)
  }
  const buffer = file.slice(start).buffer
  return { shape, data: descr === '<f8' ? new Float64Array(buffer) : new Float32Array(buffer) }
}
