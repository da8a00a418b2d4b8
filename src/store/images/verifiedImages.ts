/** Pictures as the clean images that a model is verified with. */
import type { VerifiedImages } from '../../experiments/images/models'
import { imageOfPicture, scaledSquare } from '../../experiments/images/pictures'
import { type ImageShape, sizeOf } from '../../operators/types'
import { centralCrop, type DecodeImage, openPicture } from './imageSource'
import type { Picture } from './types'

/**
 * Bundled pictures, which a bundled model must denoise well; undefined where none can be had, for the check goes on
 * with synthetic ones. Errors: the signal's reason.
 */
export async function familiarImages(
  urls: readonly string[],
  shape: ImageShape,
  signal: AbortSignal,
  decode?: DecodeImage,
): Promise<VerifiedImages | undefined> {
  const images = await Promise.all(
    urls.map(async (url) => {
      try {
        const response = await fetch(url, { signal })
        if (!response.ok) return undefined
        return imageOf((await openPicture(await response.blob(), url, decode)).original, shape)
      } catch {
        signal.throwIfAborted()
        return undefined
      }
    }),
  )
  const found = images.filter((image) => image !== undefined)
  if (found.length === 0) return undefined
  const size = sizeOf(shape)
  const pixels = new Float32Array(found.length * size)
  for (const [i, image] of found.entries()) pixels.set(image, i * size)
  return { pixels, familiar: true }
}

/** The middle of the picture that is shown: of the visitor's model nobody knows what it was trained on. */
export function shownImage(picture: Picture, shape: ImageShape): VerifiedImages {
  return { pixels: imageOf(picture, shape), familiar: false }
}

function imageOf(picture: Picture, { channels, height }: ImageShape): Float32Array {
  return imageOfPicture(scaledSquare(picture, centralCrop(picture), height), channels)
}
