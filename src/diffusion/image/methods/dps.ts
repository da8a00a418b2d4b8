/**
 * Diffusion posterior sampling of images: the step's result moves by a fixed length ζ down the gradient of the residual's norm,
 *
 *     x_s ← a x_t + b d(x_t) + c ε + ζ Jᵀ Aᵀ r/‖r‖,   r = y - A d(x_t)
 *
 * Written as a posterior denoiser of the step this is d + (ζ/b) Jᵀ Aᵀ r/‖r‖, each sample with its own norm; where r = 0 nothing is
 * added. A step costs 1 forward and 1 VJP. The last step x_0 = d(x, sigma_min) only denoises. What is shown is d itself.
 *
 * Source: Chung et al., "Diffusion posterior sampling for general noisy inverse problems", ICLR 2023, Algorithm 1.
 */
import type { Scalars, Vector } from '../../../linalg/vectorSpace'
import { isGuided } from '../../posterior/dps'
import type { AffineStep } from '../../types'
import { addPulled, checkMeasurement, subtractMeasured } from '../observedSystem'
import type { EstimatorRequest, ImageEstimator } from '../types'

export class DpsEstimator implements ImageEstimator {
  readonly solverResidual = null
  private readonly r: Vector
  private readonly direction: Vector
  private readonly length: Scalars

  /** Errors: RangeError where ζ is not a number of at least 0, or as checkMeasurement. */
  constructor(private readonly request: EstimatorRequest) {
    const { denoiser, options } = request
    const { space, batch } = denoiser
    if (!(options.guidance >= 0 && Number.isFinite(options.guidance))) {
      throw new RangeError(`DPS needs ζ of at least 0, got ${options.guidance}.`)
    }
    const { input, output } = checkMeasurement(request)
    this.r = space.vector('y - A xHat', batch, output)
    this.direction = space.vector('Aᵀ r', batch, input)
    this.length = space.scalars('ζ/(b ‖r‖)', batch)
  }

  async estimate(xT: Vector, step: AffineStep, out: Vector): Promise<Vector> {
    const { r, direction, length } = this
    const { denoiser, operator, options } = this.request
    const { space } = denoiser
    if (!isGuided(step)) {
      await denoiser.denoise(xT, step.sigma, out)
      return out
    }
    const { xHat, vjp } = await denoiser.linearize(xT, step.sigma)
    subtractMeasured(space, this.request, xHat, r)
    space.dot(length, r, r)
    space.compute([
      { operation: 'root', out: length, a: length },
      { operation: 'ratio', out: length, a: options.guidance / step.b, b: length },
    ])
    operator.adjoint(r, direction)
    await addPulled(space, { xHat, vjp }, length, direction, out)
    return xHat
  }

  release(): void {
    this.request.denoiser.space.release(this.r, this.direction, this.length)
  }
}
