/**
 * The exact denoiser of a Gaussian prior N(mean, C), C = Tᵀ diag(s) T:
 *
 *     d(x_t) = mean + J (x_t - mean),   J = Jᵀ = C (C + sigma_t² I)⁻¹ = Tᵀ diag(s/(s + sigma_t²)) T
 *
 * Every posterior method can be checked with it, because the posterior is known.
 */
import type { Vector, VectorSpace } from '../../linalg/vectorSpace'
import type { ImageShape } from '../../operators/types'
import { SpectralFilter } from './spectralFilter'
import type { ImageDenoiser, ImageLinearization, SpectralCovariance } from './types'

export class ImageGaussianDenoiser implements ImageDenoiser {
  readonly passes = { forward: 0, vjp: 0, jvp: 0 }
  private readonly filter: SpectralFilter
  private readonly mean: Vector
  private readonly xHat: Vector
  private readonly centred: Vector

  /** mean [channels · height · width]. */
  constructor(
    readonly space: VectorSpace,
    readonly shape: ImageShape,
    readonly batch: number,
    mean: Float32Array,
    covariance: SpectralCovariance,
  ) {
    this.filter = new SpectralFilter(space, batch, covariance)
    this.mean = space.vector('mean', 1, mean.length)
    space.write(this.mean, mean)
    this.xHat = space.vector('xHat', batch, mean.length)
    this.centred = space.vector('x - mean', batch, mean.length)
  }

  async denoise(xT: Vector, sigma: number, out: Vector): Promise<void> {
    const { space, filter, mean, centred } = this
    this.passes.forward++
    filter.setGains((variance) => variance / (variance + sigma * sigma))
    space.combine(centred, [
      { factor: 1, vector: xT },
      { factor: -1, vector: mean },
    ])
    filter.apply(centred, out)
    space.combine(out, [
      { factor: 1, vector: out },
      { factor: 1, vector: mean },
    ])
  }

  async linearize(xT: Vector, sigma: number): Promise<ImageLinearization> {
    await this.denoise(xT, sigma, this.xHat)
    return {
      xHat: this.xHat,
      vjp: async (v, out) => {
        this.passes.vjp++
        this.filter.apply(v, out)
      },
      jvp: async (u, out) => {
        this.passes.jvp++
        this.filter.apply(u, out)
      },
    }
  }

  async release(): Promise<void> {
    this.filter.release()
    this.space.release(this.mean, this.xHat, this.centred)
  }
}
