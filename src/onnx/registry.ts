/** Every operator that the program knows. A new one is a rule in src/onnx/operators and, for a new file, a line here. */
import { rules as constants } from './operators/constants'
import { rules as convolution } from './operators/convolution'
import { rules as elementwise } from './operators/elementwise'
import { rules as matrix } from './operators/matrix'
import { rules as normalisation } from './operators/normalisation'
import { rules as padding } from './operators/padding'
import { rules as pooling } from './operators/pooling'
import { rules as rearrange } from './operators/rearrange'
import { rules as reduction } from './operators/reduction'
import { rules as resize } from './operators/resize'
import { rules as selection } from './operators/selection'
import { rules as shape } from './operators/shape'
import { rules as slicing } from './operators/slicing'
import { rules as softmax } from './operators/softmax'
import type { OperatorRule, OperatorRules } from './rule'

const RULES: ReadonlyMap<string, OperatorRule> = new Map(
  [
    constants,
    convolution,
    elementwise,
    matrix,
    normalisation,
    padding,
    pooling,
    rearrange,
    reduction,
    resize,
    selection,
    shape,
    slicing,
    softmax,
  ].flatMap((rules: OperatorRules) => Object.entries(rules)),
)

/** The rule of a node's operator; undefined where the program does not know it. */
export function ruleOf(node: { readonly op: string; readonly domain: string }): OperatorRule | undefined {
  return node.domain === '' ? RULES.get(node.op) : undefined
}

/** Names of the standard operators that are known. */
export function knownOperators(): readonly string[] {
  return [...RULES.keys()]
}
