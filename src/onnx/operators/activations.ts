/**
 * Functions of one value, y = f(x): x̄ = ȳ f'(x) and ẏ = f'(x) ẋ. Every rule gives f and writes f' as nodes.
 *
 * f' depends on x only, so that it is computed once per x. Where f has a kink, f' is one of the two sides.
 * Source: github.com/onnx/onnx, docs/Operators.md.
 */
import type { Values } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'
import { erf } from './erf'

interface Activation {
  readonly value: (node: NodeView) => (x: number) => number
  /** f'(x); x and y are names. */
  readonly slope: (node: NodeView, build: Builder, x: string, y: string) => string
  readonly rewrite?: (node: NodeView, build: Builder, x: string) => string
}

function activation({ value, slope, rewrite }: Activation): OperatorRule {
  const slopeOf = (node: NodeView, build: Builder) =>
    slope(node, build, node.inputs[0] as string, node.outputs[0] as string)
  return {
    infer: (node) => [node.typeOf(0)],
    evaluate(node, [x]) {
      const { type, shape, data } = x as Values
      return [{ type, shape, data: data.map(value(node)) }]
    },
    vjp: (node, [outer], build) => [outer && build.mul(outer, slopeOf(node, build))],
    jvp: (node, [tangent], build) => [tangent && build.mul(tangent, slopeOf(node, build))],
    ...(rewrite && { rewrite: (node, build) => [rewrite(node, build, node.inputs[0] as string)] }),
  }
}

const simple = (f: (x: number) => number, slope: (build: Builder, x: string, y: string) => string) =>
  activation({ value: () => f, slope: (_node, build, x, y) => slope(build, x, y) })

/** x > bound, as a mask. */
function above(build: Builder, x: string, bound: number): string {
  return build.node('Greater', [x, build.scalar(bound, x)])
}

/** 1 where x > bound, else 0. */
function step(build: Builder, x: string, bound = 0): string {
  return build.cast(above(build, x, bound), build.typeOf(x).type)
}

function scaled(build: Builder, x: string, factor: number): string {
  return factor === 1 ? x : build.mul(x, build.scalar(factor, x))
}

function shifted(build: Builder, x: string, offset: number): string {
  return offset === 0 ? x : build.add(x, build.scalar(offset, x))
}

/** 1 - a. */
function complement(build: Builder, a: string): string {
  return build.sub(build.scalar(1, a), a)
}

const squared = (build: Builder, x: string) => build.mul(x, x)
const sigmoid = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
const clamp = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high)

/** The derivative of x σ(αx): s + αx s (1 - s), s = σ(αx). */
function swishSlope(build: Builder, x: string, alpha: number): string {
  const inner = scaled(build, x, alpha)
  const s = build.node('Sigmoid', [inner])
  return build.add(s, build.mul(inner, build.mul(s, complement(build, s))))
}

const swishFactor = (node: NodeView) => node.float('alpha', 1)

/** 0 < αx + β < 1, as 0 or 1. */
function insideRamp(build: Builder, x: string, alpha: number, beta: number): string {
  const ramp = shifted(build, scaled(build, x, alpha), beta)
  return build.mul(step(build, ramp), step(build, complement(build, ramp)))
}

const GELU_CUBIC = 0.044715
const geluIsTanh = (node: NodeView) => node.string('approximate', 'none') === 'tanh'

function gelu(node: NodeView): (x: number) => number {
  return geluIsTanh(node)
    ? (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + GELU_CUBIC * x ** 3)))
    : (x) => 0.5 * x * (1 + erf(x / Math.SQRT2))
}

function geluSlope(node: NodeView, build: Builder, x: string): string {
  const xx = squared(build, x)
  if (geluIsTanh(node)) {
    // 0.5 (1 + t) + 0.5 x (1 - t²) √(2/π) (1 + 3 · 0.044715 x²)
    const inner = build.mul(x, shifted(build, scaled(build, xx, GELU_CUBIC), 1))
    const t = build.node('Tanh', [scaled(build, inner, Math.sqrt(2 / Math.PI))])
    const cubic = shifted(build, scaled(build, xx, 3 * GELU_CUBIC), 1)
    const bell = build.mul(build.mul(x, complement(build, squared(build, t))), cubic)
    return build.add(
      scaled(build, shifted(build, t, 1), 0.5),
      scaled(build, bell, 0.5 * Math.sqrt(2 / Math.PI)),
    )
  }
  // Φ(x) + x φ(x)
  const cumulative = scaled(
    build,
    shifted(build, build.node('Erf', [scaled(build, x, Math.SQRT1_2)]), 1),
    0.5,
  )
  const density = scaled(build, build.node('Exp', [scaled(build, xx, -0.5)]), 1 / Math.sqrt(2 * Math.PI))
  return build.add(cumulative, build.mul(x, density))
}

const eluFactor = (node: NodeView) => node.float('alpha', 1)
const seluFactors = (node: NodeView) =>
  [node.float('alpha', 1.67326319217681884765625), node.float('gamma', 1.05070102214813232421875)] as const
const ramp = (node: NodeView) => [node.float('alpha', 0.2), node.float('beta', 0.5)] as const

export const activationRules: OperatorRules = {
  Neg: {
    infer: (node) => [node.typeOf(0)],
    evaluate: (_node, [x]) => [{ ...(x as Values), data: (x as Values).data.map((value) => -value) }],
    vjp: (_node, [outer], build) => [outer && build.neg(outer)],
    jvp: (_node, [tangent], build) => [tangent && build.neg(tangent)],
  },
  Abs: simple(Math.abs, (build, x) =>
    build.sub(step(build, x), build.cast(build.node('Less', [x, build.scalar(0, x)]), build.typeOf(x).type)),
  ),
  Sqrt: simple(Math.sqrt, (build, _x, y) => build.div(build.scalar(0.5, y), y)),
  Reciprocal: simple(
    (x) => 1 / x,
    (build, _x, y) => build.neg(squared(build, y)),
  ),
  Exp: simple(Math.exp, (_build, _x, y) => y),
  Log: simple(Math.log, (build, x) => build.node('Reciprocal', [x])),
  Sin: simple(Math.sin, (build, x) => build.node('Cos', [x])),
  Cos: simple(Math.cos, (build, x) => build.neg(build.node('Sin', [x]))),
  Tan: simple(Math.tan, (build, _x, y) => shifted(build, squared(build, y), 1)),
  Atan: simple(Math.atan, (build, x) => build.node('Reciprocal', [shifted(build, squared(build, x), 1)])),
  Sinh: simple(Math.sinh, (build, x) => build.node('Cosh', [x])),
  Cosh: simple(Math.cosh, (build, x) => build.node('Sinh', [x])),
  Tanh: simple(Math.tanh, (build, _x, y) => complement(build, squared(build, y))),
  Sigmoid: simple(sigmoid, (build, _x, y) => build.mul(y, complement(build, y))),
  Erf: simple(erf, (build, x) =>
    scaled(build, build.node('Exp', [build.neg(squared(build, x))]), 2 / Math.sqrt(Math.PI)),
  ),
  Relu: simple(
    (x) => Math.max(x, 0),
    (build, x) => step(build, x),
  ),
  Softplus: simple(softplus, (build, x) => build.node('Sigmoid', [x])),
  Softsign: activation({
    value: () => (x) => x / (1 + Math.abs(x)),
    slope: (_node, build, x) =>
      build.node('Reciprocal', [squared(build, shifted(build, build.node('Abs', [x]), 1))]),
    rewrite: (_node, build, x) => build.div(x, shifted(build, build.node('Abs', [x]), 1)),
  }),
  LeakyRelu: activation({
    value(node) {
      const alpha = node.float('alpha', 0.01)
      return (x) => (x < 0 ? alpha * x : x)
    },
    slope(node, build, x) {
      const alpha = node.float('alpha', 0.01)
      return shifted(build, scaled(build, step(build, x), 1 - alpha), alpha)
    },
  }),
  ThresholdedRelu: activation({
    value(node) {
      const alpha = node.float('alpha', 1)
      return (x) => (x > alpha ? x : 0)
    },
    slope: (node, build, x) => step(build, x, node.float('alpha', 1)),
  }),
  Elu: activation({
    value(node) {
      const alpha = eluFactor(node)
      return (x) => (x < 0 ? alpha * Math.expm1(x) : x)
    },
    // For x < 0, α eˣ = y + α.
    slope: (node, build, x, y) =>
      build.node('Where', [above(build, x, 0), build.scalar(1, x), shifted(build, y, eluFactor(node))]),
  }),
  Selu: activation({
    value(node) {
      const [alpha, gamma] = seluFactors(node)
      return (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x))
    },
    slope(node, build, x, y) {
      const [alpha, gamma] = seluFactors(node)
      return build.node('Where', [
        above(build, x, 0),
        build.scalar(gamma, x),
        shifted(build, y, alpha * gamma),
      ])
    },
    rewrite(node, build, x) {
      const [alpha, gamma] = seluFactors(node)
      return scaled(build, build.node('Elu', [x], { alpha: { float: alpha } }), gamma)
    },
  }),
  Celu: activation({
    value(node) {
      const alpha = eluFactor(node)
      return (x) => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha))
    },
    slope(node, build, x, y) {
      const left = shifted(build, scaled(build, y, 1 / eluFactor(node)), 1)
      return build.node('Where', [above(build, x, 0), build.scalar(1, x), left])
    },
    rewrite(node, build, x) {
      const alpha = eluFactor(node)
      return scaled(build, build.node('Elu', [scaled(build, x, 1 / alpha)], { alpha: { float: 1 } }), alpha)
    },
  }),
  HardSigmoid: activation({
    value(node) {
      const [alpha, beta] = ramp(node)
      return (x) => clamp(alpha * x + beta, 0, 1)
    },
    slope(node, build, x) {
      const [alpha, beta] = ramp(node)
      return scaled(build, insideRamp(build, x, alpha, beta), alpha)
    },
  }),
  HardSwish: activation({
    value: () => (x) => x * clamp(x / 6 + 0.5, 0, 1),
    slope(_node, build, x) {
      const gate = build.node('HardSigmoid', [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } })
      return build.add(gate, build.mul(scaled(build, x, 1 / 6), insideRamp(build, x, 1 / 6, 0.5)))
    },
    rewrite: (_node, build, x) =>
      build.mul(x, build.node('HardSigmoid', [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } })),
  }),
  Swish: activation({
    value(node) {
      const alpha = swishFactor(node)
      return (x) => x * sigmoid(alpha * x)
    },
    slope: (node, build, x) => swishSlope(build, x, swishFactor(node)),
    rewrite: (node, build, x) => build.mul(x, build.node('Sigmoid', [scaled(build, x, swishFactor(node))])),
  }),
  Mish: activation({
    value: () => (x) => x * Math.tanh(softplus(x)),
    slope(_node, build, x) {
      const t = build.node('Tanh', [build.node('Softplus', [x])])
      const rise = build.mul(complement(build, squared(build, t)), build.node('Sigmoid', [x]))
      return build.add(t, build.mul(x, rise))
    },
    rewrite: (_node, build, x) => build.mul(x, build.node('Tanh', [build.node('Softplus', [x])])),
  }),
  Gelu: activation({ value: gelu, slope: geluSlope }),
}
