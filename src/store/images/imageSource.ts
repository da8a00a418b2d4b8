/** Opens a visitor's picture: looks at its header, lets the browser decode it, and keeps at most 4,096 pixels a side. */
import { HEADER_BYTES, readImageHeader, type ImageHeader } from './imageHeader'
import type { Crop, Picture } from './types'

/** More are refused before decoding: RGBA of 64 megapixels is a quarter of a gigabyte. */
export const MOST_MEGAPIXELS = 64
/** Longer sides are scaled down. */
export const MOST_PIXELS_A_SIDE = 4096

/** A picture that cannot be opened: what is wrong, and what to do. */
export class ImageError extends Error {
  override readonly name = 'ImageError'
  constructor(
    message: string,
    readonly nextStep: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

export interface OpenedImage {
  readonly original: Picture
  /** Things worth knowing, for example that only the first frame of an animation is used. */
  readonly notices: readonly string[]
}

/** Turns a file into pixels, EXIF-oriented, at most `mostSide` a side. Rejects where the browser cannot. */
export type DecodeImage = (blob: Blob, mostSide: number) => Promise<Picture>

/** Errors: ImageError. */
export async function openPicture(
  blob: Blob,
  name: string,
  decode: DecodeImage = decodeInBrowser,
): Promise<OpenedImage> {
  const header = readImageHeader(new Uint8Array(await blob.slice(0, HEADER_BYTES).arrayBuffer()))
  refuseOthers(header, name)
  const format = header.kind === 'picture' ? header.format : 'file'
  let original: Picture
  try {
    original = await decode(blob, MOST_PIXELS_A_SIDE)
  } catch (cause) {
    throw new ImageError(
      `The browser could not decode “${name}”: the ${format} is damaged or cut off, or not of a kind that it reads.`,
      format === 'HEIC' || format === 'TIFF' || format === 'AVIF'
        ? `Few browsers read ${format}: save the picture as JPEG or PNG first.`
        : 'Open it in a picture program and save it again as PNG or JPEG.',
      { cause },
    )
  }
  return { original, notices: noticesOf(header, name) }
}

/** The largest square in the middle. */
export function centralCrop({ width, height }: Pick<Picture, 'width' | 'height'>): Crop {
  const side = Math.min(width, height)
  return { x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2), side }
}

/** The crop in whole pixels, at least one and inside the picture. */
export function clampCrop(crop: Crop, { width, height }: Pick<Picture, 'width' | 'height'>): Crop {
  const clamp = (value: number, least: number, most: number) =>
    Math.min(Math.max(Number.isFinite(value) ? Math.round(value) : least, least), most)
  const side = clamp(crop.side, 1, Math.min(width, height))
  return { side, x: clamp(crop.x, 0, width - side), y: clamp(crop.y, 0, height - side) }
}

function refuseOthers(header: ImageHeader, name: string): void {
  switch (header.kind) {
    case 'empty':
      throw new ImageError(`“${name}” is empty: it has no bytes.`, 'Copy or download the picture again.')
    case 'text':
      throw new ImageError(
        `“${name}” is a text file, whatever its name says.`,
        'Choose a PNG, JPEG, WebP, GIF, BMP or AVIF picture.',
      )
    case 'svg':
      throw new ImageError(
        `“${name}” is an SVG: a drawing in lines, without pixels of its own.`,
        'Export it as PNG at the size that you want, and open that.',
      )
    case 'unknown':
      throw new ImageError(
        `“${name}” is not a picture of a kind that is known here.`,
        'Choose a PNG, JPEG, WebP, GIF, BMP or AVIF picture.',
      )
    case 'picture': {
      const { width, height, format } = header
      if (width === null || height === null) return
      if (width === 0 || height === 0) {
        throw new ImageError(
          `“${name}” is a ${format} of ${width} × ${height} pixels: there is nothing in it.`,
          'Save the picture again, or choose another.',
        )
      }
      const megapixels = (width * height) / 1e6
      if (megapixels <= MOST_MEGAPIXELS) return
      throw new ImageError(
        `“${name}” has ${width} × ${height} pixels, ${Math.round(megapixels)} megapixels; at most ${MOST_MEGAPIXELS} are opened, so that the tab does not run out of memory.`,
        `Scale it down first: the lab keeps ${MOST_PIXELS_A_SIDE} pixels a side at most.`,
      )
    }
  }
}

function noticesOf(header: ImageHeader, name: string): string[] {
  if (header.kind !== 'picture') return []
  const notices: string[] = []
  if (header.animated) notices.push(`“${name}” moves; its first frame is used.`)
  const longest = Math.max(header.width ?? 0, header.height ?? 0)
  if (longest > MOST_PIXELS_A_SIDE) {
    notices.push(
      `“${name}” was scaled from ${header.width} × ${header.height} to at most ${MOST_PIXELS_A_SIDE} pixels a side.`,
    )
  }
  return notices
}

/** By the browser, which also turns the picture as its EXIF says. Complete in itself: the command line sends it to one. */
export const decodeInBrowser: DecodeImage = async (blob, mostSide) => {
  const bitmap = await createImageBitmap(blob, { imageOrientation: 'from-image' })
  try {
    const scale = Math.min(1, mostSide / Math.max(bitmap.width, bitmap.height))
    const width = Math.max(1, Math.round(bitmap.width * scale))
    const height = Math.max(1, Math.round(bitmap.height * scale))
    const canvas = new OffscreenCanvas(width, height)
    const context = canvas.getContext('2d', { willReadFrequently: true })
    if (!context) throw new Error('The browser gave no canvas.')
    context.imageSmoothingQuality = 'high'
    // Transparent parts become white, as on paper.
    context.fillStyle = '#ffffff'
    context.fillRect(0, 0, width, height)
    context.drawImage(bitmap, 0, 0, width, height)
    const { data } = context.getImageData(0, 0, width, height)
    return { width, height, data }
  } finally {
    bitmap.close()
  }
}
