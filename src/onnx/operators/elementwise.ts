/** Operators that treat each element alone; see the files of the parts. */
import type { OperatorRules } from '../rule'
import { arithmeticRules } from './arithmetic'

export const rules: OperatorRules = { ...arithmeticRules }
