import { describe, expect, it } from 'vitest'
import type { AttributeValues } from '../../../src/onnx/rule'
import { checkRule, random } from '../checkRule'

interface Case {
  readonly title: string
  readonly x: readonly number[]
  readonly w: readonly number[]
  readonly attributes: AttributeValues
  /** Whether ONNX Runtime takes the node as it stands. */
  readonly runtimes?: boolean
}

/** Input, weights, bias; the derivatives by all three. */
async function check(op: string, { x, w, attributes, runtimes }: Case, biasSize: number): Promise<void> {
  await checkRule(op, { inputs: [random(x, 1), random(w, 2), random([biasSize], 3)], attributes, runtimes })
}

const convolutions: readonly Case[] = [
  { title: 'padding', x: [2, 3, 5, 7], w: [4, 3, 3, 3], attributes: { pads: [1, 1, 1, 1] } },
  { title: 'a 1 × 1 kernel', x: [1, 3, 4, 5], w: [2, 3, 1, 1], attributes: {} },
  {
    title: 'strides that leave a remainder, dilations, unequal padding',
    x: [2, 3, 9, 8],
    w: [5, 3, 3, 2],
    attributes: { strides: [2, 3], dilations: [2, 1], pads: [0, 1, 2, 1] },
  },
  {
    title: 'a remainder as large as the dilation',
    x: [1, 2, 10, 11],
    w: [3, 2, 2, 2],
    attributes: { strides: [4, 3], dilations: [1, 2], pads: [0, 0, 0, 0] },
  },
  { title: 'groups', x: [2, 6, 5, 4], w: [4, 3, 3, 3], attributes: { group: 2, pads: [1, 0, 0, 1] } },
  {
    title: 'groups with 5 outputs each, which WebGPU computes wrongly',
    x: [2, 4, 5, 5],
    w: [10, 2, 3, 3],
    attributes: { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  {
    title: 'one group per channel with dilations',
    x: [2, 3, 7, 6],
    w: [6, 1, 3, 3],
    attributes: { group: 3, dilations: [2, 2], pads: [2, 2, 2, 2] },
  },
  {
    title: 'SAME_UPPER with strides',
    x: [1, 2, 6, 7],
    w: [3, 2, 3, 4],
    attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] },
  },
  {
    title: 'SAME_LOWER with strides',
    x: [1, 2, 6, 7],
    w: [3, 2, 4, 3],
    attributes: { auto_pad: 'SAME_LOWER', strides: [2, 3] },
  },
  { title: 'VALID', x: [1, 2, 6, 7], w: [3, 2, 3, 3], attributes: { auto_pad: 'VALID', strides: [2, 1] } },
  { title: 'one dimension', x: [2, 3, 9], w: [4, 3, 3], attributes: { strides: [2], pads: [1, 2] } },
  {
    title: 'three dimensions',
    x: [1, 2, 4, 3, 5],
    w: [2, 2, 2, 3, 2],
    attributes: { pads: [1, 1, 0, 0, 1, 1], strides: [1, 1, 2] },
  },
]

const transposed: readonly Case[] = [
  { title: 'padding', x: [2, 3, 4, 5], w: [3, 4, 3, 3], attributes: { pads: [1, 1, 1, 1] } },
  {
    title: 'strides with output padding',
    x: [2, 3, 3, 4],
    w: [3, 2, 4, 3],
    attributes: { strides: [2, 3], pads: [1, 0, 1, 1], output_padding: [1, 2] },
  },
  {
    title: 'output padding as large as the stride, under dilation',
    x: [1, 2, 3, 4],
    w: [2, 3, 2, 3],
    attributes: { strides: [2, 1], dilations: [3, 2], pads: [0, 0, 1, 1], output_padding: [2, 1] },
    runtimes: false,
  },
  {
    title: 'groups with 5 inputs each, whose reverse rule is a grouped Conv',
    x: [2, 10, 3, 4],
    w: [10, 2, 3, 3],
    attributes: { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  {
    title: 'groups with several inputs and one output, which WebGPU computes wrongly',
    x: [2, 6, 3, 4],
    w: [6, 1, 3, 3],
    attributes: { group: 3, strides: [2, 1], pads: [1, 0, 1, 1] },
  },
  {
    title: 'one group per channel',
    x: [2, 3, 4, 5],
    w: [3, 1, 4, 4],
    attributes: { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  {
    title: 'output_shape',
    x: [1, 2, 4, 5],
    w: [2, 3, 3, 4],
    attributes: { strides: [2, 2], output_shape: [8, 9] },
  },
  {
    title: 'output_shape with an odd one to the end',
    x: [1, 2, 4, 5],
    w: [2, 3, 4, 4],
    attributes: { strides: [2, 2], output_shape: [9, 11], auto_pad: 'SAME_UPPER' },
  },
  {
    title: 'SAME_UPPER',
    x: [1, 2, 4, 5],
    w: [2, 3, 3, 4],
    attributes: { strides: [2, 1], auto_pad: 'SAME_UPPER' },
  },
  {
    title: 'SAME_LOWER',
    x: [1, 2, 4, 5],
    w: [2, 3, 3, 4],
    attributes: { strides: [2, 1], auto_pad: 'SAME_LOWER' },
  },
  { title: 'VALID', x: [1, 2, 4, 5], w: [2, 3, 3, 4], attributes: { strides: [2, 3], auto_pad: 'VALID' } },
  {
    title: 'one dimension',
    x: [2, 3, 5],
    w: [3, 2, 4],
    attributes: { strides: [2], pads: [1, 1] },
  },
]

describe('Conv', () => {
  for (const each of convolutions) it(`with ${each.title}`, () => check('Conv', each, each.w[0]!))

  it('goes without a bias', () =>
    checkRule('Conv', { inputs: [random([1, 2, 4, 4], 1), random([3, 2, 3, 3], 2)] }))

  it('says which shapes do not fit', async () => {
    const inputs = [random([1, 4, 4, 4], 1), random([3, 2, 3, 3], 2)]
    await expect(checkRule('Conv', { inputs })).rejects.toThrow('4 channels, its weights take 2')
    await expect(checkRule('Conv', { inputs, attributes: { group: 2 } })).rejects.toThrow('do not fit')
    const small = [random([1, 2, 2, 4], 1), random([3, 2, 3, 3], 2)]
    await expect(checkRule('Conv', { inputs: small })).rejects.toThrow(
      'covers 3 positions, but dimension 2 has 2',
    )
  })
})

describe('ConvTranspose', () => {
  for (const each of transposed) {
    const group = (each.attributes['group'] ?? 1) as number
    it(`with ${each.title}`, () => check('ConvTranspose', each, each.w[1]! * group))
  }

  it('refuses an output that the input does not reach', async () => {
    const inputs = [random([1, 2, 4, 4], 1), random([2, 3, 3, 3], 2)]
    const attributes = { strides: [2, 2], output_shape: [20, 20] }
    await expect(checkRule('ConvTranspose', { inputs, attributes })).rejects.toThrow('depend on no input')
  })
})
