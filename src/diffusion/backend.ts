/**
 * What a device must be able to do for DiEM. Two implementations: WebGPU (src/gpu) and the float64
 * TypeScript twins (src/diffusion/cpuBackend.ts). Every call is complete in itself: inputs come from the
 * host, results return to it, nothing but compiled kernels stays on the device between calls. So a lost
 * device costs the call in progress and nothing else.
 */
import type {
  CovarianceName,
  Mixture,
  NetworkShape,
  Observations,
  Plan,
  PosteriorOptions,
  Prior,
} from './types'

/** Which device computes, for display. */
export interface AdapterDescription {
  readonly kind: 'webgpu' | 'cpu'
  /** For example "llvmpipe (Mesa 25)" or "TypeScript (Web Worker)". */
  readonly name: string
}

/** Where a job stands. */
export interface JobProgress {
  /** What is being done: 'compile' while shaders are built. */
  readonly stage: 'compile' | 'compute'
  readonly done: number
  readonly total: number
  /** Floating-point operations spent by this job so far, counted from the algorithm. */
  readonly flops: number
  /** Mean training loss over the last slice, when training. */
  readonly loss?: number
}

/** How the caller watches, pauses and cancels a job. */
export interface JobControl {
  /** Aborting rejects the job with the signal's reason. */
  readonly signal?: AbortSignal
  /** Awaited between slices: pending while the job is paused. */
  ready?(): Promise<void>
  onProgress?(progress: JobProgress): void
  /** Histograms of the samples as they are now; called at most every `previewMilliseconds`. */
  onPreview?(histograms: Histograms): void
  readonly previewMilliseconds?: number
}

/** Pair and single marginals of a sample, counted on a regular grid. Values outside the range are not counted. */
export interface Histograms {
  readonly features: number
  readonly bins: number
  /** Bins cover [-range, range]. */
  readonly range: number
  /** Number of samples that were offered. */
  readonly count: number
  /**
   * [pairs, bins, bins]; pairs (i, j) with i < j in lexicographic order; second axis is the bin of x_j,
   * third axis the bin of x_i.
   */
  readonly joint: Uint32Array
  /** [features, bins]. */
  readonly marginal: Uint32Array
}

export interface SampleRequest {
  readonly prior: Prior
  readonly plan: Plan
  /** Number of samples to draw. */
  readonly count: number
  /** Start: x_1 ~ N(mean, startSigma² I); mean is [features]. */
  readonly mean: Float64Array
  readonly startSigma: number
  /** Absent: unconditional samples of the prior. Its `count` equals `count` here, or is 1. */
  readonly observations?: Observations
  readonly posterior?: PosteriorOptions
  /** First word of the random key. */
  readonly seed: number
  /** Second word of the random key (the EM iteration, or another stream number). */
  readonly stream: number
  /** Grid of the previews. */
  readonly histogram?: { readonly bins: number; readonly range: number }
}

/** Samples, and where they came from. */
export interface TrajectoryRequest extends SampleRequest {
  /** Plan steps whose x_t is kept, ascending. */
  readonly frames: readonly number[]
}

export interface Trajectory {
  /** [count, features]. */
  readonly samples: Float32Array
  /** x_t at the beginning of the asked steps, [frames, count, features]. */
  readonly frames: Float32Array
}

/** Noisy points under a mixture, with one observation. */
export interface MomentsRequest {
  readonly mixture: Mixture
  /** x_t, [count, features]. */
  readonly xT: Float32Array
  /** [count]. */
  readonly sigma: Float32Array
  /** One observation; its `count` is 1. */
  readonly observation: Observations
  /** Sigma_x of the Gaussian fit, [features, features]. */
  readonly covX: Float64Array
}

/** Exact moments at noisy points. */
export interface Moments {
  /** E[x | x_t], [count, features]. */
  readonly mean: Float32Array
  /** ∇ log p(x_t), [count, features]. */
  readonly score: Float32Array
  /** V[x | x_t], [count, features, features]. */
  readonly covariance: Float32Array
  /** Likelihood term of MMPS, V Aᵀ (Sigma_y + A V Aᵀ)⁻¹ (y - A mean)/sigma_t², [count, features]. */
  readonly mmpsScore: Float32Array
}

/** log p(y | x_t), exact, and log N(y | A E[x|x_t], Sigma_y + A V Aᵀ) for each V; [count] each. */
export type LogLikelihoods = Readonly<Record<CovarianceName | 'exact', Float32Array>>

export interface TrainRequest {
  readonly network: NetworkShape
  readonly weights: Float32Array
  /** Clean samples, [sampleCount, features]. */
  readonly samples: Float32Array
  readonly steps: number
  readonly batch: number
  /** Rate at step k (from 0): start + (end - start) min((k + 1)/(steps + 1), 1). */
  readonly learningRate: { readonly start: number; readonly end: number }
  readonly adam: { readonly beta1: number; readonly beta2: number; readonly epsilon: number }
  /** Gradients are scaled to this global norm where theirs is above it. */
  readonly clipNorm: number
  readonly sigmaMin: number
  readonly sigmaMax: number
  /** t ~ Beta(alpha, beta), integers with alpha + beta - 1 ≤ 15 (an order statistic of uniforms). */
  readonly time: { readonly alpha: number; readonly beta: number }
  /** Decay of the exponential moving average of the weights; 0 returns the last weights. */
  readonly averaging: number
  readonly seed: number
  readonly stream: number
}

export interface TrainResult {
  /** The averaged weights where averaging > 0, else the last. */
  readonly weights: Float32Array
  /** Loss of every step before its update, [steps]. */
  readonly losses: Float32Array
}

export interface TransportOptions {
  readonly regularization: number
  readonly iterations: number
  /** Stop when no potential moves by more than this in an iteration. */
  readonly tolerance: number
  /**
   * Epsilon scaling: a few over-relaxed iterations at each regularisation from `from` (about the largest cost) down by
   * `factor`, then `regularization` until convergence, and ⟨P, C⟩ corrected to second order (src/math/sinkhornStages.ts).
   * Absent: plain iterations at `regularization` from the start.
   */
  readonly scaling?: { readonly from: number; readonly factor: number }
}

export interface Backend {
  readonly adapter: AdapterDescription
  /** Resolves with the reason when the device is lost; never for the CPU. */
  readonly lost: Promise<string>
  /** Draws samples, [count, features]. Errors: the device is lost, limits too small, aborted. */
  sample(request: SampleRequest, control?: JobControl): Promise<Float32Array>
  /** As `sample`, with the states on the way; one read at the end. */
  trajectory(request: TrajectoryRequest, control?: JobControl): Promise<Trajectory>
  /** Errors: as `sample`. */
  moments(request: MomentsRequest, control?: JobControl): Promise<Moments>
  /** Errors: as `sample`. */
  logLikelihoods(request: MomentsRequest, control?: JobControl): Promise<LogLikelihoods>
  /** One M step. Errors: as `sample`, and NonFiniteLossError with the step. */
  train(request: TrainRequest, control?: JobControl): Promise<TrainResult>
  /** ⟨P, C⟩ of the entropic plan between uniform weights on u [uCount, features] and v [vCount, features]. */
  transport(
    u: Float32Array,
    v: Float32Array,
    features: number,
    options: TransportOptions,
    control?: JobControl,
  ): Promise<number>
  histograms(samples: Float32Array, features: number, bins: number, range: number): Promise<Histograms>
  destroy(): void
}

/** Training met a loss that is not a number. */
export class NonFiniteLossError extends Error {
  override readonly name = 'NonFiniteLossError'
  constructor(readonly step: number) {
    super(`The training loss stopped being a finite number at step ${step}.`)
  }
}

/** The device went away (driver reset, GPU unplugged, tab discarded). */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError'
}

/** The adapter cannot hold or run what was asked. `largest` says what it can, when that is known. */
export class DeviceLimitError extends Error {
  override readonly name = 'DeviceLimitError'
}
