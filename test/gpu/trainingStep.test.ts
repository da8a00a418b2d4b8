import { describe, expect, it } from 'vitest'
import { AdamKernel } from '../../src/gpu/kernels/adam'
import { ReduceGradientKernel, normCount } from '../../src/gpu/kernels/reduceGradient'
import { WeightGradientKernel, broadcastsPay } from '../../src/gpu/kernels/weightGradient'
import { gpuLayout, packWeights, unpackWeights } from '../../src/gpu/network'
import { averagingDecayAt, learningRateAt } from '../../src/diffusion/adam'
import { parameterCount } from '../../src/diffusion/mlp'
import { openTestDevice } from './adapter'

const { device, scope } = await openTestDevice()

function run(encode: (pass: GPUComputePassEncoder) => void): void {
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  encode(pass)
  pass.end()
  scope.submit(encoder)
}

const floats = async (buffer: GPUBuffer, length: number): Promise<Float32Array> =>
  new Float32Array(await scope.read(buffer, length * 4))

/** Deterministic values in (-1, 1). */
const value = (i: number): number => Math.fround(Math.sin(i * 12.9898) * 0.9)

/** Activations and deltas as the loss kernel leaves them: ones for the bias, zero padding. */
function backwardPass(
  shape: Parameters<typeof gpuLayout>[0],
  capacity: number,
  count: number,
  first: number,
) {
  const layout = gpuLayout(shape)
  const activations = new Float32Array(capacity * layout.activationStride)
  const deltas = new Float32Array(capacity * layout.deltaStride)
  const gradient = new Float64Array(layout.parameterCount)
  layout.layers.forEach((layer, l) => {
    for (let b = 0; b < count; b++) {
      const a = capacity * layer.activationOffset + b * layer.inputStride
      const d = capacity * layer.deltaOffset + b * layer.outputStride
      for (let k = 0; k < layer.inputs; k++) activations[a + k] = value((first + b) * 1000 + l * 300 + k)
      activations[a + layer.inputs] = 1
      for (let j = 0; j < layer.outputs; j++) deltas[d + j] = value((first + b) * 777 + l * 100 + j + 0.5)
      for (let k = 0; k <= layer.inputs; k++) {
        for (let j = 0; j < layer.outputs; j++) {
          gradient[layer.parameterOffset + k * layer.outputStride + j]! +=
            activations[a + k]! * deltas[d + j]!
        }
      }
    }
  })
  return { layout, activations, deltas, gradient }
}

const batches = [
  { features: 2, embedding: 2, hidden: 4, hiddenLayers: 1, batch: 1 },
  { features: 3, embedding: 6, hidden: 20, hiddenLayers: 3, batch: 37 },
  { features: 8, embedding: 10, hidden: 36, hiddenLayers: 2, batch: 130 },
]
/** The broadcasting kernel is tested where it can run; lavapipe, which the tests choose, is such a place. */
const variants = broadcastsPay(device) ? [false, true] : [false]

describe.each(variants)('weight gradient, broadcasting: %s', (broadcasts) => {
  it.each(batches)('equals the sum over the batch for %o', async ({ batch, ...shape }) => {
    // two chunks of unequal size, in a buffer with room to spare
    const capacity = batch + 3
    const head = Math.ceil(batch / 3)
    const parts = [backwardPass(shape, capacity, head, 0), backwardPass(shape, capacity, batch - head, head)]
    const { layout } = parts[0]!
    const weightGradient = await WeightGradientKernel.create(device, shape, broadcasts)
    const reduce = await ReduceGradientKernel.create(device, layout.parameterCount)
    const splits = weightGradient.splits(batch)
    const partials = scope.storage('partials', splits * layout.parameterCount * 4)
    for (const [i, part] of parts.entries()) {
      const buffers = {
        activations: scope.upload('activations', part.activations),
        deltas: scope.upload('deltas', part.deltas),
        partials,
      }
      const count = i === 0 ? head : batch - head
      run(weightGradient.bind(scope, buffers, { capacity, count, splits, accumulate: i > 0 }))
    }
    const gradient = scope.storage('gradient', layout.parameterCount * 4)
    const norms = scope.storage('norms', normCount(layout.parameterCount) * 4)
    const losses = scope.storage('losses', 8)
    const lossPartials = scope.upload('loss partials', Float32Array.from([0.5, 0.25, 4, 100]))
    const state = scope.storage('state', 8)
    const buffers = { partials, lossPartials, gradient, norms, losses, state }
    run(reduce.bind(scope, buffers, { splits, lossPartials: 3 }))
    run(reduce.bind(scope, buffers, { splits, lossPartials: 3 }))

    const expected = parts[0]!.gradient.map((g, i) => g + parts[1]!.gradient[i]!)
    const actual = await floats(gradient, layout.parameterCount)
    const squares = expected.reduce((sum, g) => sum + g * g, 0)
    const error = actual.reduce((sum, g, i) => sum + (g - expected[i]!) ** 2, 0)
    expect(Math.sqrt(error / squares)).toBeLessThan(1e-6)
    const norm = (await floats(norms, normCount(layout.parameterCount))).reduce((sum, g) => sum + g, 0)
    expect(norm / squares).toBeCloseTo(1, 5)
    expect([...(await floats(losses, 2))]).toEqual([4.75, 4.75])
    const words = await scope.read(state, 8)
    expect(new Uint32Array(words)[0]).toBe(2)
    expect(new Float32Array(words)[1]).toBe(9.5)
  })
})

describe('adam', () => {
  it('clips, averages, and keeps the transposed copies equal to the weights', async () => {
    const shape = { features: 3, embedding: 4, hidden: 12, hiddenLayers: 2 }
    const layout = gpuLayout(shape)
    const count = parameterCount(shape)
    const start = Float32Array.from({ length: count }, (_, i) => value(i))
    const gradient = Float32Array.from({ length: count }, (_, i) => value(i + 0.3) * 2)
    const packed = packWeights(shape, start)
    const options = {
      steps: 4,
      learningRate: { start: 1e-2, end: 1e-4 },
      adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      clipNorm: 1,
      averaging: 0.3,
    }
    const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0))
    const norms = new Float32Array(normCount(layout.parameterCount))
    norms[0] = norm ** 2
    const buffers = {
      state: scope.storage('state', 8),
      gradient: scope.upload('gradient', packWeights(shape, gradient).subarray(0, layout.parameterCount)),
      norms: scope.upload('norms', norms),
      weights: scope.upload('weights', packed),
      moments: scope.storage('moments', 2 * layout.parameterCount * 4),
      average: scope.upload('average', packed.subarray(0, layout.parameterCount)),
    }
    const step = (await AdamKernel.create(device, shape)).bind(scope, buffers, options)
    for (let k = 1; k <= 4; k++) {
      scope.write(buffers.state, Uint32Array.of(k))
      run(step)
    }

    const w = Float64Array.from(start)
    const average = Float64Array.from(start)
    for (let i = 0; i < count; i++) {
      let m = 0
      let v = 0
      for (let k = 1; k <= 4; k++) {
        const g = gradient[i]! / norm
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        const rate = learningRateAt(k - 1, 4, options.learningRate)
        w[i]! -= (rate * (m / (1 - 0.9 ** k))) / (Math.sqrt(v / (1 - 0.999 ** k)) + 1e-8)
        const decay = averagingDecayAt(k - 1, options.averaging)
        average[i] = decay * average[i]! + (1 - decay) * w[i]!
      }
    }
    const weights = await floats(buffers.weights, layout.weightCount)
    const canonical = unpackWeights(shape, weights)
    for (let i = 0; i < count; i++) expect(Math.abs(canonical[i]! - w[i]!)).toBeLessThan(2e-6)
    const averaged = unpackWeights(shape, await floats(buffers.average, layout.parameterCount))
    for (let i = 0; i < count; i++) expect(Math.abs(averaged[i]! - average[i]!)).toBeLessThan(2e-6)
    // packing what was read back must reproduce the buffer, padding and transposed copies included
    expect(weights).toEqual(packWeights(shape, canonical))
  })
})
