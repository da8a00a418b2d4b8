import { describe, expect, it } from 'vitest'
import { checkRule, floats, random } from '../checkRule'
import { checkFunction } from './checkFunction'
import type { AttributeValues } from '../../../src/onnx/rule'
import type { Values } from '../../../src/onnx/graph'

describe('Softmax and its kin', () => {
  it('agree with differences along every axis', async () => {
    for (const axis of [0, 1, -1]) {
      await checkRule('Softmax', { inputs: [random([3, 4, 5], 1, -3, 3)], attributes: { axis } })
      await checkFunction('LogSoftmax', { inputs: [random([3, 4, 5], 1, -3, 3)], attributes: { axis } })
      await checkRule('Hardmax', { inputs: [random([3, 4, 5])], attributes: { axis } })
    }
  })

  it('do not overflow, and reach the smallest logarithms', async () => {
    const x = floats([2, 3], [500, 501, 499.5, -800, -799, -1100])
    await checkRule('Softmax', { inputs: [x] })
    await checkFunction('LogSoftmax', { inputs: [x], wanted: [] })
  })
})

describe('Attention', () => {
  const visible = {
    type: 'bool',
    shape: [3, 5],
    data: Float64Array.from({ length: 15 }, (_, i) => +(i % 4 < 2)),
  } as const
  const flat = [random([2, 3, 8]), random([2, 5, 8], 2), random([2, 5, 12], 3)]
  const parted = [random([2, 4, 3, 6]), random([2, 2, 5, 6], 2), random([2, 2, 5, 3], 3)]
  const heads = { q_num_heads: 4, kv_num_heads: 4 }
  it.each<[string, (Values | undefined)[], AttributeValues]>([
    ['of flat heads', flat, heads],
    ['of grouped queries', parted, {}],
    ['with a scale', parted, { scale: { float: 0.3 } }],
    [
      'that is causal',
      [random([1, 2, 4, 3]), random([1, 2, 4, 3], 2), random([1, 2, 4, 3], 3)],
      { is_causal: 1 },
    ],
    ['with hidden keys', [...flat, visible], heads],
    ['with a bias', [...parted, random([2, 1, 3, 5], 9)], {}],
  ])('%s', async (_name, inputs, attributes) => {
    await checkFunction('Attention', { inputs, attributes, opset: 23 })
  })

  it('refuses caches', async () => {
    const check = { inputs: [...parted, undefined, parted[1], parted[2]], opset: 23 }
    await expect(checkFunction('Attention', check)).rejects.toThrow('without such a cache')
  })
})
