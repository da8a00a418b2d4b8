/**
 * Posterior sampling of images with a denoiser that runs elsewhere (ONNX Runtime): nouns.
 *
 * Vectors are [batch, channels · height · width] of one VectorSpace; sigma is one number for the whole batch.
 */
import type { Scalars, Vector, VectorSpace } from '../../linalg/vectorSpace'
import type { ImageOperator, ImageShape, LinearMap } from '../../operators/types'
import type { AffineStep } from '../types'

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

/** A Gaussian's covariance Tᵀ diag(variances) T, diagonal in an orthonormal transform T (DCT; absent: the pixels themselves). */
export interface SpectralCovariance {
  readonly transform?: LinearMap
  /** [channels · height · width], at least 0. */
  readonly variances: Float64Array
}

/** A denoiser and the measurement y = A x + n, n ~ N(0, sigma_y² I), that its estimates are to agree with. */
export interface EstimatorRequest {
  readonly denoiser: ImageDenoiser
  readonly operator: ImageOperator
  /** [batch, output] of the operator, or [1, output]: shared by all samples. 0 where nothing is measured. */
  readonly y: Vector
  /** Above 0. */
  readonly sigmaY: number
  readonly options: ImageMethodOptions
  /** Sigma_x of JFPS, which alone needs it. */
  readonly fit?: SpectralCovariance
}

/** A posterior denoiser: what a sampler uses in the denoiser's place. */
export interface ImageEstimator {
  /**
   * out ← d(x_t | y), an estimate of E[x | x_t, y] for this plan step. Returns x̂, the image to show: `out`, or the denoiser's own
   * estimate where `out` also holds a move of the sampler (DPS). Valid until the next call.
   */
  estimate(xT: Vector, step: AffineStep, out: Vector): Promise<Vector>
  /** ‖b - M v‖/‖b‖ of the last estimate's system, null where none is solved. */
  readonly solverResidual: Scalars | null
  release(): void
}
