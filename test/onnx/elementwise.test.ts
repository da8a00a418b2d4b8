import { describe, expect, it } from 'vitest'
import type { ElementType, Values } from '../../src/onnx/graph'
import { checkRule, floats, integers, random } from './checkRule'

const positive = (shape: readonly number[], seed = 1) => random(shape, seed, 0.5, 2)
const of = (type: ElementType, values: number[]): Values => ({
  type,
  shape: [values.length],
  data: Float64Array.from(values),
})
/** Away from the kinks at whole and half numbers. */
const uneven = floats([2, 4], [-2.7, -1.3, -0.6, -0.2, 0.3, 0.8, 1.6, 3.2])

describe('arithmetic', () => {
  it.each(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Min', 'Max', 'Sum', 'Mean'])(
    '%s reduces what it broadcast',
    async (op) => {
      await checkRule(op, { inputs: [positive([2, 3, 1, 5]), positive([4, 1], 2)] })
      await checkRule(op, { inputs: [positive([3]), positive([2, 3], 2)], constants: [1] })
      await checkRule(op, { inputs: [positive([2, 1]), positive([], 2)], constants: [0] })
    },
  )

  it.each(['Min', 'Max', 'Sum', 'Mean'])('%s takes any number of inputs', async (op) => {
    await checkRule(op, { inputs: [random([2, 1, 3]), random([2, 3], 2), random([1], 3)] })
    await checkRule(op, { inputs: [random([2])] })
  })

  it.each([-1, 0.5, 1, 2, 3, 2.5])('Pow with the exponent %f', async (power) => {
    await checkRule('Pow', { inputs: [positive([2, 3]), floats([], [power])], constants: [1] })
  })

  it('squares negative numbers, and takes integer exponents', async () => {
    await checkRule('Pow', { inputs: [random([5]), floats([1], [2])], constants: [1] })
    await checkRule('Pow', { inputs: [random([5]), integers([], [3])] })
  })

  it('Mod has the sign of the dividend with fmod', async () => {
    await checkRule('Mod', { inputs: [uneven, floats([], [0.7])], attributes: { fmod: 1 } })
    await checkRule('Mod', { inputs: [integers([4], [-7, 7, -6, 5]), integers([1], [3])] })
  })

  it('Div truncates integers', async () => {
    await checkRule('Div', { inputs: [integers([4], [-7, 7, -6, 5]), integers([1], [3])] })
  })
})

const plain = [
  'Neg', 'Abs', 'Exp', 'Sin', 'Cos', 'Tan', 'Atan', 'Sinh', 'Cosh', 'Tanh', 'Sigmoid', 'Erf', 'Relu', 'Softplus', 'Softsign',
  'LeakyRelu', 'ThresholdedRelu', 'Elu', 'Selu', 'Celu', 'HardSigmoid', 'HardSwish', 'Mish',
] // prettier-ignore

describe('functions of one value', () => {
  it.each(plain)('%s', (op) => checkRule(op, { inputs: [uneven], opset: 18 }))

  it.each(['Sqrt', 'Log', 'Reciprocal'])('%s', (op) => checkRule(op, { inputs: [positive([7])] }))

  it.each([
    ['LeakyRelu', { alpha: 0.3 }],
    ['ThresholdedRelu', { alpha: 0.5 }],
    ['Elu', { alpha: 0.7 }],
    ['Selu', { alpha: 1.5, gamma: 1.1 }],
    ['Celu', { alpha: 0.7 }],
    ['HardSigmoid', { alpha: 0.3, beta: 0.4 }],
  ] as const)('%s with %o', (op, attributes) => checkRule(op, { inputs: [uneven], attributes }))

  it.each(['none', 'tanh'])('Gelu, approximate: %s', (approximate) =>
    checkRule('Gelu', { inputs: [uneven], attributes: { approximate }, opset: 20 }),
  )

  it('Swish of opset 24', () =>
    checkRule('Swish', { inputs: [uneven], attributes: { alpha: 1.3 }, opset: 24, runtimes: false }))

  it('stays finite where exp would not', async () => {
    const far = floats([2], [-200, 200])
    for (const op of ['Sigmoid', 'Softplus', 'Tanh', 'Elu']) await checkRule(op, { inputs: [far] })
  })

  it('Clip with both, one and no bound', async () => {
    const [low, high] = [floats([], [-1]), floats([], [1.5])]
    await checkRule('Clip', { inputs: [uneven, low, high], wanted: [0] })
    await checkRule('Clip', { inputs: [uneven, undefined, high], constants: [2] })
    await checkRule('Clip', { inputs: [uneven, low], constants: [1] })
    await checkRule('Clip', { inputs: [uneven] })
  })

  it('PRelu with a slope per channel', () => checkRule('PRelu', { inputs: [uneven, random([4], 2)] }))
})

describe('functions without a derivative', () => {
  const halves = floats([8], [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0, 1.2])

  it.each(['Floor', 'Ceil', 'Round', 'Sign'])('%s', (op) => checkRule(op, { inputs: [halves] }))

  it.each(['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'])('%s', async (op) => {
    await checkRule(op, { inputs: [floats([3, 1], [1, 2, 3]), floats([2], [2, 3])] })
  })

  it.each(['And', 'Or', 'Xor'])('%s', (op) =>
    checkRule(op, { inputs: [of('bool', [0, 0, 1, 1]), of('bool', [0, 1, 0, 1])] }),
  )

  it('Not, IsNaN and IsInf', async () => {
    await checkRule('Not', { inputs: [of('bool', [0, 1])] })
    await checkRule('IsNaN', { inputs: [floats([3], [NaN, 1, Infinity])] })
    await checkRule('IsInf', {
      inputs: [floats([3], [-Infinity, 1, Infinity])],
      attributes: { detect_negative: 0 },
    })
  })
})

describe('conversions', () => {
  it('Cast to integers truncates, to bool compares with 0', async () => {
    await checkRule('Cast', { inputs: [uneven], attributes: { to: 7 } })
    await checkRule('Cast', { inputs: [floats([3], [0, -0.5, 2])], attributes: { to: 9 } })
  })

  it('Cast between floating-point types passes derivatives', () =>
    checkRule('Cast', { inputs: [uneven], attributes: { to: 11 } }))

  it('Identity and Dropout hand their input on', async () => {
    await checkRule('Identity', { inputs: [uneven] })
    await checkRule('Dropout', { inputs: [uneven], outputs: 2 })
  })

  it('Dropout in training mode is refused', async () => {
    const training = [uneven, floats([], [0.5]), of('bool', [1])]
    await expect(checkRule('Dropout', { inputs: training, constants: [1, 2] })).rejects.toThrow(
      'evaluation mode',
    )
  })
})
