import { describe, expect, it } from 'vitest'
import type { AttributeValues } from '../../../src/onnx/rule'
import { checkRule, integers, random } from '../checkRule'

/** An operator whose second input, a list of integers, is known. */
async function check(
  op: string,
  shape: readonly number[],
  list?: readonly number[],
  attributes?: AttributeValues,
) {
  const inputs = list ? [random(shape), integers([list.length], list)] : [random(shape)]
  await checkRule(op, { inputs, constants: [1], attributes })
}

describe('operators that only move elements', () => {
  it('Reshape', async () => {
    await check('Reshape', [2, 3, 4], [4, 6])
    await check('Reshape', [2, 3, 4], [0, -1])
    await check('Reshape', [1], [])
    await check('Reshape', [0, 3], [3, 0], { allowzero: 1 })
  })

  it('Flatten', async () => {
    for (const axis of [0, 1, 2, 3, -1]) await check('Flatten', [2, 3, 4], undefined, { axis })
  })

  it('Squeeze and Unsqueeze', async () => {
    await check('Squeeze', [1, 3, 1, 2])
    await check('Squeeze', [1, 3, 1, 2], [-2])
    await check('Unsqueeze', [3, 2], [3, 0])
    await check('Unsqueeze', [3, 2], [-1])
  })

  it('Transpose', async () => {
    await check('Transpose', [2, 3, 4])
    await check('Transpose', [2, 3, 4, 5], undefined, { perm: [2, 0, 3, 1] })
  })

  it('DepthToSpace and SpaceToDepth', async () => {
    for (const mode of ['DCR', 'CRD'])
      await check('DepthToSpace', [2, 12, 3, 2], undefined, { blocksize: 2, mode })
    await check('SpaceToDepth', [2, 3, 6, 9], undefined, { blocksize: 3 })
  })

  it('say what does not fit', async () => {
    await expect(check('Reshape', [2, 3], [4, 2])).rejects.toThrow('numbers of elements differ')
    await expect(check('Reshape', [2, 3], [-1, -1])).rejects.toThrow('only one entry')
    await expect(check('Squeeze', [2, 1], [0])).rejects.toThrow('only 1 can be left out')
    await expect(check('Transpose', [2, 1], undefined, { perm: [0, 0] })).rejects.toThrow('no order')
    await expect(check('SpaceToDepth', [1, 1, 3, 4], undefined, { blocksize: 2 })).rejects.toThrow(
      'no multiple',
    )
    await expect(check('DepthToSpace', [1, 3, 3, 4], undefined, { blocksize: 2 })).rejects.toThrow(
      'no multiple',
    )
  })
})
