import { describe, it } from 'vitest'
import { checkRule, floats, random } from '../checkRule'
import type { RuleCheck } from '../checkRule'
import { checkFunction } from './checkFunction'
import type { Values } from '../../../src/onnx/graph'

const epsilon = { float: 1e-3 }
const ones = (size: number) => floats([size], new Float64Array(size).fill(1))
const zeros = (size: number) => floats([size], new Float64Array(size))

describe('InstanceNormalization', () => {
  it.each([
    [2, 3, 5],
    [1, 3, 4, 5],
    [2, 1, 3, 2, 2],
  ])('of %s', async (...shape) => {
    const channels = shape[1]
    const [scale, bias] = [random([channels], 2, 0.5, 2), random([channels], 3)]
    await checkRule('InstanceNormalization', {
      inputs: [random(shape), scale, bias],
      attributes: { epsilon },
    })
    await checkRule('InstanceNormalization', { inputs: [random(shape), scale, bias], constants: [1, 2] })
  })

  it('uses its output where it neither scales nor shifts, as in an exported GroupNorm', async () => {
    await checkRule('InstanceNormalization', {
      inputs: [random([2, 3, 7], 4, -2, 3), ones(3), zeros(3)],
      constants: [1, 2],
      attributes: { epsilon: { float: 1e-5 } },
    })
  })

  it('works where scales are 0', async () => {
    await checkRule('InstanceNormalization', { inputs: [random([2, 3, 7]), zeros(3), random([3])] })
  })

  it('keeps its derivatives where the mean is large', async () => {
    const x = random([1, 2, 64], 5, 99, 101)
    await checkRule('InstanceNormalization', {
      inputs: [x, ones(2), zeros(2)],
      constants: [1, 2],
      runtimes: false,
    })
  })
})

describe('LayerNormalization', () => {
  it.each<[string, Values, Values | undefined, number]>([
    ['with a bias', random([6], 2, 0.5, 2), random([6], 3), -1],
    ['without one', random([6], 2, 0.5, 2), undefined, 2],
    ['over several dimensions', random([3, 6], 2, 0.5, 2), random([3, 6], 3), 1],
    ['plain', ones(6), zeros(6), -1],
  ])('%s', async (_name, scale, bias, axis) => {
    const check: RuleCheck = { inputs: [random([4, 3, 6]), scale, bias], attributes: { axis, epsilon } }
    await checkRule('LayerNormalization', check)
    await checkRule('LayerNormalization', { ...check, constants: [1, 2] })
  })

  it('gives mean and inverse deviation too', async () => {
    const inputs = [random([4, 5]), random([5], 2), random([5], 3)]
    await checkRule('LayerNormalization', { inputs, outputs: 3 })
    await checkRule('LayerNormalization', { inputs: [inputs[0], ones(5)], constants: [1], outputs: 3 })
  })
})

describe('RMSNormalization', () => {
  it('of the last dimension or several', async () => {
    const x = random([4, 3, 6], 1, -1, 2)
    await checkRule('RMSNormalization', {
      inputs: [x, random([6], 2, 0.5, 2)],
      opset: 23,
      attributes: { epsilon },
    })
    await checkRule('RMSNormalization', {
      inputs: [x, random([3, 6], 2, 0.5, 2)],
      opset: 23,
      attributes: { axis: -2 },
    })
  })
})

describe('BatchNormalization', () => {
  it('with fixed statistics', async () => {
    const [scale, bias, mean, variance] = [
      random([3], 2),
      random([3], 3),
      random([3], 4),
      random([3], 5, 0.5, 2),
    ]
    for (const shape of [
      [2, 3, 4, 5],
      [4, 3],
    ]) {
      const inputs = [random(shape), scale, bias, mean, variance]
      await checkRule('BatchNormalization', { inputs, constants: [1, 2, 3, 4], attributes: { epsilon } })
      await checkRule('BatchNormalization', { inputs, constants: [3, 4] })
    }
  })
})

describe('rewritten normalisations', () => {
  it('InstanceNormalization without scale and bias, as in an exported GroupNorm', async () => {
    for (const shape of [
      [2, 3, 7],
      [1, 3, 4, 5],
    ]) {
      const check = { inputs: [random(shape, 1, -1, 2), ones(3), zeros(3)], constants: [1, 2] }
      await checkFunction('InstanceNormalization', check)
    }
  })

  it('LayerNormalization with and without scale and bias', async () => {
    for (const parameters of [
      [random([5], 2)],
      [random([5], 2), random([5], 3)],
      [ones(5), random([5], 3)],
      [ones(5)],
    ]) {
      await checkFunction('LayerNormalization', {
        inputs: [random([3, 4, 5]), ...parameters],
        constants: [1, 2],
        attributes: { axis: 2 },
      })
    }
  })

  it.each([
    [18, 2, 2],
    [21, 2, 6],
    [21, 3, 6],
    [21, 1, 6],
    [21, 6, 6],
  ])('GroupNormalization in opset %i, %i groups, %i parameters', async (opset, groups, parameters) => {
    for (const shape of [
      [2, 6, 3, 5],
      [1, 6, 7],
    ]) {
      await checkFunction('GroupNormalization', {
        inputs: [random(shape), random([parameters], 2, 0.5, 2), random([parameters], 3)],
        attributes: { num_groups: groups, epsilon },
        opset,
      })
    }
  })

  it('GroupNormalization of groups too long for one LayerNormalization', async () => {
    const inputs = [random([1, 2, 33_000], 1, -1, 2), random([2], 2), random([2], 3)]
    await checkFunction('GroupNormalization', { inputs, attributes: { num_groups: 1 }, opset: 21 })
  })

  it('LpNormalization by both norms, and of zeros', async () => {
    for (const p of [1, 2]) {
      for (const axis of [0, -1]) {
        await checkFunction('LpNormalization', { inputs: [random([3, 4, 2])], attributes: { axis, p } })
      }
      await checkFunction('LpNormalization', { inputs: [zeros(4)], attributes: { p }, wanted: [] })
    }
  })

  it('MeanVarianceNormalization', async () => {
    await checkFunction('MeanVarianceNormalization', { inputs: [random([2, 3, 4, 5])] })
    await checkFunction('MeanVarianceNormalization', {
      inputs: [random([2, 3, 4])],
      attributes: { axes: [-1] },
    })
  })
})
