/**
 * Pseudoinverse-guided diffusion: MMPS with an isotropic V in the system,
 *
 *     (sigma_y² I + r² A Aᵀ) v = y - A d(x_t),   d(x_t | y) = d(x_t) + sigma_t² Jᵀ Aᵀ v,   r² = sigma_t²/(1 + sigma_t²)
 *
 * The system needs no network: least squares until it is solved. A step costs 1 forward and 1 VJP.
 *
 * Source: Song et al., "Pseudoinverse-guided diffusion models for inverse problems", ICLR 2023.
 */
import type { Scalars, Vector } from '../../../linalg/vectorSpace'
import type { AffineStep } from '../../types'
import { addPulled } from '../observedSystem'
import { ProximalSystem } from '../proximalSystem'
import type { EstimatorRequest, ImageEstimator } from '../types'

export class PigdmEstimator implements ImageEstimator {
  private readonly system: ProximalSystem

  /** Errors: as ProximalSystem. */
  constructor(private readonly request: EstimatorRequest) {
    this.system = new ProximalSystem(request)
  }

  get solverResidual(): Scalars {
    return this.system.residual
  }

  async estimate(xT: Vector, { sigma }: AffineStep, out: Vector): Promise<Vector> {
    const { system } = this
    const { denoiser } = this.request
    const { xHat, vjp } = await denoiser.linearize(xT, sigma)
    await system.solve(xHat, sigma ** 2 / (1 + sigma ** 2))
    // u is r² Aᵀ v
    await addPulled(denoiser.space, { xHat, vjp }, 1 + sigma ** 2, system.update, out)
    return out
  }

  release(): void {
    this.system.release()
  }
}
