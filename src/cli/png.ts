/**
 * PNG files (ISO/IEC 15948): pictures with 8 bits a channel, and no colour profile, are written and read here, so that neither
 * needs a browser. What else there is (palettes, 16 bits, interlacing, profiles) is left to one.
 *
 *     signature, then chunks: length, type, data, CRC-32 of type and data; IDAT holds filtered rows, deflated
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib'
import type { Picture } from '../store/images/types'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** Colour types and their channels: gray, RGB, gray and alpha, RGBA. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 4: 2, 6: 4 }
const RGBA = 6
/** Length, type and CRC of a chunk. */
const CHUNK_BYTES = 12
/** Chunks that do not change how the pixels look. */
const READABLE = /^(IHDR|IDAT|IEND|sRGB|pHYs|tEXt|zTXt|iTXt|tIME|bKGD|sBIT|hIST)$/

/** A picture as a PNG file with its alpha. */
export function encodePng({ width, height, data }: Picture): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, RGBA, 0, 0, 0], 8)
  const stride = 4 * width
  const rows = Buffer.alloc(height * (stride + 1))
  // each row begins with its filter, 0 for none
  for (let i = 0; i < height; i++) rows.set(data.subarray(i * stride, (i + 1) * stride), i * (stride + 1) + 1)
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** The picture of a PNG file; undefined where it is none, damaged, or not of the kind described above. */
export function decodePng(bytes: Uint8Array): Picture | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const chunks = readChunks(file)
  const header = chunks?.[0]
  if (!chunks || header?.type !== 'IHDR' || header.data.length !== 13) return undefined
  const [width, height] = [header.data.readUInt32BE(0), header.data.readUInt32BE(4)]
  const [depth, colour = -1, compression, filter, interlace] = header.data.subarray(8)
  const channels = CHANNELS[colour]
  if (depth !== 8 || !channels || compression !== 0 || filter !== 0 || interlace !== 0) return undefined
  if (chunks.some(({ type }) => !READABLE.test(type)) || chunks.at(-1)?.type !== 'IEND') return undefined
  const stride = channels * width
  const deflated = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data))
  try {
    const rows = inflateSync(deflated, { maxOutputLength: height * (stride + 1) })
    if (rows.length !== height * (stride + 1)) return undefined
    const values = unfilter(rows, height, stride, channels)
    return values && { width, height, data: rgbaOf(values, channels) }
  } catch {
    return undefined
  }
}

function readChunks(file: Buffer): readonly { readonly type: string; readonly data: Buffer }[] | undefined {
  if (!file.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return undefined
  const chunks: { type: string; data: Buffer }[] = []
  let at = SIGNATURE.length
  while (at + CHUNK_BYTES <= file.length) {
    const length = file.readUInt32BE(at)
    const end = at + 8 + length
    if (end + 4 > file.length) return undefined
    if (file.readUInt32BE(end) !== crc32(file.subarray(at + 4, end))) return undefined
    chunks.push({ type: file.toString('latin1', at + 4, at + 8), data: file.subarray(at + 8, end) })
    at = end + 4
  }
  return chunks
}

/** Undoes the rows' filters: each byte was stored less a prediction from those left, above, and above left of it. */
function unfilter(rows: Buffer, height: number, stride: number, channels: number): Uint8Array | undefined {
  const values = new Uint8Array(height * stride)
  for (let i = 0; i < height; i++) {
    const predict = filters[rows[i * (stride + 1)]!]
    if (!predict) return undefined
    const [from, to] = [i * (stride + 1) + 1, i * stride]
    for (let j = 0; j < stride; j++) {
      const left = j >= channels ? values[to + j - channels]! : 0
      const above = i > 0 ? values[to + j - stride]! : 0
      const corner = i > 0 && j >= channels ? values[to + j - stride - channels]! : 0
      values[to + j] = rows[from + j]! + predict(left, above, corner)
    }
  }
  return values
}

const filters: readonly ((left: number, above: number, corner: number) => number)[] = [
  () => 0,
  (left) => left,
  (_, above) => above,
  (left, above) => (left + above) >> 1,
  paeth,
]

/** Whichever of the three is nearest to left + above - corner; the first of those as near. */
function paeth(left: number, above: number, corner: number): number {
  const [a, b, c] = [above - corner, left - corner, left + above - 2 * corner].map(Math.abs) as [
    number,
    number,
    number,
  ]
  if (a <= b && a <= c) return left
  return b <= c ? above : corner
}

function rgbaOf(values: Uint8Array, channels: number): Uint8ClampedArray<ArrayBuffer> {
  const isGray = channels < 3
  const hasAlpha = channels % 2 === 0
  const data = new Uint8ClampedArray((4 * values.length) / channels)
  for (let i = 0; i < data.length / 4; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = values[channels * i + (isGray ? 0 : c)]!
    data[4 * i + 3] = hasAlpha ? values[channels * (i + 1) - 1]! : 255
  }
  return data
}

function chunk(type: string, data: Buffer): Buffer {
  const bytes = Buffer.alloc(CHUNK_BYTES + data.length)
  bytes.writeUInt32BE(data.length, 0)
  bytes.write(type, 4, 'latin1')
  bytes.set(data, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), data.length + 8)
  return bytes
}
