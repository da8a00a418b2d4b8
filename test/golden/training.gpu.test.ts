import { describe, expect, it } from 'vitest'
import { embeddingFrequencies, layers } from '../../src/diffusion/mlp'
import { AdamKernel } from '../../src/gpu/kernels/adam'
import { DenoisingLossKernel } from '../../src/gpu/kernels/denoisingLoss'
import { ReduceGradientKernel, normCount } from '../../src/gpu/kernels/reduceGradient'
import { WeightGradientKernel, broadcastsPay } from '../../src/gpu/kernels/weightGradient'
import { gpuLayout, packWeights, unpackWeights } from '../../src/gpu/network'
import { openTestDevice } from '../gpu/adapter'
import { expectClose, golden, goldenParameters, goldenShape } from './load'

const { device, scope } = await openTestDevice()
/** method.md: the training schedule's range of noise, the optimizer and its clip. */
const noise = { sigmaMin: 1e-3, sigmaMax: 10 }
const optimizer = {
  learningRate: { start: 1e-3, end: 1e-6 },
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  clipNorm: 1,
  averaging: 0,
}

/** Buffers and kernels of a training on the file's batch x, z, t. */
async function training(file: ReturnType<typeof golden>, steps: number, broadcasts = broadcastsPay(device)) {
  const shape = goldenShape(file)
  const layout = gpuLayout(shape)
  const [batch, features] = file.get('x').shape as [number, number]
  const z = file.get('z').data
  const t = file.get('t').data
  const given = Float32Array.from({ length: batch * (features + 1) }, (_, i) => {
    const [b, j] = [Math.floor(i / (features + 1)), i % (features + 1)]
    return j < features ? z[b * features + j]! : t[b]!
  })
  const loss = await DenoisingLossKernel.create(device, shape, true)
  const weightGradient = await WeightGradientKernel.create(device, shape, broadcasts)
  const reduce = await ReduceGradientKernel.create(device, layout.parameterCount)
  const adam = await AdamKernel.create(device, shape)
  const splits = weightGradient.splits(batch)
  const bytes = layout.parameterCount * 4
  const packed = packWeights(shape, goldenParameters(file, 'net'))
  const lossPartials = scope.storage('loss partials', loss.lossCount(batch) * 4)
  const buffers = {
    weights: scope.upload('weights', packed),
    frequencies: scope.upload('frequencies', Float32Array.from(embeddingFrequencies(shape.embedding))),
    samples: scope.upload('x', Float32Array.from(file.get('x').data)),
    batch: scope.upload('z, t', given),
    activations: scope.storage('activations', batch * layout.activationStride * 4),
    deltas: scope.storage('deltas', batch * layout.deltaStride * 4),
    partials: scope.storage('partials', splits * bytes),
    gradient: scope.storage('gradient', bytes),
    norms: scope.storage('norms', normCount(layout.parameterCount) * 4),
    losses: scope.storage('losses', steps * 4),
    state: scope.storage('state', 8),
    moments: scope.storage('moments', 2 * bytes),
    average: scope.upload('average', packed.subarray(0, layout.parameterCount)),
    lossPartials,
  }
  const settings = {
    ...noise,
    seed: 0,
    stream: 0,
    sampleCount: batch,
    time: { alpha: 3, beta: 3 },
    capacity: batch,
    batch,
  }
  const forward = loss.bind(scope, { ...buffers, losses: lossPartials }, settings)
  const sizes = { capacity: batch, count: batch, splits, accumulate: false }
  const gradient = weightGradient.bind(scope, buffers, sizes)
  const sum = reduce.bind(scope, buffers, { splits, lossPartials: loss.lossCount(batch) })
  const update = adam.bind(scope, buffers, { ...optimizer, steps })
  return {
    shape,
    layout,
    buffers,
    run(count: number, updates: boolean) {
      const encoder = device.createCommandEncoder()
      const pass = encoder.beginComputePass()
      for (let k = 0; k < count; k++) {
        forward.encode(pass)
        gradient(pass)
        sum(pass)
        if (updates) update(pass)
      }
      pass.end()
      scope.submit(encoder)
    },
    read: async (buffer: GPUBuffer, length: number) => new Float32Array(await scope.read(buffer, length * 4)),
  }
}

/** Compares each layer's weight and bias with the file's tensors of that prefix. */
function expectLayers(file: ReturnType<typeof golden>, prefix: string, canonical: Float32Array): void {
  layers(goldenShape(file)).forEach(({ inputs, outputs, weightOffset, biasOffset }, l) => {
    const weight = canonical.subarray(weightOffset, weightOffset + inputs * outputs)
    expectClose(weight, file.get(`${prefix}.${l}.weight`).data, 1e-4)
    const bias = canonical.subarray(biasOffset, biasOffset + outputs)
    expectClose(bias, file.get(`${prefix}.${l}.bias`).data, 1e-4)
  })
}

describe.each(['mlp_small', 'mlp_paper'])('golden training of %s on the GPU', (name) => {
  const file = golden(name)

  it.each(broadcastsPay(device) ? [false, true] : [false])(
    'loss, gradients and their norm, broadcasting: %s',
    async (broadcasts) => {
      const { shape, layout, buffers, run, read } = await training(file, 1, broadcasts)
      run(1, false)
      expectClose(await read(buffers.losses, 1), file.get('loss').data, 1e-4)
      const gradient = unpackWeights(shape, await read(buffers.gradient, layout.parameterCount))
      expectLayers(file, 'grad', gradient)
      const squares = await read(buffers.norms, normCount(layout.parameterCount))
      const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0))
      expectClose([norm], file.get('grad_norm').data, 1e-4)
    },
  )

  it('Adam steps on one batch', async () => {
    const steps = file.get('adam5_losses').data.length
    const { shape, layout, buffers, run, read } = await training(file, steps)
    run(steps, true)
    expectClose(await read(buffers.losses, steps), file.get('adam5_losses').data, 1e-4)
    expectLayers(file, 'adam5', unpackWeights(shape, await read(buffers.weights, layout.parameterCount)))
    expect(new Uint32Array(await scope.read(buffers.state, 4))[0]).toBe(steps)
  })
})
