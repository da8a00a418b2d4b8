/**
 * Posterior sampling of images with a denoiser that runs elsewhere (ONNX Runtime): nouns.
 *
 * Vectors are [batch, channels · height · width] of one VectorSpace; sigma is one number for the whole batch.
 */
import type { Vector, VectorSpace } from '../../linalg/vectorSpace'
import type { ImageShape } from '../../operators/types'

/** A denoiser evaluated at x_t, with J = ∂d/∂x_t there. Valid until the denoiser's next call or `release`. */
export interface ImageLinearization {
  readonly xHat: Vector
  /** out ← Jᵀ v. */
  vjp(v: Vector, out: Vector): Promise<void>
  /** out ← J u. */
  jvp(u: Vector, out: Vector): Promise<void>
}

/** d(x_t, t) = E[x | x_t] for a batch of images of one shape. */
export interface ImageDenoiser {
  readonly space: VectorSpace
  readonly shape: ImageShape
  readonly batch: number
  /** Without derivatives. */
  denoise(xT: Vector, sigma: number, out: Vector): Promise<void>
  linearize(xT: Vector, sigma: number): Promise<ImageLinearization>
  /** Network passes so far. */
  readonly passes: { readonly forward: number; readonly vjp: number; readonly jvp: number }
  release(): Promise<void>
}

export type ImageMethodName = 'mmps' | 'pigdm' | 'tmpd' | 'dps' | 'diffpir' | 'jfps'
export type ImageSolverName = 'cg' | 'gmres' | 'bicgstab'

export interface ImageMethodOptions {
  readonly method: ImageMethodName
  /** Solver of MMPS's system; the methods whose V needs no network solve theirs by CG. */
  readonly solver: ImageSolverName
  /** k = 0..10 iterations of MMPS's solver: one forward and k + 1 VJPs a step; 0 leaves y out (a draw of the prior). */
  readonly iterations: number
  /** ζ of DPS. */
  readonly guidance: number
  /** λ of DiffPIR. */
  readonly proximity: number
}
