/**
 * A network as the sampler's denoiser, with the noise embedding's part of its first layer from a table for the steps of a
 * slice. Shaders: shaders/shared/network_denoiser.wgsl, shaders/embedding_table.wgsl; twin: src/diffusion/mlpDenoiser.ts.
 */
import embeddingTableSource from '../../../shaders/embedding_table.wgsl?raw'
import denoiserSource from '../../../shaders/shared/denoiser.wgsl?raw'
import networkSource from '../../../shaders/shared/network.wgsl?raw'
import networkDenoiserSource from '../../../shaders/shared/network_denoiser.wgsl?raw'
import sincosSource from '../../../shaders/shared/sincos.wgsl?raw'
import { embeddingFrequencies } from '../../diffusion/mlp'
import type { NetworkShape } from '../../diffusion/types'
import { composeShader, createComputeKernel } from '../compile'
import { dispatch } from '../dispatch'
import { packWeights } from '../network'
import { chooseTile, networkConstants } from '../tile'
import type { DenoiserModule } from './denoiserModule'

/** Most steps in one slice: the room of its table of embeddings. */
export const maximumSliceSteps = 1024

/** Errors: RangeError, DeviceLimitError (see `chooseTile`). */
export async function networkDenoiser(device: GPUDevice, network: NetworkShape): Promise<DenoiserModule> {
  const tile = chooseTile(network, device.limits)
  const { features, embedding, hidden } = network
  const table = await createComputeKernel(device, {
    label: 'embedding table',
    code: composeShader(
      { FEATURES: features, EMBEDDING: embedding, INPUTS: features + embedding, HIDDEN: hidden },
      [sincosSource, embeddingTableSource],
    ),
    entryPoint: 'embedding_table',
  })
  return {
    features,
    tileSamples: tile.samples,
    constants: networkConstants(network, tile),
    sources: [networkSource, denoiserSource, networkDenoiserSource],
    bind(scope, prior, plan) {
      if (prior.kind !== 'mlp') throw new RangeError('This sampler was compiled for a network.')
      const steps = Math.min(maximumSliceSteps, plan.size / 32)
      const weights = scope.upload('weights', packWeights(network, prior.weights))
      const frequencies = scope.upload('frequencies', Float32Array.from(embeddingFrequencies(embedding)))
      const embeddings = scope.storage('embedding table', steps * hidden * 4)
      const parameters = scope.uniform('embedding table parameters', [0, 0])
      const group = table.bind([parameters, weights, frequencies, plan, embeddings])
      return {
        resources: [weights, embeddings],
        steps,
        encode(pass, first, count) {
          scope.setUniform(parameters, [first, count])
          dispatch(pass, scope, table, group, Math.ceil((count * hidden) / 256))
        },
      }
    },
  }
}
