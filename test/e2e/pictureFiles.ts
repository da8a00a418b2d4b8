/** Picture files for the tests: written without the browser, read back by it. */
import { crc32, deflateSync } from 'node:zlib'
import type { Page } from 'playwright-core'

export type Colour = readonly [red: number, green: number, blue: number]

/** A colour PNG. Source: the W3C's PNG specification. */
export function pngFile(width: number, height: number, colourAt: (x: number, y: number) => Colour): Buffer {
  const rows = Buffer.alloc(height * (1 + 3 * width))
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows.set(colourAt(x, y), y * (1 + 3 * width) + 1 + 3 * x)
  return Buffer.concat([...pngBeginning(width, height), chunk('IDAT', deflateSync(rows)), chunk('IEND')])
}

/** A PNG that says its size and holds nothing more. */
export function pngHeader(width: number, height: number): Buffer {
  return Buffer.concat(pngBeginning(width, height))
}

function pngBeginning(width: number, height: number): Buffer[] {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // Eight bits, red, green and blue.
  header.set([8, 2, 0, 0, 0], 8)
  return [Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header)]
}

function chunk(type: string, content: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}

/** A hill with dark houses and bright windows under a sun at the left: smooth parts, and many edges to be blurred. */
export function landscape(width: number, height: number): Buffer {
  return pngFile(width, height, (x, y) => {
    const [across, down] = [x / height, y / height]
    if ((across - 0.2) ** 2 + (down - 0.22) ** 2 < 0.01) return [250, 220, 90]
    const house = across % 0.32
    if (down > 0.45 && down < 0.85 && house > 0.08) {
      const isWindow = house % 0.12 > 0.06 && (down - 0.45) % 0.16 > 0.08
      return isWindow ? [250, 240, 200] : [60, 30, 30]
    }
    return down > 0.7 ? [70, 120 + 40 * (1 - down), 60] : [110 + 90 * down, 150 + 70 * down, 225]
  })
}

/** A JPEG of the left half red and the right half blue, lying on its side: its EXIF says to turn it clockwise. */
export async function turnedJpeg(page: Page): Promise<Buffer> {
  const base64 = await page.evaluate(() => {
    const canvas = document.createElement('canvas')
    canvas.width = 64
    canvas.height = 48
    const context = canvas.getContext('2d')!
    context.fillStyle = '#d02020'
    context.fillRect(0, 0, 32, 48)
    context.fillStyle = '#2020d0'
    context.fillRect(32, 0, 32, 48)
    return canvas.toDataURL('image/jpeg', 0.95).split(',')[1]!
  })
  const jpeg = Buffer.from(base64, 'base64')
  // Big-endian TIFF with one entry: orientation (0x0112), short, one of them, 6.
  const exif = Buffer.from(
    `${Buffer.from('Exif\0\0MM').toString('hex')}002a00000008000101120003000000010006000000000000`,
    'hex',
  )
  const marker = Buffer.from([0xff, 0xe1, 0, exif.length + 2])
  return Buffer.concat([jpeg.subarray(0, 2), marker, exif, jpeg.subarray(2)])
}

export interface Pixels {
  readonly width: number
  readonly height: number
  /** RGBA. */
  readonly data: readonly number[]
}

/** A picture file as the browser sees it. */
export async function pixelsOf(page: Page, file: Buffer): Promise<Pixels> {
  return await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    const bitmap = await createImageBitmap(new Blob([bytes]))
    const { width, height } = bitmap
    const context = new OffscreenCanvas(width, height).getContext('2d')!
    context.drawImage(bitmap, 0, 0)
    return { width, height, data: [...context.getImageData(0, 0, width, height).data] }
  }, file.toString('base64'))
}

/** Peak signal-to-noise ratio in dB. */
export function psnrOf(picture: Pixels, truth: Pixels): number {
  let [sum, count] = [0, 0]
  for (const [i, value] of picture.data.entries()) {
    if (i % 4 === 3) continue
    sum += (value - truth.data[i]!) ** 2
    count += 1
  }
  return 10 * Math.log10((255 ** 2 * count) / sum)
}
