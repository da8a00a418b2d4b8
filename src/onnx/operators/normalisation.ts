/**
 * Instance-, Layer- and RMSNormalization: y = s ∘ x̂ + b,  x̂ = r (x - m),  r = 1/√(mean (x - m)² + ε).
 *
 * m is the mean over the normalised dimensions, or 0 for RMSNormalization. With n entries and the projection
 *
 *     P v = v - mean v - x̂ mean(x̂ ∘ v)      (without the second term where m = 0)
 *
 * the Jacobian is s ∘ r P, so ẏ = s ∘ r P ẋ and x̄ = r P (s ∘ ȳ). x̂ and r do not depend on ȳ and are the only residuals. They
 * cost no nodes where LayerNormalization gives them, so that nodes are rewritten as that one where possible; else they are
 * computed here, from the centred values, because mean x² - m² loses digits in float32 where m is large. float16 is
 * normalised in float32, as ONNX Runtime does. Source: Ba et al., "Layer normalization", arXiv:1607.06450; ONNX,
 * docs/Operators.md.
 */
import { elementCount, sameShape } from '../tensor'
import { rules as otherRules } from './affineNormalisation'
import { rules as groupRules } from './groupNormalisation'
import { DEFAULT_EPSILON, hasPlainLayer, normaliseRows, plainLayer } from './normalisedRows'
import { reduce } from './reduction'
import { broadcastShape, broadcastStrides } from './broadcast'
import { axesFrom, resolveAxis, stridedOffsets } from './strided'
import type { Values, ValueType } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'

/** What distinguishes the operators. */
interface Normalisation {
  readonly isCentred: boolean
  /** The normalised dimensions are all from this one on. */
  firstAxis(node: NodeView): number
  /** The shape in which scale and bias broadcast to x; their own has as many entries. */
  parameterShape(node: NodeView, input: number): readonly number[]
  /** Whether m and r are outputs too, after y. */
  readonly hasStatistics: boolean
}

function isAll(values: Values | undefined, number: number): boolean {
  return values !== undefined && values.data.every((value) => value === number)
}

function isPlain(node: NodeView): boolean {
  return isAll(node.constant(1), 1) && (node.inputs[2] === undefined || isAll(node.constant(2), 0))
}

/** Nodes for x - m and r, in float32 at least. */
function statisticsOf(normalisation: Normalisation, node: NodeView, build: Builder) {
  const x = node.inputs[0]!
  const { type, shape } = node.typeOf(0)
  const isNarrow = type === 'float16' || type === 'bfloat16'
  const wide = isNarrow ? build.cast(x, 'float32') : x
  const [, mean, inverse] = node.outputs
  if (normalisation.hasStatistics && mean && inverse) {
    const { type } = build.typeOf(wide)
    return { centred: build.sub(wide, build.cast(mean, type)), inverse: build.cast(inverse, type) }
  }
  const axes = axesFrom(normalisation.firstAxis(node), shape.length)
  const count = elementCount(axes.map((axis) => shape[axis]!))
  const centred = normalisation.isCentred ? build.sub(wide, build.reduceMean(wide, axes, true)) : wide
  const squares = reduce(build, 'ReduceSumSquare', centred, axes)
  const epsilon = node.float('epsilon', DEFAULT_EPSILON)
  const spread = build.node('Sqrt', [build.add(squares, build.scalar(count * epsilon, wide))])
  return { centred, inverse: build.div(build.scalar(Math.sqrt(count), wide), spread) }
}

/** Nodes for x̂, r and P. A node that neither scales nor shifts has x̂ as its output already. */
function linearise(normalisation: Normalisation, node: NodeView, build: Builder) {
  const x = node.inputs[0]!
  const { type, shape } = node.typeOf(0)
  const axes = axesFrom(normalisation.firstAxis(node), shape.length)
  const count = elementCount(axes.map((axis) => shape[axis]!))
  const { centred, inverse } = statisticsOf(normalisation, node, build)
  const normalised =
    isPlain(node) && node.outputs[0] ? node.outputs[0] : build.cast(build.mul(centred, inverse), type)
  const narrow = build.cast(inverse, type)
  const inner = (a: string, b: string) => build.reduceMean(build.mul(a, b), axes, true)
  return {
    normalised,
    inverse: narrow,
    project(v: string): string {
      const rest = normalisation.isCentred ? build.sub(v, build.reduceMean(v, axes, true)) : v
      return build.sub(rest, build.mul(normalised, inner(v, normalised)))
    },
    /** ṁ = mean ẋ and ṙ = -r² mean(x̂ ∘ ẋ). */
    statisticsJvp(v: string): string[] {
      const toStatistics = (a: string) => build.cast(a, 'float32')
      const change = build.mul(inner(v, normalised), build.neg(build.mul(narrow, narrow)))
      return [toStatistics(build.reduceMean(v, axes, true)), toStatistics(change)]
    },
    /** The adjoint: (m̄ - r² x̂ r̄)/n. */
    statisticsVjp(mean: string | undefined, deviation: string | undefined): string | undefined {
      const spread = (a: string) => build.mul(build.cast(a, type), build.scalar(1 / count, x))
      const slope = () => build.mul(normalised, build.neg(build.mul(narrow, narrow)))
      const fromMean = mean && build.expand(spread(mean), shape)
      return build.sum(fromMean, deviation && build.mul(slope(), spread(deviation)))
    },
  }
}

function normalisationRule(normalisation: Normalisation): OperatorRule {
  const { isCentred, hasStatistics, firstAxis, parameterShape } = normalisation
  const scaleOf = (node: NodeView, build: Builder) => build.reshape(node.inputs[1]!, parameterShape(node, 1))
  /** Whether r s is constant along the normalised dimensions, so that P commutes with it. */
  const scalesRows = (node: NodeView) => {
    const axes = axesFrom(firstAxis(node), node.typeOf(0).shape.length)
    const shape = parameterShape(node, 1)
    const missing = node.typeOf(0).shape.length - shape.length
    return axes.every((axis) => axis < missing || shape[axis - missing] === 1)
  }
  return {
    infer(node) {
      const { type, shape } = node.typeOf(0)
      const first = firstAxis(node)
      for (const input of [1, 2]) {
        if (node.inputs[input] === undefined) continue
        const needed = parameterShape(node, input)
        if (!sameShape(broadcastShape(node, needed, shape), shape)) {
          throw node.error(
            `its scale or bias of shape [${needed.join(', ')}] does not fit [${shape.join(', ')}].`,
          )
        }
      }
      const statistics: ValueType = { type: 'float32', shape: shape.map((size, i) => (i < first ? size : 1)) }
      return hasStatistics ? [{ type, shape }, statistics, statistics] : [{ type, shape }]
    },
    evaluate(node, [x, scale, bias]) {
      const { type, shape, data } = x!
      const first = firstAxis(node)
      const length = elementCount(shape.slice(first))
      const epsilon = node.float('epsilon', DEFAULT_EPSILON)
      const { normalised, means, inverses } = normaliseRows(data, length, epsilon, isCentred)
      const scales = readParameter(scale!, parameterShape(node, 1), shape)
      const shifts = bias && readParameter(bias, parameterShape(node, 2), shape)
      const y = normalised.map((value, i) => value * scales(i) + (shifts?.(i) ?? 0))
      const kept = shape.map((size, i) => (i < first ? size : 1))
      const outputs: Values[] = [{ type, shape, data: y }]
      if (hasStatistics) {
        outputs.push({ type: 'float32', shape: kept, data: means })
        outputs.push({ type: 'float32', shape: kept, data: inverses })
      }
      return outputs
    },
    vjp(node, cotangents, build, wanted) {
      if (!cotangents.some(Boolean)) return []
      const [cotangent, mean, deviation] = cotangents
      const local = linearise(normalisation, node, build)
      const { normalised, inverse, project } = local
      const fromStatistics = wanted[0] ? local.statisticsVjp(mean, deviation) : undefined
      if (!cotangent) return [fromStatistics]
      const toInput = () => {
        if (isPlain(node)) return build.mul(project(cotangent), inverse)
        const scale = scaleOf(node, build)
        if (scalesRows(node)) return build.mul(project(cotangent), build.mul(inverse, scale))
        return build.mul(project(build.mul(cotangent, scale)), inverse)
      }
      const toParameter = (input: number, products: string) =>
        build.reshape(build.sumTo(products, parameterShape(node, input)), node.typeOf(input).shape)
      return [
        wanted[0] ? build.sum(toInput(), fromStatistics) : undefined,
        wanted[1] ? toParameter(1, build.mul(cotangent, normalised)) : undefined,
        wanted[2] ? toParameter(2, cotangent) : undefined,
      ]
    },
    jvp(node, [x, scale, bias], build) {
      if (!x && !scale && !bias) return []
      const { shape } = node.typeOf(0)
      const local = linearise(normalisation, node, build)
      const { normalised, inverse, project } = local
      let tangent: string | undefined
      if (x) {
        tangent = build.mul(project(x), isPlain(node) ? inverse : build.mul(inverse, scaleOf(node, build)))
      }
      if (scale) {
        tangent = build.sum(tangent, build.mul(normalised, build.reshape(scale, parameterShape(node, 1))))
      }
      if (bias) tangent = build.sum(tangent, build.reshape(bias, parameterShape(node, 2)))
      return [tangent && build.expand(tangent, shape), ...(x && hasStatistics ? local.statisticsJvp(x) : [])]
    },
  }
}

/** The parameter of each entry of x. */
function readParameter(parameter: Values, shape: readonly number[], target: readonly number[]) {
  const offsets = stridedOffsets(target, broadcastStrides(shape, target))
  return (i: number) => parameter.data[offsets[i]!]!
}

const instance: Normalisation = {
  isCentred: true,
  hasStatistics: false,
  firstAxis: () => 2,
  parameterShape(node, input) {
    const channels = elementCount(node.typeOf(input).shape)
    return [
      channels,
      ...node
        .typeOf(0)
        .shape.slice(2)
        .map(() => 1),
    ]
  },
}

const layer: Normalisation = {
  isCentred: true,
  hasStatistics: true,
  firstAxis: (node) => resolveAxis(node, node.int('axis', -1), node.typeOf(0).shape.length),
  parameterShape: (node, input) => node.typeOf(input).shape,
}

/** x̂ with its statistics as outputs, scaled and shifted in nodes of their own. */
function rewriteLayer(node: NodeView, build: Builder): string[] | undefined {
  const axis = layer.firstAxis(node)
  const length = elementCount(node.typeOf(0).shape.slice(axis))
  const [y, mean, inverse] = node.outputs
  if (!y || mean || inverse || !hasPlainLayer(build, length)) return undefined
  const normalised = plainLayer(build, node.inputs[0]!, axis, node.float('epsilon', DEFAULT_EPSILON))
  if (isPlain(node)) return [normalised]
  const scaled = isAll(node.constant(1), 1) ? normalised : build.mul(normalised, node.inputs[1]!)
  return [node.inputs[2] === undefined ? scaled : build.add(scaled, node.inputs[2])]
}

/** A GroupNorm of PyTorch's exporter becomes a LayerNormalization of its groups. */
function rewriteInstance(node: NodeView, build: Builder): string[] | undefined {
  const length = elementCount(node.typeOf(0).shape.slice(2))
  if (!isPlain(node) || !hasPlainLayer(build, length)) return undefined
  return [plainLayer(build, node.inputs[0]!, 2, node.float('epsilon', DEFAULT_EPSILON))]
}

export const rules: OperatorRules = {
  InstanceNormalization: { ...normalisationRule(instance), rewrite: rewriteInstance },
  LayerNormalization: { ...normalisationRule(layer), rewrite: rewriteLayer },
  RMSNormalization: normalisationRule({ ...layer, isCentred: false, hasStatistics: false }),
  ...groupRules,
  ...otherRules,
}
