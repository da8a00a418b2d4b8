/**
 * What a picture's first bytes say: its format, its size in pixels and whether it moves. So that a picture of 100
 * megapixels, or a text file called .png, is refused before the browser decodes it.
 *
 * Sources: PNG (W3C, chunks), JPEG (ITU T.81, SOF markers), GIF89a, WebP (RFC 9649), BMP (Windows headers), ISO BMFF
 * ("ispe" of AVIF and HEIC).
 */

export type ImageFormat = 'PNG' | 'JPEG' | 'GIF' | 'WebP' | 'BMP' | 'AVIF' | 'HEIC' | 'TIFF' | 'ICO'

export type ImageHeader =
  | {
      readonly kind: 'picture'
      readonly format: ImageFormat
      /** As stored, before any rotation; null where the first bytes do not say. */
      readonly width: number | null
      readonly height: number | null
      readonly animated: boolean
    }
  | { readonly kind: 'svg' | 'text' | 'empty' | 'unknown' }

/** Bytes that are enough for nearly every picture: a JPEG's size may come after long metadata. */
export const HEADER_BYTES = 1 << 20

type Size = { readonly width: number; readonly height: number; readonly animated?: boolean }

/** Reads the first bytes of a file (the whole file, or HEADER_BYTES of it). Never throws. */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  if (bytes.length === 0) return { kind: 'empty' }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (const [format, matches, size] of formats) {
    if (!matches(bytes)) continue
    const found = size(view, bytes)
    return {
      kind: 'picture',
      format,
      width: found?.width ?? null,
      height: found?.height ?? null,
      animated: found?.animated ?? false,
    }
  }
  const text = textOf(bytes)
  if (text === undefined) return { kind: 'unknown' }
  return { kind: /<svg[\s>]/i.test(text) ? 'svg' : 'text' }
}

type Format = readonly [
  ImageFormat,
  (bytes: Uint8Array) => boolean,
  (view: DataView, bytes: Uint8Array) => Size | undefined,
]

const formats: readonly Format[] = [
  ['PNG', (bytes) => startsWith(bytes, 0, '\x89PNG\r\n\x1a\n'), pngSize],
  ['JPEG', (bytes) => startsWith(bytes, 0, '\xff\xd8\xff'), jpegSize],
  ['GIF', (bytes) => startsWith(bytes, 0, 'GIF87a') || startsWith(bytes, 0, 'GIF89a'), gifSize],
  ['WebP', (bytes) => startsWith(bytes, 0, 'RIFF') && startsWith(bytes, 8, 'WEBP'), webpSize],
  ['BMP', (bytes) => startsWith(bytes, 0, 'BM') && bytes.length >= 26 && bytes[15] === 0, bmpSize],
  ['AVIF', (bytes) => startsWith(bytes, 4, 'ftyp') && /avi[fs]/.test(ascii(bytes, 8, 40)), ispeSize],
  [
    'HEIC',
    (bytes) => startsWith(bytes, 4, 'ftyp') && /hei[cxms]|hev[cx]|mif1/.test(ascii(bytes, 8, 40)),
    ispeSize,
  ],
  ['TIFF', (bytes) => startsWith(bytes, 0, 'II*\0') || startsWith(bytes, 0, 'MM\0*'), () => undefined],
  ['ICO', (bytes) => startsWith(bytes, 0, '\0\0\x01\0'), () => undefined],
]

function pngSize(view: DataView, bytes: Uint8Array): Size | undefined {
  if (view.byteLength < 24 || !startsWith(bytes, 12, 'IHDR')) return undefined
  let animated = false
  for (let at = 8; at + 12 <= view.byteLength; at += 12 + view.getUint32(at)) {
    if (startsWith(bytes, at + 4, 'acTL')) animated = true
    if (animated || startsWith(bytes, at + 4, 'IDAT')) break
  }
  return { width: view.getUint32(16), height: view.getUint32(20), animated }
}

function jpegSize(view: DataView): Size | undefined {
  let at = 2
  while (at + 9 <= view.byteLength) {
    if (view.getUint8(at) !== 0xff) return undefined
    const marker = view.getUint8(at + 1)
    if (marker === 0xff) {
      at += 1
      continue
    }
    // Start of frame, but not the tables DHT (C4), JPG (C8) and DAC (CC).
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) }
    const hasNoBody = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)
    at += hasNoBody ? 2 : 2 + view.getUint16(at + 2)
  }
  return undefined
}

function gifSize(view: DataView): Size | undefined {
  if (view.byteLength < 13) return undefined
  return { width: view.getUint16(6, true), height: view.getUint16(8, true), animated: hasTwoFrames(view) }
}

/** Walks a GIF's blocks to its second picture. */
function hasTwoFrames(view: DataView): boolean {
  const tableBytes = (flags: number) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0)
  const end = view.byteLength
  let at = 13 + tableBytes(view.getUint8(10))
  let frames = 0
  while (at + 10 < end) {
    const block = view.getUint8(at)
    if (block === 0x2c) {
      frames += 1
      if (frames === 2) return true
      at += 11 + tableBytes(view.getUint8(at + 9))
    } else if (block === 0x21) at += 2
    else return false
    while (at < end && view.getUint8(at) !== 0) at += 1 + view.getUint8(at)
    at += 1
  }
  return false
}

function webpSize(view: DataView, bytes: Uint8Array): Size | undefined {
  if (view.byteLength < 30) return undefined
  const uint24 = (at: number) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
  if (startsWith(bytes, 12, 'VP8X'))
    return { width: uint24(24) + 1, height: uint24(27) + 1, animated: (view.getUint8(20) & 2) !== 0 }
  if (startsWith(bytes, 12, 'VP8L')) {
    const packed = view.getUint32(21, true)
    return { width: (packed & 0x3fff) + 1, height: ((packed >>> 14) & 0x3fff) + 1 }
  }
  if (!startsWith(bytes, 12, 'VP8 ')) return undefined
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
}

function bmpSize(view: DataView): Size {
  const isCore = view.getUint32(14, true) === 12
  if (isCore) return { width: view.getUint16(18, true), height: view.getUint16(20, true) }
  // A negative height says that the rows come from the top.
  return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) }
}

/** The largest of the "image spatial extents": tiles and thumbnails have theirs too. */
function ispeSize(view: DataView, bytes: Uint8Array): Size | undefined {
  let largest: Size | undefined
  for (let at = 8; at + 16 <= Math.min(view.byteLength, 1 << 16); at++) {
    if (!startsWith(bytes, at, 'ispe')) continue
    const size = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) }
    if (!largest || size.width * size.height > largest.width * largest.height) largest = size
  }
  return largest
}

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
  return true
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to))
}

/** The beginning as text; undefined where it is none. */
function textOf(bytes: Uint8Array): string | undefined {
  const head = bytes.subarray(0, 4096)
  const isText = head.every((byte) => byte >= 0x20 || (byte >= 9 && byte <= 13) || byte === 0x1b)
  if (!isText) return undefined
  return new TextDecoder().decode(head)
}
