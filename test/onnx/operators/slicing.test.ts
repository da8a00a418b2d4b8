import { describe, expect, it } from 'vitest'
import { createBuilder } from '../../../src/onnx/builder'
import { reverse } from '../../../src/onnx/derivatives'
import { GraphDraft } from '../../../src/onnx/draft'
import { checkRule, floats, integers, random } from '../checkRule'
import { checkFunction } from './checkFunction'

const END = 2 ** 62
const list = (values: readonly number[]) => integers([values.length], values)
const constants = [1, 2, 3, 4]

describe('Slice', () => {
  it.each([
    { starts: [1], ends: [4], axes: [1], steps: [1] },
    { starts: [0, -2], ends: [END, END], axes: [2, 1], steps: [1, 1] },
    { starts: [1], ends: [END], axes: [-1], steps: [2] },
    { starts: [0, 1], ends: [END, -1], axes: [1, 2], steps: [3, 2] },
    { starts: [-1], ends: [-END], axes: [1], steps: [-1] },
    { starts: [-1, END], ends: [-END, 0], axes: [1, 2], steps: [-2, -3] },
    { starts: [4], ends: [2], axes: [1], steps: [-5] },
    { starts: [3], ends: [1], axes: [1], steps: [1] },
  ])('from $starts to $ends by $steps', async ({ starts, ends, axes, steps }) => {
    const inputs = [random([2, 5, 7]), list(starts), list(ends), list(axes), list(steps)]
    await checkRule('Slice', { inputs, constants })
  })

  it('takes the first axes where none are named', async () => {
    await checkRule('Slice', { inputs: [random([3, 4, 2]), list([1, 0]), list([3, -1])], constants })
  })
})

describe('Gather', () => {
  const table = (shape: readonly number[], data: readonly number[]) => integers(shape, data)
  it.each([
    ['one entry', table([], [-2]), 1],
    ['consecutive entries', table([3], [1, 2, 3]), 1],
    ['a permutation', table([5], [4, 0, 3, 1, 2]), 1],
    ['some entries', table([2], [3, -5]), 1],
    ['entries twice', table([2, 3], [0, 0, 1, 1, 2, 2]), -1],
    ['entries several times, others never', table([2, 2, 2], [4, 4, 4, 1, 0, 1, 4, -1]), 1],
    ['rows', table([4], [1, 0, 0, 1]), 0],
  ])('%s', async (_name, indices, axis) => {
    await checkRule('Gather', { inputs: [random([2, 5, 3]), indices], constants: [1], attributes: { axis } })
  })

  it('refuses an index outside', async () => {
    const check = { inputs: [random([2, 3]), table([1], [3])], constants: [1], attributes: { axis: 1 } }
    await expect(checkRule('Gather', check)).rejects.toThrow('index 3 is outside of a dimension of size 3')
  })
})

describe('GatherElements and GatherND', () => {
  it('gather entries', async () => {
    const indices = integers([2, 3], [0, 2, -1, 1, 1, 1])
    await checkRule('GatherElements', {
      inputs: [random([3, 4]), indices],
      constants: [1],
      attributes: { axis: 1 },
    })
    await checkRule('GatherElements', { inputs: [random([3, 3]), indices], constants: [1] })
  })

  it('gather rows, and rows of each batch', async () => {
    const x = random([2, 3, 4])
    await checkRule('GatherND', { inputs: [x, integers([3, 2], [0, 1, 1, -1, 0, 1])], constants: [1] })
    await checkRule('GatherND', { inputs: [x, integers([2, 3], [1, 2, 3, 0, 0, 0])], constants: [1] })
    const inBatch = integers([2, 2, 1], [2, 0, 1, 1])
    await checkRule('GatherND', { inputs: [x, inBatch], constants: [1], attributes: { batch_dims: 1 } })
  })
})

describe('ScatterElements and ScatterND', () => {
  it('replace or add entries', async () => {
    const indices = integers([2, 3], [0, 2, 3, -1, 1, 0])
    const inputs = [random([2, 4]), indices, random([2, 3], 9)]
    await checkRule('ScatterElements', { inputs, constants: [1], attributes: { axis: 1 } })
    await checkRule('ScatterElements', { inputs, constants: [1], attributes: { axis: 1, reduction: 'add' } })
  })

  it('replace or add rows', async () => {
    const inputs = [random([3, 4, 2]), integers([3, 1], [2, 0, 0]), random([3, 4, 2], 5)]
    await checkRule('ScatterND', { inputs, constants: [1], attributes: { reduction: 'add' } })
    const single = [random([3, 4, 2]), integers([2, 2], [2, 0, 0, 3]), random([2, 2], 5)]
    await checkRule('ScatterND', { inputs: single, constants: [1] })
  })
})

describe('Trilu and OneHot', () => {
  it('keeps one triangle', async () => {
    for (const upper of [0, 1]) {
      for (const shift of [-1, 0, 2]) {
        const k = integers([], [shift])
        await checkFunction('Trilu', {
          inputs: [random([2, 3, 4]), k],
          constants: [1],
          attributes: { upper },
        })
      }
    }
  })

  it('keeps infinities out of the other', async () => {
    const x = floats([2, 2], [-Infinity, -Infinity, -Infinity, -Infinity])
    await checkFunction('Trilu', { inputs: [x], wanted: [] })
  })

  it('writes indices as unit vectors', async () => {
    const inputs = [integers([2, 2], [0, 3, -1, 7]), integers([], [4]), floats([2], [-0.5, 2])]
    for (const axis of [-1, 0, 1]) {
      await checkRule('OneHot', { inputs, constants: [1], attributes: { axis } })
    }
  })
})

describe('hostile sizes', () => {
  it('do not exhaust memory', () => {
    const draft = new GraphDraft(17)
    const build = createBuilder(draft)
    const x = draft.addInput('x', { type: 'float32', shape: [2 ** 30] })
    const y = build.node('Gather', [x, build.integers([0, 2 ** 20])], { axis: 0 })
    const cotangent = draft.addInput('cotangent', { type: 'float32', shape: [2] }, 'linear')
    expect(() => reverse(draft, [x], new Map([[y, cotangent]]))).toThrow('a table of 1073741824 numbers')
  })
})
