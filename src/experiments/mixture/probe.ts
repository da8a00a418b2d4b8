/**
 * The covariance of x at one noisy point: the truth, and what each method takes it for.
 *
 *     truth V[x | x_t] of the true distribution · tweedie sigma_t² (J + Jᵀ)/2 · tmpd diag(sigma_t² Jᵀ 1) · the heuristics of
 *     src/linalg/covariances.ts
 *
 * Source: the paper's Figure 1, its covariances drawn as ellipses.
 */
import { mixtureMoments } from '../../diffusion/mixture'
import { denoiserOf } from '../../diffusion/prior'
import type { CovarianceName } from '../../diffusion/types'
import { heuristicCovariances } from '../../linalg/covariances'
import { trueMixture, type Scene } from './scene'

/** Moments at one noisy point, as they are and as each approximation has them. */
export interface CovarianceProbe {
  /** The prior's E[x | x_t], [features]. */
  readonly mean: Float64Array
  /** V[x | x_t] of the true distribution, [features, features]. */
  readonly truth: Float64Array
  /** V as each approximation has it, [features, features]; of Tweedie's, the symmetric part. */
  readonly approximations: Readonly<Record<CovarianceName, Float64Array>>
}

/** The covariances of x at x_t [features] and noise level sigma. */
export function probeCovariances(scene: Scene, xT: ArrayLike<number>, sigma: number): CovarianceProbe {
  const n = scene.features
  const point = Float64Array.from(xT)
  const level = Float64Array.of(sigma)
  const { xHat, vjp } = denoiserOf(scene.prior).linearize(point, level)
  const variance = sigma * sigma
  const pulled = Array.from({ length: n }, (_, i) =>
    vjp(Float64Array.from({ length: n }, (_, j) => (i === j ? 1 : 0))),
  )
  const tweedie = new Float64Array(n * n)
  const tmpd = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      tweedie[i * n + j] = (variance * (pulled[i]![j]! + pulled[j]![i]!)) / 2
      tmpd[i * n + i]! += variance * pulled[j]![i]!
    }
  }
  const heuristic = (name: keyof typeof heuristicCovariances) =>
    heuristicCovariances[name](n, scene.covX)(sigma)
  return {
    mean: xHat,
    truth: mixtureMoments(trueMixture(scene), point, level).covariance,
    approximations: {
      tweedie,
      zero: heuristic('zero'),
      identity: heuristic('identity'),
      pigdm: heuristic('pigdm'),
      gaussian: heuristic('gaussian'),
      tmpd,
    },
  }
}
