/**
 * Arithmetic of two or more broadcast values. With S the sum over broadcast dimensions (Builder.sumTo):
 *
 *     y = a ∘ b:   ā = S(ȳ b),  b̄ = S(ȳ a)          y = a / b:  ā = S(ȳ / b),  b̄ = S(-ȳ y / b)
 *     y = a^p:     ā = S(ȳ p a^(p-1)),  p̄ = S(ȳ y log a)
 *     y = min, max: the first input that attains it takes all of ȳ.
 */
import type { Values, ValueType } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'
import { isFloat } from '../tensor'
import { broadcastShape, mapBroadcast } from './broadcast'

/** Partial derivatives of y with respect to each input, as values that broadcast to y; undefined where it is not needed. */
type Partials = (
  node: NodeView,
  build: Builder,
  wanted: readonly boolean[],
) => readonly (string | undefined)[]

function typeOfBroadcast(node: NodeView): readonly ValueType[] {
  const types = node.inputs.map((_, i) => node.typeOf(i))
  const first = types[0]
  if (!first) throw node.error('it has no inputs. Export the model again.')
  const other = types.find(({ type }) => type !== first.type)
  if (other && node.op !== 'Pow') {
    throw node.error(
      `its inputs are of different types, ${first.type} and ${other.type}. Export the model again.`,
    )
  }
  return [
    {
      type: first.type,
      shape: broadcastShape(node, ...types.map(({ shape }) => shape)),
    },
  ]
}

function evaluateBroadcast(f: (integer: boolean, node: NodeView) => (...numbers: number[]) => number) {
  return (node: NodeView, inputs: readonly (Values | undefined)[]) => {
    const { type } = inputs[0] as Values
    return [mapBroadcast(node, type, inputs as readonly Values[], f(!isFloat(type), node))]
  }
}

/** A rule from the value and the partial derivatives; 1 as a partial is written as 'one', -1 as 'minus'. */
function arithmetic(
  f: (integer: boolean, node: NodeView) => (...numbers: number[]) => number,
  partials: Partials,
): OperatorRule {
  const times = (build: Builder, partial: string, derivative: string) =>
    partial === 'one'
      ? derivative
      : partial === 'minus'
        ? build.neg(derivative)
        : build.mul(derivative, partial)
  return {
    infer: typeOfBroadcast,
    evaluate: evaluateBroadcast(f),
    vjp(node, [outer], build, wanted) {
      const found = partials(node, build, wanted)
      return node.inputs.map((_, i) =>
        wanted[i] && outer && found[i]
          ? build.sumTo(times(build, found[i], outer), node.typeOf(i).shape)
          : undefined,
      )
    },
    jvp(node, tangents, build) {
      const found = partials(
        node,
        build,
        tangents.map((tangent) => tangent !== undefined),
      )
      const { shape } = node.outputType(0)
      let total: string | undefined
      for (const [i, tangent] of tangents.entries()) {
        const partial = found[i]
        if (tangent && partial) total = build.sum(total, build.expand(times(build, partial, tangent), shape))
      }
      return [total]
    },
  }
}

const name = (value: string | undefined) => value as string

const add = arithmetic(
  () => (a, b) => a + b,
  () => ['one', 'one'],
)

/** Sum and Mean of any number of inputs: the WebGPU provider has no Sum of three. */
const sumAll: OperatorRule = {
  ...arithmetic(
    () =>
      (...numbers) =>
        numbers.reduce((a, b) => a + b, 0),
    (node) => node.inputs.map(() => 'one'),
  ),
  rewrite: (node, build) => [node.inputs.map(name).reduce((a, b) => build.add(a, b))],
}

const mean: OperatorRule = {
  ...arithmetic(
    () =>
      (...numbers) =>
        numbers.reduce((a, b) => a + b, 0) / numbers.length,
    (node, build) => node.inputs.map((input) => build.scalar(1 / node.inputs.length, name(input))),
  ),
  rewrite(node, build) {
    const total = node.inputs.map(name).reduce((a, b) => build.add(a, b))
    return [build.mul(total, build.scalar(1 / node.inputs.length, total))]
  },
}

/** Masks of the input that attains the extremum first. */
function extremePartials(node: NodeView, build: Builder): readonly string[] {
  const y = name(node.outputs[0])
  let taken: string | undefined
  return node.inputs.map((input) => {
    const attains = build.node('Equal', [input, y])
    const first = taken ? build.node('And', [attains, build.node('Not', [taken])]) : attains
    taken = taken ? build.node('Or', [taken, attains]) : attains
    return build.cast(first, build.typeOf(y).type)
  })
}

/** a^p for a constant p, without Pow where a product does. */
function powerSlope(node: NodeView, build: Builder): string {
  const [a, p] = [name(node.inputs[0]), name(node.inputs[1])]
  const known = node.constant(1)?.data
  const power = known?.every((value) => value === known[0]) ? known[0] : undefined
  if (power === 1) return 'one'
  if (power === 2) return build.mul(a, build.scalar(2, a))
  if (power === 3) return build.mul(build.mul(a, a), build.scalar(3, a))
  if (power === 0.5) return build.div(build.scalar(0.5, a), name(node.outputs[0]))
  if (power === -1) {
    const y = name(node.outputs[0])
    return build.neg(build.mul(y, y))
  }
  const float = build.cast(p, build.typeOf(a).type)
  return build.mul(float, build.node('Pow', [a, build.sub(float, build.scalar(1, a))]))
}

/** y log a, and 0 where a is not positive: there y is 0 or does not depend smoothly on p. */
function exponentSlope(node: NodeView, build: Builder): string {
  const [a, y] = [name(node.inputs[0]), name(node.outputs[0])]
  const positive = build.node('Greater', [a, build.scalar(0, a)])
  const safe = build.node('Where', [positive, a, build.scalar(1, a)])
  return build.mul(y, build.node('Log', [safe]))
}

const truncatedRemainder = (a: number, b: number) => a % b
const flooredRemainder = (a: number, b: number) => a - b * Math.floor(a / b)

export const arithmeticRules: OperatorRules = {
  Add: add,
  Sub: arithmetic(
    () => (a, b) => a - b,
    () => ['one', 'minus'],
  ),
  Mul: arithmetic(
    () => (a, b) => a * b,
    (node) => [node.inputs[1], node.inputs[0]],
  ),
  Div: arithmetic(
    (integer) => (a, b) => (integer ? Math.trunc(a / b) : a / b),
    (node, build, wanted) => {
      const [b, y] = [name(node.inputs[1]), name(node.outputs[0])]
      return [
        wanted[0] ? build.node('Reciprocal', [b]) : undefined,
        wanted[1] ? build.neg(build.div(y, b)) : undefined,
      ]
    },
  ),
  Pow: arithmetic(
    (integer) => (a, p) => (integer ? Math.trunc(a ** p) : a ** p),
    (node, build, wanted) => [
      wanted[0] ? powerSlope(node, build) : undefined,
      wanted[1] ? exponentSlope(node, build) : undefined,
    ],
  ),
  Mod: arithmetic(
    (_integer, node) => {
      const remainder = node.int('fmod', 0) === 1 ? truncatedRemainder : flooredRemainder
      return (a, b) => remainder(a, b)
    },
    (node, build, wanted) => {
      const [a, b, y] = [name(node.inputs[0]), name(node.inputs[1]), name(node.outputs[0])]
      return ['one', wanted[1] ? build.div(build.sub(y, a), b) : undefined]
    },
  ),
  Sum: sumAll,
  Mean: mean,
  Min: arithmetic(
    () =>
      (...numbers) =>
        Math.min(...numbers),
    extremePartials,
  ),
  Max: arithmetic(
    () =>
      (...numbers) =>
        Math.max(...numbers),
    extremePartials,
  ),
}
