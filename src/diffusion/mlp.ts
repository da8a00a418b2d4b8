/**
 * The MLP denoiser's parameters: sizes, layout of the flat weight array, initialisation.
 *
 *     [c_in x, emb(log sigma)] → (Linear → SiLU → LayerNorm) × hiddenLayers → Linear → n
 *
 * The flat ("canonical") array holds, for each layer, W [inputs, outputs] row-major, then b [outputs].
 * The network itself is in mlpDenoiser.ts, the kernels' padded copy of this layout in src/gpu/network.ts.
 */
import { DOMAIN, RandomStream, unit } from '../math/philox'
import type { NetworkShape } from './types'

/** Sizes and places of one Linear layer: y = x W + b. */
export interface Layer {
  readonly inputs: number
  readonly outputs: number
  /** First element of W [inputs, outputs] in the flat array. */
  readonly weightOffset: number
  /** First element of b [outputs] in the flat array. */
  readonly biasOffset: number
}

/** Added to the variance in LayerNorm. */
export const LAYER_NORM_EPSILON = 1e-5

/** The Linear layers of a network, hidden ones first. */
export function layers(shape: NetworkShape): Layer[] {
  const result: Layer[] = []
  let offset = 0
  let inputs = shape.features + shape.embedding
  for (let l = 0; l <= shape.hiddenLayers; l++) {
    const outputs = l < shape.hiddenLayers ? shape.hidden : shape.features
    result.push({ inputs, outputs, weightOffset: offset, biasOffset: offset + inputs * outputs })
    offset += (inputs + 1) * outputs
    inputs = outputs
  }
  return result
}

/** Length of the flat weight array. */
export function parameterCount(shape: NetworkShape): number {
  return layers(shape).reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0)
}

/**
 * Fresh weights: W ~ U(-1/√inputs, 1/√inputs), b = 0. Element i of the flat array takes word i % 4 of the
 * block at counter (i / 4, 0, 0, weights).
 */
export function initializeWeights(shape: NetworkShape, seed: number): Float32Array {
  const random = new RandomStream(seed, 0)
  const weights = new Float32Array(parameterCount(shape))
  for (const { inputs, weightOffset, biasOffset } of layers(shape)) {
    const bound = 1 / Math.sqrt(inputs)
    for (let i = weightOffset; i < biasOffset; i++) {
      weights[i] = bound * (2 * unit(random.block(i >>> 2, 0, 0, DOMAIN.weights)[i & 3]!) - 1)
    }
  }
  return weights
}

/** Frequencies of the embedding, [embedding / 2]: 10000^(-linspace(0, 1, E/2)). */
export function embeddingFrequencies(embedding: number): Float64Array {
  const half = embedding / 2
  return Float64Array.from({ length: half }, (_, k) => 10_000 ** (half > 1 ? -k / (half - 1) : 0))
}
