/**
 * Filters x ↦ Tᵀ diag(gains) T x, with T orthonormal and gains that change with the noise level.
 */
import type { Vector, VectorSpace } from '../../linalg/vectorSpace'
import type { SpectralCovariance } from './types'

export class SpectralFilter {
  private readonly gains: Vector
  private readonly coefficients: Vector
  private readonly values: Float32Array

  /** For vectors [batch, variances]. Error: RangeError where a variance is negative or not a number. */
  constructor(
    private readonly space: VectorSpace,
    batch: number,
    private readonly covariance: SpectralCovariance,
  ) {
    const { variances } = covariance
    if (!variances.every((variance) => variance >= 0 && Number.isFinite(variance))) {
      throw new RangeError('A covariance needs variances that are finite and at least 0.')
    }
    this.values = new Float32Array(variances.length)
    this.gains = space.vector('gains', 1, variances.length)
    this.coefficients = space.vector('coefficients', batch, variances.length)
  }

  /** Gain of each variance from now on. */
  setGains(gain: (variance: number) => number): void {
    const { variances } = this.covariance
    for (let i = 0; i < variances.length; i++) this.values[i] = gain(variances[i]!)
    this.space.write(this.gains, this.values)
  }

  /** out ← Tᵀ diag(gains) T x; `out` may be x. */
  apply(x: Vector, out: Vector): void {
    const { space, gains, coefficients } = this
    const { transform } = this.covariance
    if (!transform) {
      space.multiply(out, x, gains)
      return
    }
    transform.apply(x, coefficients)
    space.multiply(coefficients, coefficients, gains)
    transform.adjoint(coefficients, out)
  }

  release(): void {
    this.space.release(this.gains, this.coefficients)
  }
}
