/**
 * Images of the benchmark from files: Fashion-MNIST as it is distributed, and pictures, which a browser decodes as in the page.
 */
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { prepareBrowser } from '../../scripts/browser.mjs'
import { imageOfPicture, scaledSquare } from '../experiments/images/pictures'
import { centralCrop } from '../store/images/imageSource'
import type { Picture } from '../store/images/types'

/** IDX: 0, 0, 8 (unsigned bytes), 3 (dimensions), then count, height and width, big endian. */
const IDX_MAGIC = 0x00000803
const IDX_HEADER = 16

/**
 * The first `count` images of an IDX file, gzipped or not, in a black frame of side × side pixels: [count, side, side]
 * in [-1, 1]. Errors: RangeError where the file is no such file, has too few images, or they are larger than the frame.
 */
export async function readIdxImages(path: string, count: number, side: number): Promise<Float32Array> {
  const file = await readFile(path)
  const bytes = file[0] === 0x1f && file[1] === 0x8b ? gunzipSync(file) : file
  if (bytes.length < IDX_HEADER || bytes.readUInt32BE(0) !== IDX_MAGIC) {
    throw new RangeError(`${path} is no IDX file of images: take t10k-images-idx3-ubyte.gz.`)
  }
  const [available, height, width] = [4, 8, 12].map((at) => bytes.readUInt32BE(at)) as [
    number,
    number,
    number,
  ]
  if (bytes.length !== IDX_HEADER + available * height * width || count > available) {
    throw new RangeError(`${path} is cut off, or has fewer than ${count} images.`)
  }
  if (height > side || width > side) {
    throw new RangeError(`Images of ${width} × ${height} do not fit into ${side} × ${side} pixels.`)
  }
  const images = new Float32Array(count * side * side).fill(-1)
  const [top, left] = [Math.floor((side - height) / 2), Math.floor((side - width) / 2)]
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const value = bytes[IDX_HEADER + (n * height + i) * width + j]!
        images[(n * side + top + i) * side + left + j] = value / 127.5 - 1
      }
    }
  }
  return images
}

/** Central squares of pictures, [count, channels, side, side] in [-1, 1]. Errors: what the browser reports. */
export async function readPictures(
  paths: readonly string[],
  channels: number,
  side: number,
): Promise<Float32Array> {
  const { chromium } = await import('playwright-core')
  const browser = await chromium.launch({
    executablePath: prepareBrowser(),
    args: ['--no-sandbox', '--disable-quic'],
  })
  try {
    const page = await browser.newPage()
    const size = channels * side * side
    const images = new Float32Array(paths.length * size)
    for (const [i, path] of paths.entries()) {
      const base64 = (await readFile(path)).toString('base64')
      const decoded = await page.evaluate(decode, base64).catch((cause: unknown) => {
        throw new RangeError(`${path} is no picture that Chromium decodes.`, { cause })
      })
      const rgba = Buffer.from(decoded.base64, 'base64')
      const picture: Picture = { ...decoded, data: new Uint8ClampedArray(rgba) }
      const square = scaledSquare(picture, centralCrop(picture), side)
      images.set(imageOfPicture(square, channels), i * size)
    }
    return images
  } finally {
    await browser.close()
  }
}

/** In the page: a picture's pixels, as base64 because only JSON leaves it. */
async function decode(base64: string) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  const bitmap = await createImageBitmap(new Blob([bytes]), { premultiplyAlpha: 'none' })
  const { width, height } = bitmap
  const context = new OffscreenCanvas(width, height).getContext('2d')!
  context.drawImage(bitmap, 0, 0)
  const { data } = context.getImageData(0, 0, width, height)
  const reader = new FileReader()
  const url = await new Promise<string>((resolve, reject) => {
    reader.addEventListener('load', () => resolve(reader.result as string))
    reader.addEventListener('error', () => reject(reader.error!))
    reader.readAsDataURL(new Blob([data]))
  })
  return { width, height, base64: url.slice(url.indexOf(',') + 1) }
}
