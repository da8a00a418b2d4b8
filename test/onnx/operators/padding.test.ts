import { describe, expect, it } from 'vitest'
import { checkRule, floats, integers, random } from '../checkRule'

async function check(
  pads: readonly number[],
  mode: string,
  options: { axes?: readonly number[]; opset?: number; fill?: number; runtimes?: boolean } = {},
): Promise<void> {
  const { axes, opset = 13, fill, runtimes } = options
  await checkRule('Pad', {
    inputs: [
      random([2, 3, 5, 4]),
      integers([pads.length], pads),
      fill === undefined ? undefined : floats([], [fill]),
      axes && integers([axes.length], axes),
    ],
    constants: [1, 3],
    attributes: { mode },
    opset,
    runtimes,
  })
}

describe('Pad', () => {
  it('with a constant', async () => {
    await check([0, 0, 1, 2, 0, 0, 3, 0], 'constant')
    await check([1, 0, 1, 2, 0, 1, 3, 0], 'constant', { fill: 0.5 })
  })

  it('crops', async () => {
    await check([0, 0, -1, 2, 0, -1, 3, -1], 'constant', { fill: 0.25 })
    await check([0, 0, -1, -1, 0, -1, 0, -2], 'constant')
  })

  for (const mode of ['edge', 'reflect']) {
    it(`in mode ${mode}`, async () => {
      await check([0, 0, 1, 2, 0, 0, 3, 0], mode)
      await check([1, 2, 4, 3, 1, 0, 4, 3], mode)
    })

    it(`crops and then pads in mode ${mode}`, () => check([0, 0, -1, 2, 0, 0, 2, -1], mode))
  }

  it('in mode wrap', () => check([0, 0, 1, 2, 0, 0, 3, 0], 'wrap', { opset: 19 }))

  it('takes axes', async () => {
    await check([2, 1, 0, 3], 'constant', { axes: [-1, 2], opset: 18, fill: 2 })
    await check([2, 1, 0, 3], 'reflect', { axes: [3, 2], opset: 18 })
  })

  it('says what does not fit', async () => {
    await expect(check([0, 0, 1, 2], 'constant')).rejects.toThrow('4 pads for 4 axes')
    await expect(check([0, 0, 5, 0, 0, 0, 0, 0], 'reflect')).rejects.toThrow('reflects 5 positions')
    await expect(check([0, 0, -3, 0, 0, 0, -3, 0], 'constant')).rejects.toThrow('crops more')
  })
})
