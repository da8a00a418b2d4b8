import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFileSync, readdirSync } from 'node:fs'
import { readImageHeader } from '../../../src/store/images/imageHeader'
import {
  centralCrop,
  clampCrop,
  MOST_MEGAPIXELS,
  openPicture,
  type DecodeImage,
} from '../../../src/store/images/imageSource'

const latin = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const be32 = (value: number) =>
  String.fromCharCode(value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255)
const le16 = (value: number) => String.fromCharCode(value & 255, value >> 8)
const le24 = (value: number) => le16(value & 0xffff) + String.fromCharCode(value >> 16)
const le32 = (value: number) => le16(value & 0xffff) + le16(value >>> 16)

const png = (width: number, height: number, chunks = '') =>
  latin(`\x89PNG\r\n\x1a\n${be32(13)}IHDR${be32(width)}${be32(height)}\b\x06\0\0\0crc!${chunks}`)
const chunk = (name: string, body: string) => `${be32(body.length)}${name}${body}crc!`

const gif = (frames: number) => {
  const frame = `\x2c${le16(0)}${le16(0)}${le16(4)}${le16(3)}\0\x02\x02ab\0`
  const control = '\x21\xf9\x04\0\0\0\0\0'
  return latin(`GIF89a${le16(4)}${le16(3)}\x80\0\0\0\0\0\xff\xff\xff${(control + frame).repeat(frames)};`)
}
const jpeg = (width: number, height: number) => {
  const be16 = (value: number) => String.fromCharCode(value >> 8, value & 255)
  const exif = `\xff\xe1${be16(20)}Exif\0\0${'x'.repeat(12)}`
  return latin(
    `\xff\xd8${exif}\xff\xc4${be16(5)}abc\xff\xc2${be16(11)}\b${be16(height)}${be16(width)}\x01abc`,
  )
}
const webp = (chunk: string) => latin(`RIFF${le32(100)}WEBP${chunk}`.padEnd(40, '\0'))
const bmp = (width: number, height: number) =>
  latin(`BM${le32(100)}${le32(0)}${le32(54)}${le32(40)}${le32(width)}${le32(height)}`.padEnd(60, '\0'))
const avif = latin(`${be32(24)}ftypavif${be32(0)}mif1miaf${be32(20)}ispe${be32(0)}${be32(640)}${be32(480)}`)

describe('the first bytes of a picture', () => {
  it.each([
    ['PNG', png(300, 200), 300, 200, false],
    ['PNG', png(300, 200, chunk('acTL', 'abcdefgh')), 300, 200, true],
    ['PNG', png(300, 200, chunk('IDAT', '') + chunk('acTL', 'abcdefgh')), 300, 200, false],
    ['JPEG', jpeg(4000, 3000), 4000, 3000, false],
    ['GIF', gif(1), 4, 3, false],
    ['GIF', gif(3), 4, 3, true],
    ['WebP', webp(`VP8X${le32(10)}\x02\0\0\0${le24(799)}${le24(599)}`), 800, 600, true],
    ['WebP', webp(`VP8L${le32(10)}\x2f${le32((99 << 14) | 49)}`), 50, 100, false],
    ['WebP', webp(`VP8 ${le32(10)}\0\0\0\x9d\x01\x2a${le16(320)}${le16(240)}`), 320, 240, false],
    ['BMP', bmp(640, 2 ** 32 - 480), 640, 480, false],
    ['AVIF', avif, 640, 480, false],
  ] as const)('give the size of a %s', (format, bytes, width, height, animated) => {
    expect(readImageHeader(bytes)).toEqual({ kind: 'picture', format, width, height, animated })
  })

  it('give the sizes of the bundled pictures, without decoding', () => {
    const folder = 'public/images'
    for (const file of readdirSync(folder).filter((name) => /\.(png|jpe?g)$/.test(name))) {
      const header = readImageHeader(new Uint8Array(readFileSync(`${folder}/${file}`)))
      expect(header).toMatchObject({ kind: 'picture', animated: false })
      if (header.kind === 'picture') expect(header.width! * header.height!).toBeGreaterThan(100)
    }
  })

  it('tell text, SVG, nothing and noise apart', () => {
    expect(readImageHeader(new Uint8Array(0))).toEqual({ kind: 'empty' })
    expect(readImageHeader(latin('Dear diary,\n'))).toEqual({ kind: 'text' })
    expect(readImageHeader(latin('<?xml version="1.0"?>\n<svg width="4">'))).toEqual({ kind: 'svg' })
    expect(readImageHeader(latin('\x7fELF\0\0'))).toEqual({ kind: 'unknown' })
  })

  it('never throw and never hang, whatever they are', () => {
    const beginnings = [png(3, 3), jpeg(3, 3), gif(2), webp('VP8X'), bmp(3, 3), avif, latin('II*\0')]
    fc.assert(
      fc.property(
        fc.constantFrom(...beginnings),
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(60),
        (begin, tail, cut) => {
          readImageHeader(Uint8Array.of(...begin.subarray(0, cut), ...tail))
        },
      ),
    )
  })
})

describe('opening a picture', () => {
  const decode: DecodeImage = () =>
    Promise.resolve({ width: 2, height: 1, data: new Uint8ClampedArray(8).fill(255) })
  const open = (bytes: Uint8Array<ArrayBuffer>, name = 'a.png') =>
    openPicture(new Blob([bytes]), name, (blob, most) => decode(blob, most))

  it('refuses before decoding what is no picture, empty or too large, and says what to do', async () => {
    const never: DecodeImage = () => Promise.reject(new Error('decoded'))
    const refused = (bytes: Uint8Array<ArrayBuffer>) => openPicture(new Blob([bytes]), 'a.png', never)
    await expect(refused(latin('hello'))).rejects.toThrow('text file')
    await expect(refused(new Uint8Array(0))).rejects.toThrow('empty')
    await expect(refused(latin('<svg>'))).rejects.toThrow('SVG')
    await expect(refused(png(0, 5))).rejects.toThrow('0 × 5')
    await expect(refused(png(10_000, 10_000))).rejects.toThrow(
      `100 megapixels; at most ${MOST_MEGAPIXELS} are opened`,
    )
    await expect(refused(png(2 ** 31, 2 ** 31))).rejects.toThrow('megapixels')
    await expect(refused(png(5, 5))).rejects.toThrow(/damaged or cut off/)
  })

  it('says that an animation gives its first frame', async () => {
    expect((await open(gif(2))).notices[0]).toContain('first frame')
    expect((await open(gif(1))).notices).toEqual([])
  })

  it('keeps a crop inside the picture', () => {
    const size = { width: 30, height: 20 }
    expect(centralCrop(size)).toEqual({ x: 5, y: 0, side: 20 })
    expect(clampCrop({ x: -4, y: 99, side: 7.6 }, size)).toEqual({ x: 0, y: 12, side: 8 })
    expect(clampCrop({ x: Number.NaN, y: 0, side: 1e9 }, size)).toEqual({ x: 0, y: 0, side: 20 })
  })
})
