/**
 * How likely an observation is from a noisy point, exactly and as each covariance has it.
 *
 *     exact   p(y | x_t) = Σ_k w_k N(y | A m_k, s² ρ A Aᵀ + σ_y² I),   m_k = x_t + ρ (mu_k - x_t)
 *     others  N(y | A E[x|x_t], σ_y² I + A V Aᵀ)
 *     MMPS's likelihood term of the score   V Aᵀ (σ_y² I + A V Aᵀ)⁻¹ (y - A E[x|x_t])/σ²,   V = V[x|x_t]
 *
 * Source: Rozet et al. 2024, section 4; w_k and ρ as in components.ts.
 */
import { heuristicCovariances, type CovarianceAt } from '../../linalg/covariances'
import type { CovarianceName, Mixture } from '../types'
import { MixtureComponents } from './components'
import { backward, factorInPlace, forward, logNormalizer, squaredNorm } from './normal'

/** Noisy points with one observation. */
export interface LikelihoodRequest {
  readonly mixture: Mixture
  /** x_t, [count, features]. */
  readonly xT: Float64Array
  /** [count]. */
  readonly sigma: Float64Array
  /** [m, features]. */
  readonly A: Float64Array
  /** [m]. */
  readonly y: Float64Array
  readonly sigmaY: number
  /** Sigma_x of the Gaussian fit, [features, features]. */
  readonly covX: Float64Array
}

/** Memory of one point's system σ_y² I + A V Aᵀ, reused for all points. */
class ObservedSystem {
  readonly matrix: Float64Array
  /** A V, [m, features]. */
  readonly crossed: Float64Array
  /** y - A (a point), [m]. */
  readonly residual: Float64Array
  readonly solution: Float64Array
  private readonly m: number
  private readonly n: number

  constructor(
    private readonly A: Float64Array,
    private readonly y: Float64Array,
    private readonly sigmaY: number,
  ) {
    this.m = y.length
    this.n = A.length / y.length
    this.matrix = new Float64Array(this.m * this.m)
    this.crossed = new Float64Array(A.length)
    this.residual = new Float64Array(this.m)
    this.solution = new Float64Array(this.m)
  }

  /** residual = y - A (x + offset), the two read at `at` and `offsetAt`. */
  observe(x: Float64Array, at: number, offset: Float64Array, scale = 1, offsetAt = 0): void {
    const { m, n, A, y, residual } = this
    for (let r = 0; r < m; r++) {
      let sum = y[r]!
      for (let i = 0; i < n; i++) sum -= A[r * n + i]! * (x[at + i]! + scale * offset[offsetAt + i]!)
      residual[r] = sum
    }
  }

  /** Factors σ_y² I + A V Aᵀ for a symmetric V [features, features]; false where that is not positive definite. */
  factor(v: Float64Array): boolean {
    const { m, n, A, crossed, matrix } = this
    for (let r = 0; r < m; r++) {
      for (let i = 0; i < n; i++) {
        let sum = 0
        for (let j = 0; j < n; j++) sum += A[r * n + j]! * v[j * n + i]!
        crossed[r * n + i] = sum
      }
      for (let q = 0; q <= r; q++) {
        let sum = q === r ? this.sigmaY * this.sigmaY : 0
        for (let i = 0; i < n; i++) sum += crossed[r * n + i]! * A[q * n + i]!
        matrix[r * m + q] = sum
      }
    }
    return factorInPlace(matrix, m)
  }

  /** log N(residual | 0, system). */
  logDensity(normalizer: number): number {
    this.solution.set(this.residual)
    forward(this.matrix, this.m, this.solution)
    return normalizer - squaredNorm(this.solution, this.m) / 2
  }

  get normalizer(): number {
    return logNormalizer(this.matrix, this.m)
  }

  /** solution = system⁻¹ residual. */
  solve(): void {
    this.solution.set(this.residual)
    forward(this.matrix, this.m, this.solution)
    backward(this.matrix, this.m, this.solution)
  }
}

const heuristicNames = ['zero', 'identity', 'pigdm', 'gaussian'] as const

/** A heuristic's system, the same for all points of one noise level. */
interface HeuristicSystem {
  readonly covarianceAt: CovarianceAt
  readonly system: ObservedSystem
  sigma: number
  normalizer: number
}

/**
 * log p(y | x_t) and log N(y | A E[x|x_t], σ_y² I + A V Aᵀ) for every V, [count] each. `tmpd`, whose V may have negative
 * entries, is -Infinity where the system is not positive definite.
 */
export function mixtureLogLikelihoods({
  mixture,
  xT,
  sigma,
  A,
  y,
  sigmaY,
  covX,
}: LikelihoodRequest): Record<CovarianceName | 'exact', Float64Array> {
  const { features: n, means } = mixture
  const components = new MixtureComponents(mixture)
  const system = new ObservedSystem(A, y, sigmaY)
  const heuristics = heuristicNames.map((name): readonly [typeof name, HeuristicSystem] => [
    name,
    {
      covarianceAt: heuristicCovariances[name](n, covX),
      system: new ObservedSystem(A, y, sigmaY),
      sigma: NaN,
      normalizer: 0,
    },
  ])
  const count = sigma.length
  const result = {
    tweedie: new Float64Array(count),
    zero: new Float64Array(count),
    identity: new Float64Array(count),
    pigdm: new Float64Array(count),
    gaussian: new Float64Array(count),
    tmpd: new Float64Array(count),
    exact: new Float64Array(count),
  }
  const v = new Float64Array(n * n)
  const difference = new Float64Array(n)
  const exponents = new Float64Array(components.count)
  for (let b = 0; b < count; b++) {
    const at = b * n
    components.locate(xT, at, sigma[b]!)
    components.spread(xT, at)

    for (const [name, heuristic] of heuristics) {
      if (heuristic.sigma !== sigma[b]!) {
        heuristic.sigma = sigma[b]!
        heuristic.system.factor(heuristic.covarianceAt(sigma[b]!))
        heuristic.normalizer = heuristic.system.normalizer
      }
      heuristic.system.observe(xT, at, components.offset)
      result[name][b] = heuristic.system.logDensity(heuristic.normalizer)
    }

    system.observe(xT, at, components.offset)
    system.factor(components.covariance)
    result.tweedie[b] = system.logDensity(system.normalizer)

    v.fill(0)
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) v[i * n + i]! += components.covariance[i * n + j]!
    }
    result.tmpd[b] = system.factor(v) ? system.logDensity(system.normalizer) : -Infinity

    v.fill(0)
    for (let i = 0; i < n; i++) v[i * n + i] = components.within
    system.factor(v)
    let largest = -Infinity
    // y may come from a component that x_t alone makes all but impossible, so none is left out
    for (let k = 0; k < components.count; k++) {
      for (let i = 0; i < n; i++) difference[i] = means[k * n + i]! - xT[at + i]!
      system.observe(xT, at, difference, components.share)
      exponents[k] = components.logWeights[k]! + system.logDensity(0)
      largest = Math.max(largest, exponents[k]!)
    }
    let sum = 0
    for (const exponent of exponents) sum += Math.exp(exponent - largest)
    result.exact[b] = largest + Math.log(sum) + system.normalizer
  }
  return result
}

/** V Aᵀ (σ_y² I + A V Aᵀ)⁻¹ (y - A E[x|x_t])/σ², [count, features]. */
export function mmpsScore({ mixture, xT, sigma, A, y, sigmaY }: LikelihoodRequest): Float64Array {
  const n = mixture.features
  const components = new MixtureComponents(mixture)
  const system = new ObservedSystem(A, y, sigmaY)
  const score = new Float64Array(xT.length)
  for (let b = 0; b < sigma.length; b++) {
    const at = b * n
    components.locate(xT, at, sigma[b]!)
    components.spread(xT, at)
    system.observe(xT, at, components.offset)
    system.factor(components.covariance)
    system.solve()
    const variance = sigma[b]! ** 2
    for (let r = 0; r < y.length; r++) {
      const factor = system.solution[r]! / variance
      for (let i = 0; i < n; i++) score[at + i]! += factor * system.crossed[r * n + i]!
    }
  }
  return score
}
