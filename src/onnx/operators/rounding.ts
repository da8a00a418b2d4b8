/**
 * Functions that are constant between jumps, comparisons and logic: their derivative is zero; and Clip and PRelu, which have
 * further inputs.
 */
import type { ElementType, Values } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'
import { isFloat } from '../tensor'
import { broadcastShape, mapBroadcast } from './broadcast'

function flat(
  f: (node: NodeView) => (x: number) => number,
  type?: ElementType,
  rewrite?: OperatorRule['rewrite'],
): OperatorRule {
  return {
    derivative: 'none',
    infer: (node) => [{ shape: node.typeOf(0).shape, type: type ?? node.typeOf(0).type }],
    evaluate(node, [x]) {
      const { shape, data, type: own } = x as Values
      return [{ type: type ?? own, shape, data: data.map(f(node)) }]
    },
    ...(rewrite && { rewrite }),
  }
}

function compared(f: (a: number, b: number) => boolean): OperatorRule {
  return {
    derivative: 'none',
    infer: (node) => [
      { type: 'bool', shape: broadcastShape(node, node.typeOf(0).shape, node.typeOf(1).shape) },
    ],
    evaluate: (node, inputs) => [
      mapBroadcast(node, 'bool', inputs as readonly Values[], (a, b) => (f(a, b) ? 1 : 0)),
    ],
  }
}

/** To the nearest integer, halves to the even one. */
function roundHalfToEven(x: number): number {
  const nearest = Math.round(x)
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest
}

const floatsOnly =
  (rewrite: (build: Builder, x: string) => string): OperatorRule['rewrite'] =>
  (node, build) =>
    isFloat(node.typeOf(0).type) ? [rewrite(build, node.inputs[0] as string)] : undefined

const signInSteps = floatsOnly((build, x) => {
  const zero = build.scalar(0, x)
  const { type } = build.typeOf(x)
  const positive = build.cast(build.node('Greater', [x, zero]), type)
  return build.sub(positive, build.cast(build.node('Less', [x, zero]), type))
})

const roundByFloor = floatsOnly((build, x) => {
  const half = build.scalar(0.5, x)
  const nearest = build.node('Floor', [build.add(x, half)])
  const tie = build.node('Equal', [build.sub(nearest, x), half])
  // Its half is an integer where `nearest` is even.
  const halved = build.mul(nearest, half)
  const odd = build.node('Greater', [build.sub(halved, build.node('Floor', [halved])), build.scalar(0.25, x)])
  const correction = build.cast(build.node('And', [tie, odd]), build.typeOf(x).type)
  return build.sub(nearest, correction)
})

/** y = min(max(x, low), high): ȳ passes where low ≤ x ≤ high. Before opset 11 the bounds were attributes. */
const clip: OperatorRule = {
  infer: (node) => [node.typeOf(0)],
  evaluate(_node, [x, low, high]) {
    const { type, shape, data } = x as Values
    const [least, most] = [low?.data[0] ?? -Infinity, high?.data[0] ?? Infinity]
    return [{ type, shape, data: data.map((value) => Math.min(Math.max(value, least), most)) }]
  },
  vjp: (node, [outer], build) => [outer && passed(node, build, outer)],
  jvp: (node, [tangent], build) => [tangent && passed(node, build, tangent)],
}

function passed(node: NodeView, build: Builder, derivative: string): string {
  const [x, low, high] = node.inputs
  const bounds = [
    low && build.node('GreaterOrEqual', [x, low]),
    high && build.node('LessOrEqual', [x, high]),
  ].filter((bound) => bound !== undefined)
  const first = bounds[0]
  if (!first) return derivative
  const inside = bounds[1] ? build.node('And', [first, bounds[1]]) : first
  return build.mul(derivative, build.cast(inside, node.typeOf(0).type))
}

/** y = x where x ≥ 0, else slope · x, with a slope that broadcasts to x. */
const prelu: OperatorRule = {
  infer: (node) => [node.typeOf(0)],
  evaluate: (node, inputs) => [
    mapBroadcast(node, (inputs[0] as Values).type, inputs as readonly Values[], (x, slope) =>
      x < 0 ? x * slope : x,
    ),
  ],
  vjp: (node, [outer], build, wanted) => [
    wanted[0] && outer ? build.mul(outer, preluSlope(node, build)) : undefined,
    wanted[1] && outer
      ? build.sumTo(build.mul(outer, negativePart(node, build)), node.typeOf(1).shape)
      : undefined,
  ],
  jvp: (node, [tangent, slopeTangent], build) => [
    build.sum(
      tangent && build.mul(tangent, preluSlope(node, build)),
      slopeTangent && build.mul(slopeTangent, negativePart(node, build)),
    ),
  ],
  rewrite(node, build) {
    const [x, slope] = node.inputs as readonly [string, string]
    return [build.add(build.node('Relu', [x]), build.mul(slope, negativePart(node, build)))]
  },
}

function negativePart(node: NodeView, build: Builder): string {
  const x = node.inputs[0] as string
  return build.node('Min', [x, build.scalar(0, x)])
}

function preluSlope(node: NodeView, build: Builder): string {
  const [x, slope] = node.inputs as readonly [string, string]
  const negative = build.cast(build.node('Less', [x, build.scalar(0, x)]), node.typeOf(0).type)
  const one = build.scalar(1, x)
  return build.add(one, build.mul(negative, build.sub(slope, one)))
}

export const roundingRules: OperatorRules = {
  Floor: flat(() => Math.floor),
  Ceil: flat(() => Math.ceil),
  Round: flat(() => roundHalfToEven, undefined, roundByFloor),
  Sign: flat(() => Math.sign, undefined, signInSteps),
  Not: flat(() => (x) => (x === 0 ? 1 : 0), 'bool'),
  IsNaN: flat(() => (x) => (Number.isNaN(x) ? 1 : 0), 'bool'),
  IsInf: flat((node) => {
    const [down, up] = [node.int('detect_negative', 1), node.int('detect_positive', 1)]
    return (x) => ((up && x === Infinity) || (down && x === -Infinity) ? 1 : 0)
  }, 'bool'),
  And: compared((a, b) => a !== 0 && b !== 0),
  Or: compared((a, b) => a !== 0 || b !== 0),
  Xor: compared((a, b) => (a !== 0) !== (b !== 0)),
  Equal: compared((a, b) => a === b),
  Greater: compared((a, b) => a > b),
  GreaterOrEqual: compared((a, b) => a >= b),
  Less: compared((a, b) => a < b),
  LessOrEqual: compared((a, b) => a <= b),
  Clip: clip,
  PRelu: prelu,
}
