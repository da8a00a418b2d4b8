/** Images from files: Fashion-MNIST as it is distributed, and pictures, which are opened as in the page. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { imageOfPicture, scaledSquare } from '../experiments/images/pictures'
import { centralCrop, openPicture } from '../store/images/imageSource'
import type { Picture } from '../store/images/types'
import { NoBrowserError, PictureDecoder } from './pictureDecoder'

const PICTURES = 'public/images'

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

/** Central squares of pictures, [count, channels, side, side] in [-1, 1]. Errors: ImageError. */
export async function readPictures(
  paths: readonly string[],
  channels: number,
  side: number,
): Promise<Float32Array> {
  const size = channels * side * side
  const images = new Float32Array(paths.length * size)
  for (const [i, picture] of (await openPictures(paths)).entries()) {
    const square = scaledSquare(picture, centralCrop(picture), side)
    images.set(imageOfPicture(square, channels), i * size)
  }
  return images
}

/** Pictures as the page opens them. Errors: ImageError, NoBrowserError, those of the file system. */
export async function openPictures(paths: readonly string[]): Promise<Picture[]> {
  const decoder = new PictureDecoder()
  const pictures: Picture[] = []
  try {
    for (const path of paths) {
      const opened = await openPicture(new Blob([await readFile(path)]), path, decoder.decode).catch(
        (error: Error) => {
          throw error.cause instanceof NoBrowserError ? error.cause : error
        },
      )
      for (const notice of opened.notices) process.stderr.write(`${notice}\n`)
      pictures.push(opened.original)
    }
    return pictures
  } finally {
    await decoder.close()
  }
}

/** A picture of public/images. */
export interface BundledPicture {
  readonly name: string
  readonly path: string
  readonly channels: number
}

export async function bundledPictures(): Promise<readonly BundledPicture[]> {
  const list = JSON.parse(await readFile(join(PICTURES, 'index.json'), 'utf8')) as readonly {
    readonly name: string
    readonly file: string
    readonly channels: number
  }[]
  return list.map(({ name, file, channels }) => ({ name, channels, path: join(PICTURES, file) }))
}
