import { describe, expect, test } from 'vitest'
import { initializeWeights, layers, parameterCount } from '../../src/diffusion/mlp'
import { denoisingLossGradient, MlpDenoiser } from '../../src/diffusion/mlpDenoiser'
import { logLinearSchedule } from '../../src/diffusion/schedule'
import type { NetworkShape } from '../../src/diffusion/types'
import { RandomStream } from '../../src/math/philox'

function normals(count: number, index: number): Float64Array {
  const out = new Float64Array(count)
  new RandomStream(11, 0).fillNormals(out, 0, count, index, 0, 9)
  return out
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

const shapes: NetworkShape[] = [
  { features: 2, embedding: 4, hidden: 4, hiddenLayers: 1 },
  { features: 5, embedding: 8, hidden: 20, hiddenLayers: 3 },
  { features: 7, embedding: 2, hidden: 12, hiddenLayers: 2 },
]

describe.each(shapes)('MLP denoiser $features-$embedding-$hidden×$hiddenLayers', (shape) => {
  const batch = 7
  const { features } = shape
  const denoiser = new MlpDenoiser(shape, Float64Array.from(initializeWeights(shape, 5)))
  const sigma = Float64Array.from({ length: batch }, (_, b) => 0.01 * 3 ** b)
  const xT = normals(batch * features, 1)

  test('⟨u, Jᵀv⟩ = ⟨Ju, v⟩', () => {
    const { vjp, jvp } = denoiser.linearize(xT, sigma)
    const [u, v] = [normals(xT.length, 2), normals(xT.length, 3)]
    const left = dot(u, vjp(v))
    expect(Math.abs(left - dot(jvp(u), v))).toBeLessThan(1e-12 * Math.abs(left) + 1e-13)
  })

  test('the JVP is the limit of finite differences', () => {
    const u = normals(xT.length, 4)
    const step = 1e-6
    const shifted = (sign: number) =>
      denoiser.denoise(
        xT.map((value, i) => value + sign * step * u[i]!),
        sigma,
      )
    const [plus, minus] = [shifted(1), shifted(-1)]
    const ju = denoiser.linearize(xT, sigma).jvp(u)
    ju.forEach((value, i) => expect(Math.abs(value - (plus[i]! - minus[i]!) / (2 * step))).toBeLessThan(1e-7))
  })

  test('the loss gradient is the limit of finite differences, in every layer', () => {
    const schedule = logLinearSchedule(0.05, 5)
    const t = Float64Array.from({ length: batch }, (_, b) => (b + 0.5) / batch)
    const [x, z] = [normals(batch * features, 5), normals(batch * features, 6)]
    const weights = denoiser.weights.slice()
    const { gradient } = denoisingLossGradient(denoiser, schedule, x, z, t)
    const loss = () => denoisingLossGradient(new MlpDenoiser(shape, weights), schedule, x, z, t).loss
    for (const { weightOffset, biasOffset, outputs } of layers(shape)) {
      for (const i of [weightOffset, biasOffset - 1, biasOffset, biasOffset + outputs - 1]) {
        const value = weights[i]!
        weights[i] = value + 1e-5
        const plus = loss()
        weights[i] = value - 1e-5
        const minus = loss()
        weights[i] = value
        const estimate = (plus - minus) / 2e-5
        expect(Math.abs(gradient[i]! - estimate)).toBeLessThan(1e-6 * (1 + Math.abs(estimate)))
      }
    }
  })

  test('a sample does not depend on the others in its batch', () => {
    const all = denoiser.denoise(xT, sigma)
    for (let b = 0; b < batch; b++) {
      const [begin, end] = [b * features, (b + 1) * features]
      const alone = denoiser.denoise(xT.slice(begin, end), sigma.slice(b, b + 1))
      alone.forEach((value, j) => expect(Math.abs(value - all[begin + j]!)).toBeLessThan(1e-13))
    }
  })
})

test('extreme pre-activations stay finite', () => {
  const shape = shapes[1]!
  const weights = Float64Array.from(initializeWeights(shape, 1), (value) => value * 1e5)
  const { xHat, vjp } = new MlpDenoiser(shape, weights).linearize(normals(5, 1), Float64Array.of(1))
  expect([...xHat, ...vjp(normals(5, 2))].every(Number.isFinite)).toBe(true)
})

test('initial weights lie in ±1/√inputs, biases are zero, and the seed decides', () => {
  const shape = shapes[1]!
  const weights = initializeWeights(shape, 3)
  expect(weights.length).toBe(parameterCount(shape))
  for (const { inputs, outputs, weightOffset, biasOffset } of layers(shape)) {
    const bound = 1 / Math.sqrt(inputs)
    const matrix = weights.subarray(weightOffset, biasOffset)
    expect(Math.max(...matrix.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound))
    const variance = matrix.reduce((sum, value) => sum + value * value, 0) / matrix.length
    expect(Math.abs(variance / (bound * bound) - 1 / 3)).toBeLessThan(4 * Math.sqrt(4 / 45 / matrix.length))
    expect(weights.subarray(biasOffset, biasOffset + outputs).every((value) => value === 0)).toBe(true)
  }
  expect(initializeWeights(shape, 3)).toEqual(weights)
  expect(initializeWeights(shape, 4)).not.toEqual(weights)
})

test('a weight array of the wrong length is refused', () => {
  expect(() => new MlpDenoiser(shapes[0]!, new Float64Array(3))).toThrow(/weights, got 3/)
})
