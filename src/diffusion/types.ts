/**
 * The nouns of diffusion: schedule, denoiser, sampler plan, posterior options.
 *
 * Batches are row-major flat arrays; shapes stand beside each field as [rows, cols].
 */

/** Noise schedule: sigma_t for t in [0, 1]. */
export interface Schedule {
  readonly sigmaMin: number
  readonly sigmaMax: number
  /** sigma_t = exp((1 - t) log sigmaMin + t log sigmaMax). */
  sigma(t: number): number
}

/** One affine sampler step x ← a·x + b·d(x, sigma) + c·ε; c = 0 draws no noise. */
export interface AffineStep {
  readonly sigma: number
  readonly a: number
  readonly b: number
  readonly c: number
}

/** A sampler, as a list of affine steps computed once on the host. */
export type Plan = readonly AffineStep[]

/** What a sampler needs: E[x | x_t] (or E[x | x_t, y]) for a batch. */
export interface MeanEstimator {
  readonly features: number
  /**
   * xT [batch, features], sigma [batch] → [batch, features]. `step` is the plan step that the estimate is for: methods
   * that act on the step's result (DPS) need it.
   */
  denoise(xT: Float64Array, sigma: Float64Array, step?: AffineStep): Float64Array
}

/** A denoiser evaluated at a point, with the derivative J = ∂d/∂x_t there. */
export interface Linearization {
  /** d(x_t, t), [batch, features]. */
  readonly xHat: Float64Array
  /** v [batch, features] → Jᵀ v, [batch, features]. */
  vjp(v: Float64Array): Float64Array
  /** u [batch, features] → J u, [batch, features]. */
  jvp(u: Float64Array): Float64Array
}

/** A denoiser d(x_t, t) = E[x | x_t] that also gives its derivatives. */
export interface Denoiser extends MeanEstimator {
  linearize(xT: Float64Array, sigma: Float64Array): Linearization
}

/** Sizes of the MLP denoiser: (features + embedding) → hidden × hiddenLayers → features. */
export interface NetworkShape {
  readonly features: number
  /** Size E of the embedding of log sigma; even. */
  readonly embedding: number
  /** Hidden width H, a multiple of 4. */
  readonly hidden: number
  /** Number of hidden layers (3 in the paper). */
  readonly hiddenLayers: number
}

/** A mixture of isotropic Gaussians with equal weights: (1/K) Σ_k N(mu_k, thickness² I). */
export interface Mixture {
  readonly features: number
  /** mu, [components, features]. */
  readonly means: Float64Array
  /** Standard deviation of every component, above 0. */
  readonly thickness: number
}

/** What a backend can sample from: a trained network, or a mixture, whose moments are exact. */
export type Prior =
  | {
      readonly kind: 'mlp'
      readonly network: NetworkShape
      /** Canonical weight layout, see src/diffusion/mlp.ts. */
      readonly weights: Float32Array
    }
  | { readonly kind: 'mixture'; readonly mixture: Mixture }

/** Dimension of x under a prior. */
export function featuresOf(prior: Prior): number {
  return prior.kind === 'mlp' ? prior.network.features : prior.mixture.features
}

/**
 * Covariance V[x | x_t] used in the posterior system Sigma_y + A V Aᵀ (paper section 4.2); `tmpd` is
 * diag(sigma_t² Jᵀ 1) (Boys et al. 2023).
 */
export type CovarianceName = 'tweedie' | 'zero' | 'identity' | 'pigdm' | 'gaussian' | 'tmpd'

/** How (Sigma_y + A V Aᵀ) v = y - A xHat is solved. */
export type SolverName = 'exact' | 'cg' | 'gmres' | 'bicgstab'

/**
 * What guards Tweedie's covariance where the network's Jacobian is not one.
 * `psd`: V = sigma_t² times the symmetric matrix nearest to J with eigenvalues in [0.01/(1 + sigma_t²), 1].
 */
export type SafeguardName = 'none' | 'psd'

/**
 * Posterior methods. `mmps`: moment matching with any covariance (ΠGDM and TMPD are its covariances `pigdm` and `tmpd`);
 * `dps`: gradient of the residual's norm added to the step; `diffpir`: proximal step, no VJP; `jfps`: Gaussian fit in
 * place of every V, no VJP; `tds`: particles with an MMPS twisting function, resampled at each step.
 */
export type PosteriorMethod = 'mmps' | 'dps' | 'diffpir' | 'jfps' | 'tds'

/** How a posterior method turns a denoiser and an observation into a posterior denoiser. */
export interface PosteriorOptions {
  /** Default: `mmps`. */
  readonly method?: PosteriorMethod
  /** ζ of `dps`: length of a guidance step, in units of x. Default 1. */
  readonly guidance?: number
  /** λ of `diffpir`: weight of the denoised point against the observation. Default 8. */
  readonly proximity?: number
  /** K of `tds`: samples count as populations of K particles. Default 64. */
  readonly particles?: number
  readonly covariance: CovarianceName
  readonly solver: SolverName
  /** Iterations k of the iterative solvers; unused by `exact`. */
  readonly solverIterations: number
  readonly safeguard: SafeguardName
  /** Covariance of a Gaussian fit, [features, features]; needed by `gaussian` and `jfps`. */
  readonly covX?: Float64Array
}

/** Linear observations y_i = A_i x_i + n_i, n_i ~ N(0, sigmaY² I). */
export interface Observations {
  /** As many as samples, or 1: one observation that all samples share. */
  readonly count: number
  readonly features: number
  /** Rows m of each A_i. */
  readonly observed: number
  /** [count, observed, features]. */
  readonly A: Float32Array
  /** [count, observed]. */
  readonly y: Float32Array
  readonly sigmaY: number
}
