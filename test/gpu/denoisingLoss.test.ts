import { describe, expect, it } from 'vitest'
import { trainingBatch } from '../../src/diffusion/cpuTraining'
import { initializeWeights } from '../../src/diffusion/mlp'
import { MlpDenoiser } from '../../src/diffusion/mlpDenoiser'
import { relativeError } from '../golden/load'
import { openTestDevice } from './adapter'
import { NetworkKernels } from './networkKernels'

const { scope } = await openTestDevice()

const cases = [
  { features: 1, embedding: 2, hidden: 4, hiddenLayers: 1, batch: 1, chunk: 1 },
  { features: 3, embedding: 6, hidden: 20, hiddenLayers: 3, batch: 39, chunk: 16 },
  { features: 8, embedding: 10, hidden: 32, hiddenLayers: 2, batch: 17, chunk: 17 },
  { features: 5, embedding: 8, hidden: 512, hiddenLayers: 1, batch: 3, chunk: 3 },
]

describe('the loss kernel equals its float64 twin on the batch it draws', () => {
  it.each(cases)('%o', async ({ batch, chunk, ...network }) => {
    const { features } = network
    const weights = initializeWeights(network, 5).map((w, i) => (w === 0 ? 0.1 * Math.sin(i) : w))
    const request = {
      network,
      samples: Float32Array.from({ length: 57 * features }, (_, i) => Math.sin(i * 12.9898)),
      batch,
      sigmaMin: 1e-3,
      sigmaMax: 10,
      time: { alpha: 3, beta: 4 },
      seed: 11,
      stream: 3,
    }
    const step = 12
    const { x, z, sigma } = trainingBatch(request, step, 0, batch)
    const twin = new MlpDenoiser(network, Float64Array.from(weights))
    const expected = new Float64Array(weights.length)
    const expectedLoss = twin.addLossGradient(expected, x, z, sigma, 1 / batch)
    const kernels = new NetworkKernels(scope, { shape: network, weights })
    const { loss, gradient } = await kernels.loss(request, { step }, chunk)
    expect(loss / expectedLoss).toBeCloseTo(1, 4)
    expect(relativeError(gradient, expected)).toBeLessThan(1e-4)
  })
})
