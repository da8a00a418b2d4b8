import { describe, expect, it } from 'vitest'
import { DeviceLimitError } from '../../src/diffusion/backend'
import { initializeWeights } from '../../src/diffusion/mlp'
import { MlpDenoiser } from '../../src/diffusion/mlpDenoiser'
import { packWeights, unpackWeights } from '../../src/gpu/network'
import { chooseTile } from '../../src/gpu/tile'
import { relativeError } from '../golden/load'
import { openTestDevice } from './adapter'
import { NetworkKernels } from './networkKernels'

const { scope } = await openTestDevice()

/** Deterministic values in (-1.5, 1.5). */
const wave = (length: number, phase: number) =>
  Float64Array.from({ length }, (_, i) => Math.fround(1.5 * Math.sin(i * 12.9898 + phase)))

describe('the denoiser kernels equal their float64 twins', () => {
  it.each([
    { features: 1, embedding: 2, hidden: 4, hiddenLayers: 1, batch: 1 },
    { features: 3, embedding: 6, hidden: 20, hiddenLayers: 3, batch: 7 },
    { features: 8, embedding: 40, hidden: 32, hiddenLayers: 2, batch: 33 },
    { features: 4, embedding: 64, hidden: 512, hiddenLayers: 2, batch: 3 },
  ])('%o', async ({ batch, ...shape }) => {
    const { features } = shape
    // biases too, and at the last digits of float32 the twin has the same weights
    const weights = initializeWeights(shape, 5).map((w, i) => (w === 0 ? 0.1 * Math.sin(i) : w))
    const twin = new MlpDenoiser(shape, Float64Array.from(weights))
    const kernels = new NetworkKernels(scope, { shape, weights })
    const xT = wave(batch * features, 1)
    const sigma = Float64Array.from({ length: batch }, (_, b) => Math.fround(1e-3 * 10 ** ((4 * b) / batch)))
    const { xHat, vjp, jvp } = twin.linearize(xT, sigma)
    expect(relativeError(await kernels.denoise(xT, sigma), xHat)).toBeLessThan(1e-5)

    const directions = 3
    const vectors = wave(batch * directions * features, 2)
    const [back, forth] = [await kernels.vjp(xT, sigma, vectors), await kernels.jvp(xT, sigma, vectors)]
    expect(relativeError(back.denoised, xHat)).toBeLessThan(1e-5)
    expect(relativeError(forth.denoised, xHat)).toBeLessThan(1e-5)
    for (let d = 0; d < directions; d++) {
      const pick = (all: ArrayLike<number>) =>
        Float64Array.from({ length: batch * features }, (_, i) => {
          const b = Math.floor(i / features)
          return all[(b * directions + d) * features + (i % features)]!
        })
      expect(relativeError(pick(back.products), vjp(pick(vectors)))).toBeLessThan(1e-5)
      expect(relativeError(pick(forth.products), jvp(pick(vectors)))).toBeLessThan(1e-5)
    }
  })

  it('stays finite for inputs far outside the data', async () => {
    const shape = { features: 2, embedding: 4, hidden: 16, hiddenLayers: 2 }
    const weights = initializeWeights(shape, 1).map((w) => 1000 * w)
    const kernels = new NetworkKernels(scope, { shape, weights })
    const { denoised, products } = await kernels.vjp([1e4, -1e4, 0, 1e-6], [1e-3, 10], [1, 0, 0, 1])
    expect([...denoised, ...products].every(Number.isFinite)).toBe(true)
  })
})

describe('the layout', () => {
  it('packs and unpacks without loss', () => {
    const shape = { features: 3, embedding: 6, hidden: 20, hiddenLayers: 3 }
    const weights = initializeWeights(shape, 2)
    expect(unpackWeights(shape, packWeights(shape, weights))).toEqual(weights)
  })

  it('fits the limits that every WebGPU device has up to a hidden width of 512', () => {
    const limits = { maxComputeWorkgroupStorageSize: 16384, maxComputeInvocationsPerWorkgroup: 256 }
    for (let hidden = 4; hidden <= 512; hidden += 4) {
      const shape = { features: 8, embedding: 64, hidden, hiddenLayers: 3 }
      const { samples, threads, rows } = chooseTile(shape, limits)
      expect(rows * samples * 4).toBeLessThanOrEqual(16384)
      expect(threads).toBeLessThanOrEqual(256)
    }
  })

  it('names the largest hidden width where the asked one does not fit', () => {
    const limits = { maxComputeWorkgroupStorageSize: 16384, maxComputeInvocationsPerWorkgroup: 256 }
    const choose = (hidden: number) =>
      chooseTile({ features: 5, embedding: 64, hidden, hiddenLayers: 3 }, limits)
    expect(() => choose(4096)).toThrow(DeviceLimitError)
    expect(() => choose(4096)).toThrow('at most 1024')
    expect(choose(1024).samples).toBe(4)
    expect(() => choose(30)).toThrow('multiple of 4')
  })
})
