/**
 * A mixture of Gaussians as the sampler's denoiser. Shader: shaders/shared/mixture_denoiser.wgsl; twin:
 * src/diffusion/mixture.ts.
 */
import mixtureSource from '../../../shaders/shared/mixture.wgsl?raw'
import mixtureDenoiserSource from '../../../shaders/shared/mixture_denoiser.wgsl?raw'
import type { DenoiserModule } from './denoiserModule'

/** Threads of a workgroup, one a sample. */
const tileSamples = 64

/** The mixture itself is bound, not compiled. Error: RangeError beyond 8 features. */
export function mixtureDenoiser(features: number): DenoiserModule {
  if (!Number.isInteger(features) || features < 1 || features > 8) {
    throw new RangeError(`The GPU kernels take 1 to 8 features, not ${features}.`)
  }
  return {
    features,
    tileSamples,
    constants: { FEATURES: features, TILE: tileSamples, THREADS: tileSamples },
    sources: [mixtureSource, mixtureDenoiserSource],
    bind(scope, prior) {
      if (prior.kind !== 'mixture') throw new RangeError('This sampler was compiled for a mixture.')
      const { means, thickness } = prior.mixture
      return {
        resources: [
          scope.upload('component means', Float32Array.from(means)),
          scope.uniform('mixture', [means.length / features, { f32: thickness }]),
        ],
        steps: Infinity,
      }
    },
  }
}
