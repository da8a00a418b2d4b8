/**
 * A mixture of isotropic Gaussians as a diffusion prior, (1/K) Σ_k N(mu_k, s² I): everything about it is known in
 * closed form, so each posterior method can be held against the truth.
 *
 *     d(x_t, t) = E[x | x_t],   J = ∂d/∂x_t = V[x | x_t]/σ_t² (symmetric, so JVP = VJP),   ∇ log p(x_t) = (d - x_t)/σ_t²
 *
 * The moments at x_t are in mixture/components.ts, p(x | y) in mixture/posterior.ts, p(y | x_t) in
 * mixture/likelihood.ts. Source: the paper's section 4.2 and Figure 1.
 */
import { DOMAIN, uniformIndex, type RandomStream } from '../math/philox'
import { covariance, mean } from '../math/statistics'
import { MixtureComponents } from './mixture/components'
import type { Denoiser, Linearization, Mixture } from './types'

export { mixtureLogLikelihoods, mmpsScore } from './mixture/likelihood'
export {
  drawMixturePosterior,
  mixturePosterior,
  posteriorLogDensity,
  type MixturePosterior,
} from './mixture/posterior'

export class MixtureDenoiser implements Denoiser {
  readonly features: number
  private readonly components: MixtureComponents

  /** Error: RangeError where the mixture is empty or its thickness not positive. */
  constructor(readonly mixture: Mixture) {
    this.features = mixture.features
    this.components = new MixtureComponents(mixture)
  }

  denoise(xT: Float64Array, sigma: Float64Array): Float64Array {
    const { features: n, components } = this
    const xHat = xT.slice()
    for (let b = 0; b < sigma.length; b++) {
      components.locate(xT, b * n, sigma[b]!)
      for (let i = 0; i < n; i++) xHat[b * n + i]! += components.offset[i]!
    }
    return xHat
  }

  linearize(xT: Float64Array, sigma: Float64Array): Linearization {
    const { features: n, components } = this
    const xHat = xT.slice()
    const jacobians = new Float64Array(sigma.length * n * n)
    for (let b = 0; b < sigma.length; b++) {
      components.locate(xT, b * n, sigma[b]!)
      components.spread(xT, b * n)
      for (let i = 0; i < n; i++) xHat[b * n + i]! += components.offset[i]!
      const variance = sigma[b]! ** 2
      for (let i = 0; i < n * n; i++) jacobians[b * n * n + i] = components.covariance[i]! / variance
    }
    const derivative = (v: Float64Array) => {
      const out = new Float64Array(v.length)
      for (let row = 0; row < v.length; row++) {
        const at = row - (row % n)
        let sum = 0
        for (let j = 0; j < n; j++) sum += jacobians[row * n + j]! * v[at + j]!
        out[row] = sum
      }
      return out
    }
    return { xHat, vjp: derivative, jvp: derivative }
  }
}

/** Exact moments at noisy points. */
export interface MixtureMoments {
  /** E[x | x_t], [count, features]. */
  readonly mean: Float64Array
  /** ∇ log p(x_t), [count, features]. */
  readonly score: Float64Array
  /** V[x | x_t], [count, features, features]. */
  readonly covariance: Float64Array
  /** log p(x_t), [count]. */
  readonly logPrior: Float64Array
}

/** Moments at x_t [count, features], sigma [count]. */
export function mixtureMoments(mixture: Mixture, xT: Float64Array, sigma: Float64Array): MixtureMoments {
  const n = mixture.features
  const components = new MixtureComponents(mixture)
  const mean = xT.slice()
  const score = new Float64Array(xT.length)
  const covariance = new Float64Array(sigma.length * n * n)
  const logPrior = new Float64Array(sigma.length)
  for (let b = 0; b < sigma.length; b++) {
    logPrior[b] = components.locate(xT, b * n, sigma[b]!)
    components.spread(xT, b * n)
    for (let i = 0; i < n; i++) {
      mean[b * n + i]! += components.offset[i]!
      score[b * n + i] = components.offset[i]! / sigma[b]! ** 2
    }
    covariance.set(components.covariance, b * n * n)
  }
  return { mean, score, covariance, logPrior }
}

/**
 * Independent draws of the mixture, [count, features]. Draw i reads the stream at (i, 0) for its component and at (i, 1)
 * for its normals, in `domain`.
 */
export function drawMixture(
  { features: n, means, thickness }: Mixture,
  count: number,
  stream: RandomStream,
  domain: number = DOMAIN.metric,
): Float64Array {
  const draws = new Float64Array(count * n)
  for (let d = 0; d < count; d++) {
    const center = n * uniformIndex(stream.block(d, 0, 0, domain)[0]!, means.length / n)
    stream.fillNormals(draws, d * n, n, d, 1, domain)
    for (let i = 0; i < n; i++) draws[d * n + i] = means[center + i]! + thickness * draws[d * n + i]!
  }
  return draws
}

/** Mean of the mixture, [features]. */
export function mixtureMean({ features, means }: Mixture): Float64Array {
  return mean(means, features)
}

/** Covariance of the mixture, [features, features]: 1/K covariance of the means, plus thickness² I. */
export function mixtureCovariance({ features, means, thickness }: Mixture): Float64Array {
  const total = covariance(means, features)
  for (let i = 0; i < features; i++) total[i * features + i]! += thickness * thickness
  return total
}
