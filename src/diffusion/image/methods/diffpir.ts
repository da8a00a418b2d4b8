/**
 * DiffPIR: the denoised image is pulled to the measurement by a proximal step,
 *
 *     argmin_x ‖y - A x‖²/sigma_y² + λ ‖x - d(x_t)‖²/sigma_t² = d + V Aᵀ (sigma_y² I + A V Aᵀ)⁻¹ (y - A d),   V = (sigma_t²/λ) I
 *
 * by damped least squares. A step costs 1 forward, no VJP.
 *
 * Source: Zhu et al., "Denoising diffusion models for plug-and-play image restoration", CVPR workshops 2023, eq. 13.
 */
import type { Scalars, Vector } from '../../../linalg/vectorSpace'
import type { AffineStep } from '../../types'
import { ProximalSystem } from '../proximalSystem'
import type { EstimatorRequest, ImageEstimator } from '../types'

export class DiffpirEstimator implements ImageEstimator {
  private readonly system: ProximalSystem

  /** Errors: RangeError where λ is not above 0, or as ProximalSystem. */
  constructor(private readonly request: EstimatorRequest) {
    const { proximity } = request.options
    if (!(proximity > 0)) throw new RangeError(`DiffPIR needs λ above 0, got ${proximity}.`)
    this.system = new ProximalSystem(request)
  }

  get solverResidual(): Scalars {
    return this.system.residual
  }

  async estimate(xT: Vector, { sigma }: AffineStep, out: Vector): Promise<Vector> {
    const { system } = this
    const { denoiser, options } = this.request
    await denoiser.denoise(xT, sigma, out)
    await system.solve(out, sigma ** 2 / options.proximity)
    denoiser.space.combine(out, [
      { factor: 1, vector: out },
      { factor: 1, vector: system.update },
    ])
    return out
  }

  release(): void {
    this.system.release()
  }
}
