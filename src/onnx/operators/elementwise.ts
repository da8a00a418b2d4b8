/** Operators that treat each element alone: one line a family. */
import type { OperatorRules } from '../rule'
import { activationRules } from './activations'
import { arithmeticRules } from './arithmetic'
import { passingRules } from './passing'
import { roundingRules } from './rounding'

export const rules: OperatorRules = {
  ...arithmeticRules,
  ...activationRules,
  ...roundingRules,
  ...passingRules,
}
