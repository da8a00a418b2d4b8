/**
 * Jacobian-free posterior sampling: the covariance of a Gaussian fit in place of every V,
 *
 *     d(x_t) + V Aᵀ (sigma_y² I + A V Aᵀ)⁻¹ (y - A d(x_t)),   V = (I/sigma_t² + Sigma_x⁻¹)⁻¹
 *
 * Sigma_x is diagonal in an orthonormal transform, so V is a filter with gains s sigma_t²/(s + sigma_t²). A step costs 1 forward,
 * no VJP. Exact where the prior is N(·, Sigma_x).
 *
 * Source: François Rozet's library azula (since 0.11), `azula.guidance.jfps`.
 */
import type { Scalars, Vector } from '../../../linalg/vectorSpace'
import { sizeOf } from '../../../operators/types'
import type { AffineStep } from '../../types'
import { ObservedSystem, SUFFICIENT_ITERATIONS } from '../observedSystem'
import { SpectralFilter } from '../spectralFilter'
import type { EstimatorRequest, ImageEstimator } from '../types'

export class JfpsEstimator implements ImageEstimator {
  private readonly system: ObservedSystem
  private readonly filter: SpectralFilter
  private readonly largest: number

  /** Errors: RangeError where Sigma_x (`fit`) is missing or has another size than the image, or as ObservedSystem. */
  constructor(private readonly request: EstimatorRequest) {
    const { denoiser, fit } = request
    if (fit?.variances.length !== sizeOf(denoiser.shape)) {
      throw new RangeError(
        'JFPS needs a Gaussian fit of the images: one variance for each number of an image.',
      )
    }
    this.system = new ObservedSystem(request, 'cg')
    this.filter = new SpectralFilter(denoiser.space, denoiser.batch, fit)
    this.largest = fit.variances.reduce((most, variance) => Math.max(most, variance), 0)
  }

  get solverResidual(): Scalars {
    return this.system.residual
  }

  async estimate(xT: Vector, { sigma }: AffineStep, out: Vector): Promise<Vector> {
    const { system, filter, largest } = this
    const { denoiser } = this.request
    await denoiser.denoise(xT, sigma, out)
    const posterior = (variance: number) =>
      variance === 0 ? 0 : (variance * sigma ** 2) / (variance + sigma ** 2)
    const scale = system.scale(posterior(largest))
    filter.setGains((variance) => scale * posterior(variance))
    const covariance = { factor: 1, map: (u: Vector, to: Vector) => filter.apply(u, to) }
    await system.solve(out, scale, covariance, SUFFICIENT_ITERATIONS)
    filter.apply(system.pulled, system.pulled)
    denoiser.space.combine(out, [
      { factor: 1, vector: out },
      { factor: 1, vector: system.pulled },
    ])
    return out
  }

  release(): void {
    this.system.release()
    this.filter.release()
  }
}
