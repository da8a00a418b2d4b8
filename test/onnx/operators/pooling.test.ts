import { describe, expect, it } from 'vitest'
import { createBuilder } from '../../../src/onnx/builder'
import { reverse } from '../../../src/onnx/derivatives'
import { GraphDraft } from '../../../src/onnx/draft'
import { interpret } from '../../../src/onnx/interpret'
import type { AttributeValues } from '../../../src/onnx/rule'
import { checkRule, floats, random } from '../checkRule'

const windows: readonly { title: string; shape: readonly number[]; attributes: AttributeValues }[] = [
  { title: 'tiles', shape: [2, 3, 6, 4], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
  {
    title: 'tiles with a remainder',
    shape: [2, 3, 7, 5],
    attributes: { kernel_shape: [3, 2], strides: [3, 2] },
  },
  {
    title: 'overlapping windows with padding',
    shape: [2, 3, 7, 6],
    attributes: { kernel_shape: [3, 3], strides: [2, 1], pads: [1, 1, 1, 1] },
  },
  {
    title: 'unequal padding',
    shape: [1, 2, 7, 6],
    attributes: { kernel_shape: [3, 2], strides: [2, 2], pads: [0, 1, 2, 0] },
  },
  {
    title: 'ceil_mode',
    shape: [1, 2, 6, 7],
    attributes: { kernel_shape: [3, 2], strides: [2, 2], pads: [0, 0, 0, 0], ceil_mode: 1 },
  },
  {
    title: 'ceil_mode that would begin a window in the padding',
    shape: [1, 2, 5, 6],
    attributes: { kernel_shape: [2, 3], strides: [3, 3], pads: [1, 1, 1, 1], ceil_mode: 1 },
  },
  {
    title: 'SAME_UPPER',
    shape: [1, 2, 6, 7],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' },
  },
  {
    title: 'SAME_LOWER',
    shape: [1, 2, 6, 7],
    attributes: { kernel_shape: [2, 3], strides: [1, 2], auto_pad: 'SAME_LOWER' },
  },
  { title: 'VALID', shape: [1, 2, 6, 7], attributes: { kernel_shape: [2, 3], auto_pad: 'VALID' } },
  { title: 'one dimension', shape: [2, 3, 7], attributes: { kernel_shape: [3], strides: [2], pads: [1, 1] } },
  {
    title: 'three dimensions',
    shape: [1, 2, 4, 2, 6],
    attributes: { kernel_shape: [2, 2, 3], strides: [2, 2, 3] },
  },
]

describe('AveragePool', () => {
  for (const { title, shape, attributes } of windows) {
    for (const count_include_pad of [0, 1])
      it(`${title}, count_include_pad ${count_include_pad}`, () =>
        checkRule('AveragePool', {
          inputs: [random(shape)],
          attributes: { ...attributes, count_include_pad },
        }))
  }

  it('dilations', () =>
    checkRule('AveragePool', {
      inputs: [random([1, 2, 7, 8])],
      attributes: { kernel_shape: [2, 3], dilations: [2, 2], strides: [1, 2], pads: [1, 1, 1, 1] },
      opset: 19,
    }))
})

describe('MaxPool', () => {
  for (const { title, shape, attributes } of windows)
    it(`with ${title}`, () => checkRule('MaxPool', { inputs: [random(shape)], attributes }))

  it('dilations', () =>
    checkRule('MaxPool', {
      inputs: [random([1, 2, 7, 8])],
      attributes: { kernel_shape: [2, 3], dilations: [2, 2], strides: [1, 2], pads: [1, 1, 1, 1] },
    }))

  it('gives indices', () =>
    checkRule('MaxPool', {
      inputs: [random([2, 2, 5, 4])],
      attributes: { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 0] },
      outputs: 2,
    }))

  it('refuses windows that would exhaust memory', async () => {
    const check = (op: string) =>
      checkRule(op, { inputs: [random([1, 1, 400, 400])], attributes: { kernel_shape: [200, 200] } })
    await expect(check('MaxPool')).rejects.toThrow('more than 512 positions')
    await expect(check('AveragePool')).rejects.toThrow('too much')
  })

  it('refuses padding in which a window could lie', async () => {
    const attributes = { kernel_shape: [2, 2], pads: [2, 0, 0, 0] }
    await expect(checkRule('MaxPool', { inputs: [random([1, 1, 4, 4])], attributes })).rejects.toThrow(
      'padding',
    )
  })

  for (const strides of [
    [2, 2],
    [1, 1],
  ])
    it(`shares the derivative among ties, stride ${strides[0]}`, () => {
      const draft = new GraphDraft(17)
      const type = { type: 'float32' as const, shape: [1, 1, 2, 2] }
      const x = draft.addInput('x', type)
      const y = createBuilder(draft).node('MaxPool', [x], { kernel_shape: [2, 2], strides })
      const yBar = draft.addInput('yBar', draft.typeOf(y), 'linear')
      const [xBar] = reverse(draft, [x], new Map([[y, yBar]]))
      const graph = draft.finish('ties', [{ name: 'xBar', value: xBar! }])
      const feeds = { x: floats([1, 1, 2, 2], [3, 1, 3, 3]), yBar: floats([1, 1, 1, 1], [6]) }
      expect([...interpret(graph, feeds).get('xBar')!.data]).toEqual([2, 0, 2, 2])
    })
})

describe('GlobalAveragePool and GlobalMaxPool', () => {
  for (const op of ['GlobalAveragePool', 'GlobalMaxPool'])
    for (const shape of [
      [2, 3, 5],
      [2, 3, 4, 5],
      [1, 2, 3, 2, 3],
    ])
      it(`${op} of ${shape.join(' × ')}`, () => checkRule(op, { inputs: [random(shape)] }))
})
