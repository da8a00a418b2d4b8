/**
 * Twisted diffusion sampling: sequential Monte Carlo in populations of K particles, exact as K grows.
 *
 *     twisting function  ℓ(x_t) = log N(y | A d, Sigma_y + A V Aᵀ)                    d = d(x_t), d_y = d(x_t | y) of MMPS
 *     proposal           x_s = a x_t + b d_y + c ε                                    q, in place of p with d
 *     log weight         ℓ(x_s) - ℓ(x_t) + log p/q,   log p/q = -(2c ε·Δ + ‖Δ‖²)/(2c²),   Δ = b (d_y - d)
 *
 * The start has the weight ℓ(x_1). At every step the weights are turned into copies by systematic resampling: one uniform
 * u, ancestors where the cumulated weights pass (u + k)/K, k = 0..K-1. The last step is x_0 = d_y. The target is the
 * posterior of what the plan itself draws from the prior, for any V; V decides how many particles it takes.
 *
 * Source: Wu, Trippe, Naesseth, Blei, Cunningham, "Practical and asymptotically exact conditional sampling in diffusion
 * models", NeurIPS 2023, Algorithm 1; systematic resampling: Douc, Cappé, Moulines 2005.
 */
import { logNormal } from '../../linalg/covariances'
import { DOMAIN, unit, type RandomStream } from '../../math/philox'
import { systematicAncestors } from '../../math/resampling'
import type { AffineStep, Denoiser, Plan, PosteriorOptions } from '../types'
import { MmpsDenoiser } from './mmps'
import { ObservationBatch, type LinearObservations } from './observations'

/** K where none is given. */
export const DEFAULT_PARTICLES = 64

/**
 * Particles between two plan steps. A step is `evaluate` for all of them, in pieces of any size, `resample`, and `move`
 * for all of them.
 */
export class TwistedParticles {
  /** x_t, [count, features]. */
  readonly x: Float64Array
  private readonly features: number
  private readonly proposals: MmpsDenoiser
  private readonly observation: ObservationBatch
  /** K. */
  private readonly size: number
  /** d, [count, features]. */
  private mean: Float64Array
  /** d_y, [count, features]. */
  private posterior: Float64Array
  /** ℓ, [count]. */
  private twist: Float64Array
  /** log p/q of the last move less ℓ before it, [count]. */
  private readonly carried: Float64Array

  /**
   * Starts at x [count, features], which is copied; populations are consecutive particles.
   * Errors: RangeError where there is more than one observation, count is no multiple of K, a step before the last draws
   * no noise, or sizes disagree.
   */
  constructor(
    denoiser: Denoiser,
    observations: LinearObservations,
    options: PosteriorOptions,
    plan: Plan,
    x: Float64Array,
    private readonly random: RandomStream,
  ) {
    const { features } = denoiser
    const count = x.length / features
    this.size = options.particles ?? DEFAULT_PARTICLES
    checkPopulations(count, this.size, observations.count, plan)
    this.features = features
    this.proposals = new MmpsDenoiser(denoiser, observations, options)
    this.observation = new ObservationBatch(observations, features)
    this.x = x.slice()
    this.mean = new Float64Array(x.length)
    this.posterior = new Float64Array(x.length)
    this.twist = new Float64Array(count)
    this.carried = new Float64Array(count)
  }

  /** d, d_y and ℓ of particles begin ≤ i < end at noise level sigma. */
  evaluate(sigma: number, begin: number, end: number): void {
    const { features: n, observation } = this
    const m = observation.observed
    const x = this.x.slice(begin * n, end * n)
    const { xHat, posterior, system } = this.proposals.evaluate(x, new Float64Array(end - begin).fill(sigma))
    this.mean.set(xHat, begin * n)
    this.posterior.set(posterior, begin * n)
    const residual = new Float64Array(m)
    for (let i = 0; i < end - begin; i++) {
      observation.residual(i, xHat, residual)
      this.twist[begin + i] = logNormal(residual, system.subarray(i * m * m, (i + 1) * m * m))
    }
  }

  /** Replaces the particles of every population by their weighted ancestors; `index` is the plan step's. */
  resample(index: number): void {
    const { features: n, size, x, mean, posterior, twist, carried } = this
    const [kept, keptMean, keptPosterior, keptTwist] = [
      x.slice(),
      mean.slice(),
      posterior.slice(),
      twist.slice(),
    ]
    for (let first = 0; first < twist.length; first += size) {
      const logWeights = twist.slice(first, first + size).map((value, i) => value + carried[first + i]!)
      const u = unit(this.random.block(first / size, index, 0, DOMAIN.resampling)[0]!)
      systematicAncestors(logWeights, u).forEach((ancestor, i) => {
        const [from, to] = [(first + ancestor) * n, (first + i) * n]
        for (let d = 0; d < n; d++) {
          x[to + d] = kept[from + d]!
          mean[to + d] = keptMean[from + d]!
          posterior[to + d] = keptPosterior[from + d]!
        }
        twist[first + i] = keptTwist[first + ancestor]!
      })
    }
  }

  /** One plan step of particles begin ≤ i < end. `noise` holds their ε [end - begin, features], unused where c = 0. */
  move({ a, b, c }: AffineStep, begin: number, end: number, noise: Float64Array): void {
    const { features: n, x, mean, posterior } = this
    for (let i = begin; i < end; i++) {
      let square = 0
      for (let at = i * n; at < (i + 1) * n; at++) {
        const epsilon = c === 0 ? 0 : noise[at - begin * n]!
        const delta = b * (posterior[at]! - mean[at]!)
        square += delta * (2 * c * epsilon + delta)
        x[at] = a * x[at]! + b * posterior[at]! + c * epsilon
      }
      this.carried[i] = (c === 0 ? 0 : -square / (2 * c * c)) - this.twist[i]!
    }
  }
}

function checkPopulations(count: number, particles: number, observations: number, plan: Plan): void {
  if (observations !== 1) throw new RangeError('The particles of TDS share one observation.')
  if (!(particles >= 1 && Number.isInteger(count / particles))) {
    throw new RangeError(`${count} samples are no populations of ${particles} particles.`)
  }
  if (plan.slice(0, -1).some(({ c }) => !(c > 0))) {
    throw new RangeError('TDS needs a stochastic sampler: DDPM, or DDIM with eta above 0.')
  }
}
