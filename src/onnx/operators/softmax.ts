/**
 * Softmax, LogSoftmax, Hardmax along an axis.
 *
 * y = exp x / Σ exp x has the symmetric Jacobian J v = y ∘ (v - Σ y ∘ v). Its logarithm is rewritten as
 *
 *     y = c - log Σ exp c,   c = x - s,   s = ⌈max x⌉
 *
 * because the WebGPU provider has no LogSoftmax. Any s gives the same y; rounded up, it has no derivative that would cost nodes.
 * Source: github.com/onnx/onnx, docs/Operators.md.
 */
import { rules as attention } from './attention'
import { reduce } from './reduction'
import { mapGroups, resolveAxis } from './strided'
import type { Values } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'

function axisOf(node: NodeView): number {
  return resolveAxis(node, node.int('axis', -1), node.typeOf(0).shape.length)
}

function infer(node: NodeView) {
  axisOf(node)
  return [node.typeOf(0)]
}

function exponentials(values: Float64Array) {
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity)
  const powers = values.map((value) => Math.exp(value - largest))
  return { largest, powers, total: powers.reduce((a, b) => a + b, 0) }
}

function alongAxis(node: NodeView, x: Values, f: (values: Float64Array) => Float64Array): Values[] {
  return [mapGroups(x, [resolveAxis(node, node.int('axis', -1), x.shape.length)], f)]
}

/** J v, which is also Jᵀ v. */
function derivative(node: NodeView, v: string | undefined, build: Builder): (string | undefined)[] {
  if (!v) return []
  const y = node.outputs[0]!
  const inner = build.reduceSum(build.mul(v, y), [axisOf(node)], true)
  return [build.mul(build.sub(v, inner), y)]
}

const softmax: OperatorRule = {
  infer,
  evaluate: (node, [x]) =>
    alongAxis(node, x!, (values) => {
      const { powers, total } = exponentials(values)
      return powers.map((power) => power / total)
    }),
  vjp: (node, [cotangent], build) => derivative(node, cotangent, build),
  jvp: (node, [tangent], build) => derivative(node, tangent, build),
}

const logSoftmax: OperatorRule = {
  infer,
  evaluate: (node, [x]) =>
    alongAxis(node, x!, (values) => {
      const { largest, total } = exponentials(values)
      return values.map((value) => value - largest - Math.log(total))
    }),
  rewrite(node, build) {
    const x = node.inputs[0]!
    const axes = [axisOf(node)]
    const shifted = build.sub(x, build.node('Ceil', [reduce(build, 'ReduceMax', x, axes)]))
    const total = build.reduceSum(build.node('Exp', [shifted]), axes, true)
    return [build.sub(shifted, build.node('Log', [total]))]
  },
}

/** 1 at the first of the largest entries. */
const hardmax: OperatorRule = {
  derivative: 'none',
  infer,
  evaluate: (node, [x]) =>
    alongAxis(node, x!, (values) => {
      const largest = values.reduce((a, b) => Math.max(a, b), -Infinity)
      return values.map((_, i) => (i === values.indexOf(largest) ? 1 : 0))
    }),
}

export const rules: OperatorRules = {
  Softmax: softmax,
  LogSoftmax: logSoftmax,
  Hardmax: hardmax,
  ...attention,
}
