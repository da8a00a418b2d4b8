/**
 * Reductions y = f({x_i}) over some dimensions, ArgMax, ArgMin and CumSum.
 *
 * Every reduction has the derivative x̄_i = w_i ȳ, ẏ = Σ w_i ẋ_i with local weights w = ∂y/∂x, which depend on x alone. Ties of
 * ReduceMax and ReduceMin share the derivative evenly, as in PyTorch's amax.
 * Source: github.com/onnx/onnx, docs/Operators.md.
 */
import { elementCount, isFloat } from '../tensor'
import { axesFrom, groupsAlong, resolveAxes, resolveAxis, stridedOffsets, stridesOf } from './strided'
import type { Values, ValueType } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'

interface Reduction {
  /** f of the entries that are reduced into one output. */
  fold(values: Float64Array): number
  /**
   * The weights ∂y/∂x, of x's shape or broadcasting to it; undefined: 1. `y` has x's rank, with size 1 where reduced.
   */
  weights?(build: Builder, x: string, y: string, axes: readonly number[]): string
}

const REDUCTIONS: Readonly<Record<string, Reduction>> = {
  ReduceSum: { fold: sum },
  ReduceMean: {
    fold: (values) => sum(values) / values.length,
    weights(build, x, _y, axes) {
      const { shape } = build.typeOf(x)
      return build.scalar(1 / elementCount(axes.map((axis) => shape[axis]!)), x)
    },
  },
  ReduceMax: { fold: (values) => values.reduce((a, b) => Math.max(a, b), -Infinity), weights: shareOfTies },
  ReduceMin: { fold: (values) => values.reduce((a, b) => Math.min(a, b), Infinity), weights: shareOfTies },
  ReduceProd: { fold: (values) => values.reduce((a, b) => a * b, 1), weights: productOfOthers },
  ReduceL1: { fold: (values) => sum(values.map(Math.abs)), weights: signOf },
  ReduceL2: {
    fold: (values) => Math.sqrt(sumOfSquares(values)),
    // y = 0 only where x = 0; the derivative is 0 there, instead of 0/0.
    weights: (build, x, y) => build.div(x, replaceZeros(build, y, y)),
  },
  ReduceLogSum: {
    fold: (values) => Math.log(sum(values)),
    weights: (build, _x, y) => build.node('Exp', [build.neg(y)]),
  },
  ReduceLogSumExp: {
    fold(values) {
      const largest = values.reduce((a, b) => Math.max(a, b), -Infinity)
      if (!Number.isFinite(largest)) return largest
      return largest + Math.log(sum(values.map((value) => Math.exp(value - largest))))
    },
    weights: (build, x, y) => build.node('Exp', [build.sub(x, y)]),
  },
  ReduceSumSquare: {
    fold: sumOfSquares,
    weights: (build, x) => build.mul(x, build.scalar(2, x)),
  },
}

function sum(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0)
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((a, b) => a + b * b, 0)
}

/** `value` with 1 where `test` is 0. */
function replaceZeros(build: Builder, test: string, value: string): string {
  const isZero = build.node('Equal', [test, build.scalar(0, test)])
  return build.node('Where', [isZero, build.scalar(1, value), value])
}

/** Not by Sign, which the WebGPU provider leaves to the CPU. */
function signOf(build: Builder, x: string): string {
  const { type } = build.typeOf(x)
  const zero = build.scalar(0, x)
  const positive = build.cast(build.node('Greater', [x, zero]), type)
  return build.sub(positive, build.cast(build.node('Less', [x, zero]), type))
}

function shareOfTies(build: Builder, x: string, y: string, axes: readonly number[]): string {
  const extreme = build.cast(build.node('Equal', [x, y]), build.typeOf(x).type)
  return build.div(extreme, build.reduceSum(extreme, axes, true))
}

/** Π_{j≠i} x_j = (Π of the nonzero entries) / x_i where no other entry is 0, else 0. */
function productOfOthers(build: Builder, x: string, _y: string, axes: readonly number[]): string {
  const zeros = build.cast(build.node('Equal', [x, build.scalar(0, x)]), build.typeOf(x).type)
  const nonzero = build.add(x, zeros)
  const otherZeros = build.sub(build.reduceSum(zeros, axes, true), zeros)
  const alone = build.cast(
    build.node('Equal', [otherZeros, build.scalar(0, otherZeros)]),
    build.typeOf(x).type,
  )
  return build.mul(alone, build.div(reduce(build, 'ReduceProd', nonzero, axes), nonzero))
}

/** A reduction that keeps its dimensions; from opset 18 on axes are an input, and may be none. */
export function reduce(build: Builder, op: string, x: string, axes: readonly number[]): string {
  if (build.opset < (op === 'ReduceSum' ? 13 : 18)) return build.node(op, [x], { axes, keepdims: 1 })
  const none = axes.length === 0 && { noop_with_empty_axes: 1 }
  return build.node(op, [x, build.integers(axes)], { keepdims: 1, ...none })
}

function reducedAxes(node: NodeView): number[] {
  const rank = node.typeOf(0).shape.length
  const given = node.inputs[1] === undefined ? node.ints('axes', []) : node.integers(1)
  if (given.length > 0) return resolveAxes(node, given, rank)
  return node.int('noop_with_empty_axes', 0) === 0 ? axesFrom(0, rank) : []
}

/** The input's shape with 1 where reduced. */
function keptShape(node: NodeView, axes: readonly number[]): number[] {
  return node.typeOf(0).shape.map((size, i) => (axes.includes(i) ? 1 : size))
}

function reducedShape(node: NodeView, axes: readonly number[]): number[] {
  const kept = keptShape(node, axes)
  return node.int('keepdims', 1) === 0 ? kept.filter((_, i) => !axes.includes(i)) : kept
}

/** Calls `visit` with the entries that go into each output, in order. */
function visitGroups(
  x: Values,
  axes: readonly number[],
  visit: (values: Float64Array, output: number) => void,
): void {
  const { firsts, inside } = groupsAlong(x.shape, axes)
  const values = new Float64Array(inside.length)
  firsts.forEach((first, output) => {
    for (let i = 0; i < inside.length; i++) values[i] = x.data[first + inside[i]!]!
    visit(values, output)
  })
}

function reductionRule(reduction: Reduction): OperatorRule {
  /** What both derivatives need: the weights, and the output's shape with the reduced dimensions kept. */
  function local(node: NodeView, build: Builder) {
    const axes = reducedAxes(node)
    const kept = keptShape(node, axes)
    const weights = reduction.weights?.(build, node.inputs[0]!, build.reshape(node.outputs[0]!, kept), axes)
    return { axes, kept, weights }
  }
  return {
    infer(node) {
      const { type } = node.typeOf(0)
      return [{ type, shape: reducedShape(node, reducedAxes(node)) }]
    },
    evaluate(node, [x]) {
      const axes = reducedAxes(node)
      const { type } = x!
      const shape = reducedShape(node, axes)
      const data = new Float64Array(elementCount(shape))
      visitGroups(x!, axes, (values, output) => {
        const value = reduction.fold(values)
        data[output] = isFloat(type) ? value : Math.trunc(value)
      })
      return [{ type, shape, data }]
    },
    vjp(node, [cotangent], build) {
      if (!cotangent) return []
      const { kept, weights } = local(node, build)
      const spread = build.reshape(cotangent, kept)
      const { shape } = node.typeOf(0)
      return [build.expand(weights ? build.mul(weights, spread) : spread, shape)]
    },
    jvp(node, [tangent], build) {
      if (!tangent) return []
      const keepDims = node.int('keepdims', 1) !== 0
      if (node.op === 'ReduceMean') return [build.reduceMean(tangent, reducedAxes(node), keepDims)]
      const { axes, weights } = local(node, build)
      return [build.reduceSum(weights ? build.mul(weights, tangent) : tangent, axes, keepDims)]
    },
  }
}

function argRule(isBetter: (a: number, b: number) => boolean): OperatorRule {
  function infer(node: NodeView): ValueType[] {
    const axis = resolveAxis(node, node.int('axis', 0), node.typeOf(0).shape.length)
    return [{ type: 'int64', shape: reducedShape(node, [axis]) }]
  }
  return {
    derivative: 'none',
    infer,
    evaluate(node, [x]) {
      const axis = resolveAxis(node, node.int('axis', 0), x!.shape.length)
      const takesLast = node.int('select_last_index', 0) !== 0
      const [type] = infer(node)
      const data = new Float64Array(elementCount(type!.shape))
      visitGroups(x!, [axis], (values, output) => {
        let best = 0
        values.forEach((value, i) => {
          if (isBetter(value, values[best]!) || (takesLast && value === values[best])) best = i
        })
        data[output] = best
      })
      return [{ ...type!, data }]
    },
  }
}

const cumSum: OperatorRule = {
  infer: (node) => [node.typeOf(0)],
  evaluate(node, [x]) {
    const axis = resolveAxis(node, node.integers(1)[0] ?? 0, x!.shape.length)
    const isExclusive = node.int('exclusive', 0) !== 0
    const isReverse = node.int('reverse', 0) !== 0
    const strides = stridesOf(x!.shape)
    const data = new Float64Array(x!.data.length)
    const length = x!.shape[axis]!
    const stride = strides[axis]!
    const starts = stridedOffsets(x!.shape.with(axis, Math.min(1, length)), strides)
    for (const start of starts) {
      let total = 0
      for (let i = 0; i < length; i++) {
        const at = start + (isReverse ? length - 1 - i : i) * stride
        if (isExclusive) data[at] = total
        total += x!.data[at]!
        if (!isExclusive) data[at] = total
      }
    }
    return [{ type: x!.type, shape: x!.shape, data }]
  },
  vjp(node, [cotangent], build) {
    if (!cotangent) return []
    const reverse = 1 - node.int('reverse', 0)
    return [
      build.node('CumSum', [cotangent, node.inputs[1]], { exclusive: node.int('exclusive', 0), reverse }),
    ]
  },
  jvp(node, [tangent], build) {
    if (!tangent) return []
    const attributes = { exclusive: node.int('exclusive', 0), reverse: node.int('reverse', 0) }
    return [build.node('CumSum', [tangent, node.inputs[1]], attributes)]
  },
}

/**
 * y = s + log Σ exp(x - s) with s = ⌈max x⌉, because the WebGPU provider leaves out s and overflows. Any s gives the same y;
 * rounded up, it has no derivative that would cost nodes.
 */
function rewriteLogSumExp(node: NodeView, build: Builder): readonly string[] | undefined {
  const axes = reducedAxes(node)
  if (axes.length === 0) return undefined
  const x = node.inputs[0]!
  const shift = build.node('Ceil', [reduce(build, 'ReduceMax', x, axes)])
  const total = build.reduceSum(build.node('Exp', [build.sub(x, shift)]), axes, true)
  return [build.reshape(build.add(build.node('Log', [total]), shift), reducedShape(node, axes))]
}

const reductionRules: Readonly<Record<string, OperatorRule>> = Object.fromEntries(
  Object.entries(REDUCTIONS).map(([op, reduction]) => [op, reductionRule(reduction)]),
)

export const rules: OperatorRules = {
  ...reductionRules,
  ReduceLogSumExp: { ...reductionRules['ReduceLogSumExp']!, rewrite: rewriteLogSumExp },
  ArgMax: argRule((a, b) => a > b),
  ArgMin: argRule((a, b) => a < b),
  CumSum: cumSum,
}
