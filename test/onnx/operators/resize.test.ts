import { describe, expect, it } from 'vitest'
import type { AttributeValues } from '../../../src/onnx/rule'
import { checkRule, floats, integers, random } from '../checkRule'

const coordinateModes = ['asymmetric', 'half_pixel', 'pytorch_half_pixel', 'align_corners']

/** Whole factors, a fraction, and a scale that does not divide the sizes. */
const scales: readonly (readonly number[])[] = [
  [1, 1, 2, 2],
  [1, 1, 2, 3],
  [1, 1, 1, 1.6],
  [1, 1, 0.5, 0.4],
]

async function check(
  shape: readonly number[],
  scales: readonly number[] | undefined,
  sizes: readonly number[] | undefined,
  attributes: AttributeValues,
  opset = 18,
): Promise<void> {
  await checkRule('Resize', {
    inputs: [
      random(shape),
      undefined,
      scales && floats([scales.length], scales),
      sizes && integers([sizes.length], sizes),
    ],
    constants: [2, 3],
    attributes,
    opset,
  })
}

describe('Resize', () => {
  for (const coordinate_transformation_mode of coordinateModes) {
    it(`nearest, ${coordinate_transformation_mode}`, async () => {
      for (const nearest_mode of ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'])
        for (const each of scales)
          await check([1, 2, 5, 4], each, undefined, {
            mode: 'nearest',
            coordinate_transformation_mode,
            nearest_mode,
          })
    })

    for (const mode of ['linear', 'cubic'])
      it(`${mode}, ${coordinate_transformation_mode}`, async () => {
        for (const each of scales)
          await check([2, 3, 5, 4], each, undefined, { mode, coordinate_transformation_mode })
        await check([1, 2, 5, 4], undefined, [1, 2, 7, 3], { mode, coordinate_transformation_mode })
      })
  }

  it('cubic without what is outside, with another parameter', () =>
    check([1, 2, 5, 6], undefined, [1, 2, 8, 9], { mode: 'cubic', exclude_outside: 1, cubic_coeff_a: -0.5 }))

  it('antialiases', async () => {
    for (const mode of ['linear', 'cubic'])
      await check([1, 2, 9, 10], undefined, [1, 2, 4, 5], { mode, antialias: 1 })
  })

  it('takes axes, and keeps the aspect ratio', async () => {
    await check([1, 2, 5, 4], undefined, [7, 9], { mode: 'linear', axes: [2, 3] })
    for (const keep_aspect_ratio_policy of ['not_larger', 'not_smaller'])
      await check([1, 2, 5, 4], undefined, [9, 9], { mode: 'linear', axes: [3, 2], keep_aspect_ratio_policy })
  })

  it('in one and three dimensions', async () => {
    for (const mode of ['nearest', 'linear']) {
      await check([2, 3, 5], [1, 1, 2], undefined, { mode }, 13)
      await check([1, 2, 2, 3, 4], [1, 1, 2, 2, 1.5], undefined, { mode }, 13)
    }
  })

  it('says what it does not support', async () => {
    const attributes = { coordinate_transformation_mode: 'tf_crop_and_resize' }
    await expect(check([1, 1, 2, 2], [1, 1, 2, 2], undefined, attributes)).rejects.toThrow('supported are')
    await expect(check([1, 1, 2, 2], undefined, undefined, {})).rejects.toThrow('either scales or sizes')
    await expect(checkRule('Upsample', { inputs: [random([1, 1, 2, 2])] })).rejects.toThrow('opset 13')
  })
})
