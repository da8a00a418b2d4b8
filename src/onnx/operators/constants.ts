import type { OperatorRules } from '../rule'

export const rules: OperatorRules = {}
