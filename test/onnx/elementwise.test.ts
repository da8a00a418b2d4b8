import { describe, expect, it } from 'vitest'
import { checkRule, integers, random } from './checkRule'

const positive = (shape: readonly number[], seed = 1) => random(shape, seed, 0.5, 2)

describe('arithmetic', () => {
  it.each(['Add', 'Sub', 'Mul', 'Div', 'Min', 'Max', 'Sum', 'Mean'])(
    '%s reduces what it broadcast',
    async (op) => {
      await checkRule(op, { inputs: [positive([2, 3, 1, 5]), positive([4, 1], 2)] })
      await checkRule(op, { inputs: [positive([3]), positive([2, 3], 2)], constants: [1] })
    },
  )
})
