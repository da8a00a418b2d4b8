import { describe, it } from 'vitest'
import { checkRule, floats, integers, random } from '../checkRule'
import type { RuleCheck } from '../checkRule'
import { checkFunction } from './checkFunction'
import type { AttributeValues } from '../../../src/onnx/rule'

const REDUCTIONS = [
  'ReduceSum',
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceProd',
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSum',
  'ReduceLogSumExp',
  'ReduceSumSquare',
]

const AXES: readonly { axes?: readonly number[]; keepdims: number }[] = [
  { axes: [1], keepdims: 1 },
  { axes: [-1, 0], keepdims: 0 },
  { keepdims: 1 },
  { keepdims: 0 },
]

function reduction(op: string, x = random([2, 3, 5], 7, 0.25, 2)) {
  return ({ axes, keepdims }: (typeof AXES)[number], opset: number): RuleCheck => {
    const asInput = opset >= 18 || op === 'ReduceSum'
    if (!axes) return { inputs: [x], attributes: { keepdims }, opset }
    return asInput
      ? { inputs: [x, integers([axes.length], axes)], constants: [1], attributes: { keepdims }, opset }
      : { inputs: [x], attributes: { axes, keepdims }, opset }
  }
}

describe.each(REDUCTIONS)('%s', (op) => {
  it.each([13, 18])('agrees with differences and ONNX Runtime in opset %i', async (opset) => {
    for (const axes of AXES) await checkRule(op, reduction(op)(axes, opset))
  })

  it('takes entries of both signs', async () => {
    if (op === 'ReduceLogSum') return
    await checkRule(op, reduction(op, random([3, 1, 4], 3))({ axes: [2], keepdims: 0 }, 18))
  })

  it('reduces nothing where no axes are given and it says so', async () => {
    const check: RuleCheck = {
      inputs: [random([2, 3], 5, 0.5, 2), integers([0], [])],
      constants: [1],
      attributes: { noop_with_empty_axes: 1 },
      opset: 18,
    }
    await checkRule(op, check)
  })
})

describe('reductions at special points', () => {
  const last = integers([1], [1])

  it('ReduceProd has the products of the others as derivatives, zeros included', async () => {
    const x = floats([3, 3], [2, -3, 0.5, 2, 0, 3, 0, 0, 4])
    await checkRule('ReduceProd', { inputs: [x, last], constants: [1], opset: 18 })
  })

  it('ReduceLogSumExp does not overflow, and neither do the nodes that it becomes on a GPU', async () => {
    const x = floats([2, 3], [900, 901, 899.5, -1000, -999, -1001])
    for (const keepdims of [0, 1]) {
      const check = { inputs: [x, last], constants: [1], attributes: { keepdims }, opset: 18 }
      await checkFunction('ReduceLogSumExp', check)
    }
    await checkFunction('ReduceLogSumExp', { inputs: [random([2, 3, 4], 1, -3, 3)], opset: 13 })
  })

  it('integers are reduced without derivatives', async () => {
    const x = integers([2, 3], [1, 2, 4, -1, 5, 7])
    for (const op of ['ReduceSum', 'ReduceProd', 'ReduceMax', 'ReduceMin', 'ReduceMean']) {
      const runtimes = op !== 'ReduceMean' && op !== 'ReduceProd'
      await checkRule(op, { inputs: [x, last], constants: [1], opset: 18, runtimes })
    }
  })
})

describe('ArgMax, ArgMin, CumSum', () => {
  it('finds the first or the last extreme', async () => {
    const x = floats([2, 4], [1, 3, 3, 2, 0, -1, 5, -1])
    for (const op of ['ArgMax', 'ArgMin']) {
      const attributes: AttributeValues[] = [
        { axis: 1 },
        { axis: -1, select_last_index: 1, keepdims: 0 },
        { axis: 0, keepdims: 0 },
      ]
      for (const each of attributes) {
        await checkRule(op, { inputs: [x], attributes: each })
      }
    }
  })

  it('sums up forwards and backwards, with and without the entry itself', async () => {
    for (const exclusive of [0, 1]) {
      for (const reverse of [0, 1]) {
        for (const axis of [1, -1]) {
          const inputs = [random([2, 5, 3]), integers([], [axis])]
          await checkRule('CumSum', { inputs, constants: [1], attributes: { exclusive, reverse } })
        }
      }
    }
  })
})
