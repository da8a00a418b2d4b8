/**
 * Tweedie moment projected diffusion: MMPS with a diagonal V in the system,
 *
 *     (sigma_y² I + A D Aᵀ) v = y - A d(x_t),   d(x_t | y) = d(x_t) + sigma_t² Jᵀ Aᵀ v,   D = diag(sigma_t² Jᵀ 1)
 *
 * The row sums of a network's J can be negative, and CG needs a covariance: D is at least 0.01 sigma_t²/(1 + sigma_t²), as
 * the safeguard of src/diffusion/posterior/mmps.ts. A step costs 1 forward and 2 VJPs, one for D and one for the last factor.
 *
 * Source: Boys et al., "Tweedie moment projected diffusions for inverse problems", 2023.
 */
import type { Scalars, Vector } from '../../../linalg/vectorSpace'
import { LEAST_SHARE } from '../../posterior/mmps'
import type { AffineStep } from '../../types'
import { ObservedSystem, SUFFICIENT_ITERATIONS, addPulled } from '../observedSystem'
import type { EstimatorRequest, ImageEstimator } from '../types'

export class TmpdEstimator implements ImageEstimator {
  private readonly system: ObservedSystem
  private readonly ones: Vector
  private readonly diagonal: Vector

  /** Errors: as ObservedSystem. */
  constructor(private readonly request: EstimatorRequest) {
    this.system = new ObservedSystem(request, 'cg')
    const { space, batch } = request.denoiser
    const { size } = this.system.pulled
    this.ones = space.vector('1', batch, size)
    space.write(this.ones, new Float32Array(batch * size).fill(1))
    this.diagonal = space.vector('D', batch, size)
  }

  get solverResidual(): Scalars {
    return this.system.residual
  }

  async estimate(xT: Vector, { sigma }: AffineStep, out: Vector): Promise<Vector> {
    const { system, ones, diagonal } = this
    const { denoiser } = this.request
    const { space } = denoiser
    const { xHat, vjp } = await denoiser.linearize(xT, sigma)
    const variance = sigma ** 2 / (1 + sigma ** 2)
    const scale = system.scale(variance)
    await vjp(ones, diagonal)
    space.combine(diagonal, [{ factor: scale * sigma ** 2, vector: diagonal }])
    space.atLeast(diagonal, diagonal, scale * LEAST_SHARE * variance)
    const covariance = { factor: 1, map: (u: Vector, to: Vector) => space.multiply(to, u, diagonal) }
    await system.solve(xHat, scale, covariance, SUFFICIENT_ITERATIONS)
    await addPulled(space, { xHat, vjp }, scale * sigma ** 2, system.pulled, out)
    return out
  }

  release(): void {
    this.system.release()
    this.request.denoiser.space.release(this.ones, this.diagonal)
  }
}
