/** What a scatter plot shows, and how it looks. */
import type { AxesStyle } from './scatterAxes'
import type { Projection } from './scatterGeometry'

export interface ScatterContent {
  readonly projection: Projection
  /** Half-width of the coordinates in view. */
  readonly reach: number
  readonly curve: {
    /** [components, features], neighbours in order. */
    readonly means: Float32Array
    /** Indices at which a new stroke begins. */
    readonly breaks: readonly number[]
    readonly thickness: number
  } | null
  /** Exact draws points + sigma noise, [count, features] both. */
  readonly exact: {
    readonly points: Float32Array
    readonly noise: Float32Array
    readonly sigma: number
  } | null
  /** [count, features]. */
  readonly samples: Float32Array | null
  /** Orthonormal rows A [observed, features] and y [observed], in R^2 or R^3. */
  readonly constraint: {
    readonly A: Float64Array
    readonly y: ArrayLike<number>
    readonly sigmaY: number
  } | null
  readonly probe: ScatterProbe | null
  /** sigma_t of what is shown, 0 at the end; null while nothing is. */
  readonly sigma: number | null
}

/** One sample, where it came from, and Gaussians at its denoised point. */
export interface ScatterProbe {
  /** x_t, [features]. */
  readonly point: Float32Array
  /** From an earlier x_t to this, [steps, features]. */
  readonly path: Float32Array
  readonly gaussians: {
    /** E[x | x_t], [features]. */
    readonly mean: Float64Array
    readonly ellipses: readonly {
      /** [features, features]. */
      readonly covariance: Float64Array
      readonly colour: string
      /** Pixels. */
      readonly width: number
    }[]
  } | null
}

export interface ScatterStyle extends AxesStyle {
  readonly truth: string
  readonly samples: string
  readonly observation: string
  readonly panel: string
}
