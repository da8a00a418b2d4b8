/**
 * Normalisations whose derivatives follow from simpler operators: BatchNormalization with fixed statistics, LpNormalization,
 * MeanVarianceNormalization.
 *
 *     BatchNormalization          y = s (x - m) / √(v + ε) + b       channel by channel, m and v given: affine in x
 *     LpNormalization             y = x / ‖x‖_p along an axis,       p = 1 or 2
 *     MeanVarianceNormalization   y = (x - mean x) / (√(mean (x - mean x)²) + 1e-9)
 *
 * Source: github.com/onnx/onnx, docs/Operators.md.
 */
import { elementCount } from '../tensor'
import { reduce } from './reduction'
import { mapGroups, resolveAxes, resolveAxis } from './strided'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'

const DEFAULT_EPSILON = 1e-5
const MEAN_VARIANCE_EPSILON = 1e-9

/** The shape in which a parameter of each channel broadcasts to x. */
function channelShape(node: NodeView): number[] {
  const { shape } = node.typeOf(0)
  return [shape[1] ?? 1, ...shape.slice(2).map(() => 1)]
}

/** Nodes for x's factor k = s/√(v + ε), all in the shape of channels. */
function channelNodes(node: NodeView, build: Builder) {
  const shape = channelShape(node)
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => build.reshape(node.inputs[i]!, shape)) as [
    string,
    string,
    string,
    string,
  ]
  const shifted = build.add(variance, build.scalar(node.float('epsilon', DEFAULT_EPSILON), variance))
  const deviation = build.node('Sqrt', [shifted])
  return { scale, bias, mean, deviation, factor: build.div(scale, deviation) }
}

const batchNormalization: OperatorRule = {
  infer(node) {
    if (node.int('training_mode', 0) !== 0) {
      throw node.error('it is in training mode. Export the model after model.eval().')
    }
    const channels = node.typeOf(0).shape[1] ?? 1
    for (const input of [1, 2, 3, 4]) {
      const { shape } = node.typeOf(input)
      if (shape.length !== 1 || shape[0] !== channels) {
        throw node.error(`a parameter of shape [${shape.join(', ')}] does not fit ${channels} channels.`)
      }
    }
    return [node.typeOf(0)]
  },
  evaluate(node, inputs) {
    const [x, scale, bias, mean, variance] = inputs.map((input) => input!.data) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    const { type, shape } = inputs[0]!
    const epsilon = node.float('epsilon', DEFAULT_EPSILON)
    const size = elementCount(shape.slice(2))
    const data = x.map((value, i) => {
      const c = Math.floor(i / size) % scale.length
      return ((value - mean[c]!) / Math.sqrt(variance[c]! + epsilon)) * scale[c]! + bias[c]!
    })
    return [{ type, shape, data }]
  },
  vjp(node, [cotangent], build, wanted) {
    if (!cotangent) return []
    const { mean, deviation, factor } = channelNodes(node, build)
    if (wanted[3] || wanted[4]) throw fixedStatistics(node)
    const toParameter = (products: string) =>
      build.reshape(build.sumTo(products, channelShape(node)), node.typeOf(1).shape)
    const normalised = () => build.div(build.sub(node.inputs[0]!, mean), deviation)
    return [
      wanted[0] ? build.mul(cotangent, factor) : undefined,
      wanted[1] ? toParameter(build.mul(cotangent, normalised())) : undefined,
      wanted[2] ? toParameter(cotangent) : undefined,
    ]
  },
  jvp(node, [x, scale, bias, mean, variance], build) {
    if (mean || variance) throw fixedStatistics(node)
    const nodes = channelNodes(node, build)
    const shape = channelShape(node)
    let tangent = x && build.mul(x, nodes.factor)
    if (scale) {
      const normalised = build.div(build.sub(node.inputs[0]!, nodes.mean), nodes.deviation)
      tangent = build.sum(tangent, build.mul(normalised, build.reshape(scale, shape)))
    }
    if (bias) tangent = build.sum(tangent, build.reshape(bias, shape))
    return [tangent && build.expand(tangent, node.typeOf(0).shape)]
  },
}

function fixedStatistics(node: NodeView): Error {
  return node.error('its mean and variance are statistics of the training data, and not differentiated.')
}

/** Where a vector is 0, ONNX Runtime gives 0: this is added to no other norm that matters. */
const LEAST_NORM = { float16: 2 ** -14, other: 1e-30 }

const lpNormalization: OperatorRule = {
  infer(node) {
    resolveAxis(node, node.int('axis', -1), node.typeOf(0).shape.length)
    const p = node.int('p', 2)
    if (p !== 1 && p !== 2)
      throw node.error(`p = ${p} is not supported, only 1 and 2. Export the model again.`)
    return [node.typeOf(0)]
  },
  evaluate(node, [x]) {
    const axis = resolveAxis(node, node.int('axis', -1), x!.shape.length)
    const isEuclidean = node.int('p', 2) === 2
    return [
      mapGroups(x!, [axis], (values) => {
        const norm = isEuclidean
          ? Math.sqrt(values.reduce((a, b) => a + b * b, 0))
          : values.reduce((a, b) => a + Math.abs(b), 0)
        return values.map((value) => (norm === 0 ? 0 : value / norm))
      }),
    ]
  },
  rewrite(node, build) {
    const x = node.inputs[0]!
    const { type, shape } = node.typeOf(0)
    const axis = resolveAxis(node, node.int('axis', -1), shape.length)
    const norm = reduce(build, node.int('p', 2) === 2 ? 'ReduceL2' : 'ReduceL1', x, [axis])
    const least = build.scalar(type === 'float16' ? LEAST_NORM.float16 : LEAST_NORM.other, x)
    return [build.div(x, build.node('Max', [norm, least]))]
  },
}

function meanVarianceAxes(node: NodeView): number[] {
  return resolveAxes(node, node.ints('axes', [0, 2, 3]), node.typeOf(0).shape.length)
}

const meanVarianceNormalization: OperatorRule = {
  infer(node) {
    meanVarianceAxes(node)
    return [node.typeOf(0)]
  },
  evaluate: (node, [x]) => [
    mapGroups(x!, meanVarianceAxes(node), (values) => {
      const mean = values.reduce((a, b) => a + b, 0) / values.length
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length
      return values.map((value) => (value - mean) / (Math.sqrt(variance) + MEAN_VARIANCE_EPSILON))
    }),
  ],
  rewrite(node, build) {
    const axes = meanVarianceAxes(node)
    const x = node.inputs[0]!
    const centred = build.sub(x, build.reduceMean(x, axes, true))
    const variance = build.reduceMean(build.mul(centred, centred), axes, true)
    const deviation = build.node('Sqrt', [variance])
    return [build.div(centred, build.add(deviation, build.scalar(MEAN_VARIANCE_EPSILON, x)))]
  },
}

export const rules: OperatorRules = {
  BatchNormalization: batchNormalization,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
}
