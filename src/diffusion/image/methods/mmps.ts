/**
 * Moment matching posterior sampling of images:
 *
 *     (sigma_y² I + A V Aᵀ) v = y - A d(x_t),   d(x_t | y) = d(x_t) + sigma_t² Jᵀ Aᵀ v,   V = sigma_t² Jᵀ
 *
 * Every product with V is one VJP. A step costs 1 forward and k + 1 VJPs with CG and GMRES, 2k + 1 with BiCGSTAB; k = 0 leaves
 * y out, 1 forward. Jᵀ of a network is not symmetric at large sigma_t: GMRES is the default of images.
 *
 * Source: Rozet et al., "Learning diffusion priors from observations by expectation maximization", NeurIPS 2024, Algorithm 2.
 */
import type { Scalars, Vector } from '../../../linalg/vectorSpace'
import type { AffineStep } from '../../types'
import { ObservedSystem, addPulled } from '../observedSystem'
import type { EstimatorRequest, ImageEstimator } from '../types'

const MOST_ITERATIONS = 10

export class MmpsEstimator implements ImageEstimator {
  private readonly system: ObservedSystem

  /** Errors: RangeError where k is no integer of 0 to 10, or as ObservedSystem. */
  constructor(private readonly request: EstimatorRequest) {
    const { solver, iterations } = request.options
    if (!Number.isInteger(iterations) || iterations < 0 || iterations > MOST_ITERATIONS) {
      throw new RangeError(`MMPS needs 0 to ${MOST_ITERATIONS} iterations, not ${iterations}.`)
    }
    this.system = new ObservedSystem(request, solver)
  }

  get solverResidual(): Scalars | null {
    return this.request.options.iterations === 0 ? null : this.system.residual
  }

  async estimate(xT: Vector, { sigma }: AffineStep, out: Vector): Promise<Vector> {
    const { system } = this
    const { denoiser, options } = this.request
    if (options.iterations === 0) {
      await denoiser.denoise(xT, sigma, out)
      return out
    }
    const { xHat, vjp } = await denoiser.linearize(xT, sigma)
    // for a prior of variance 1, V is sigma_t²/(1 + sigma_t²)
    const scale = system.scale(sigma ** 2 / (1 + sigma ** 2))
    const factor = scale * sigma ** 2
    await system.solve(xHat, scale, { factor, map: vjp }, options.iterations)
    await addPulled(denoiser.space, { xHat, vjp }, factor, system.pulled, out)
    return out
  }

  release(): void {
    this.system.release()
  }
}
