/**
 * Linear measurements of images, y = A x + n: what every operator gives.
 *
 * Images are [channels, height, width], row-major, values in [-1, 1]; vectors hold a batch of them.
 */
import type { Vector } from '../linalg/vectorSpace'

export interface ImageShape {
  /** 1 (gray) or 3 (RGB). */
  readonly channels: number
  readonly height: number
  readonly width: number
}

/** How many numbers an image of this shape has. */
export function sizeOf({ channels, height, width }: ImageShape): number {
  return channels * height * width
}

/** What A is, as data: it can be sent to a worker. The host makes it from a task's settings (src/experiments/images). */
export type OperatorDescription =
  /** Pixels where mask is 0 are not observed; y is 0 there. mask [height, width]. */
  | { readonly kind: 'inpainting'; readonly mask: Uint8Array }
  /** Correlation with a kernel [size, size] (odd), reflect padding (edge pixel not repeated), each channel alone. */
  | { readonly kind: 'blur'; readonly kernel: Float32Array; readonly size: number }
  /** Gaussian blur, size × size taps (odd), standard deviation in pixels, reflect padding: separable. */
  | { readonly kind: 'gaussianBlur'; readonly standardDeviation: number; readonly size: number }
  /** Antialiased bicubic downscaling by a factor that divides height and width. */
  | { readonly kind: 'superResolution'; readonly factor: number }
  /** Orthonormal 2-D DFT, columns where `columns` [width] is 0 are not measured; y is real and imaginary part. */
  | { readonly kind: 'mri'; readonly columns: Uint8Array }
  /** Luma of RGB: 0.299 R + 0.587 G + 0.114 B. */
  | { readonly kind: 'gray' }

/** A linear map and its transpose, on batches of vectors of one space; `out` is never the argument. */
export interface LinearMap {
  /** out ← A x. */
  apply(x: Vector, out: Vector): void
  /** out ← Aᵀ y. */
  adjoint(y: Vector, out: Vector): void
  /** Frees what the map holds on its device. */
  release(): void
}

/** x [batch, input] ↦ y [batch, output]. */
export interface ImageOperator extends LinearMap {
  readonly description: OperatorDescription
  readonly input: ImageShape
  /** Shape of y of one image, as [channels, height, width]; MRI has 2 channels (real, imaginary) per input channel. */
  readonly output: ImageShape
  /** How many numbers of y are measured: E‖y - A x‖² = observed · sigma_y². The others are 0 in y and in A x. */
  readonly observed: number
}

/** What each operator's file makes of a description. */
export interface MeasuredMap {
  readonly map: LinearMap
  readonly output: ImageShape
  readonly observed: number
}

/** The part of the descriptions with this kind. */
export type DescriptionOf<K extends OperatorDescription['kind']> = Extract<OperatorDescription, { kind: K }>
