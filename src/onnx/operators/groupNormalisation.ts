/**
 * GroupNormalization: the channels are parted into groups, each group of an image is normalised, and then scaled and shifted
 * channel by channel (opset 18 to 20: group by group).
 *
 * Source: Wu & He, "Group normalization", arXiv:1803.08494; ONNX, docs/Operators.md.
 */
import { elementCount } from '../tensor'
import { DEFAULT_EPSILON, hasPlainLayer, normaliseRows, plainLayer } from './normalisedRows'
import type { Values } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'

/** Groups, and the shapes that x and its parameters take in between. */
function groupsOf(node: NodeView) {
  const { shape } = node.typeOf(0)
  const groups = node.int('num_groups')
  const [batch, channels] = shape
  if (batch === undefined || channels === undefined || !(groups > 0) || channels % groups !== 0) {
    throw node.error(`${channels ?? 0} channels do not part into ${groups} groups. Export the model again.`)
  }
  // Opset 18 had a scale and a bias for each group, from 21 on it is each channel.
  const parameters = elementCount(node.typeOf(1).shape)
  const isPerGroup = parameters === groups && groups !== channels
  if (!isPerGroup && parameters !== channels) {
    throw node.error(
      `a scale of ${parameters} entries fits neither ${groups} groups nor ${channels} channels.`,
    )
  }
  const parted = [batch, groups, elementCount(shape.slice(1)) / groups]
  return { groups, channels, isPerGroup, parted }
}

const groupNormalization: OperatorRule = {
  infer(node) {
    groupsOf(node)
    return [node.typeOf(0)]
  },
  evaluate(node, inputs) {
    const [x, scale, bias] = inputs.map((input) => input!) as [Values, Values, Values]
    const { channels, isPerGroup, groups, parted } = groupsOf(node)
    const epsilon = node.float('epsilon', DEFAULT_EPSILON)
    const { normalised } = normaliseRows(x.data, parted[2]!, epsilon, true)
    const size = elementCount(x.shape.slice(2))
    const data = normalised.map((value, i) => {
      const channel = Math.floor(i / size) % channels
      const at = isPerGroup ? Math.floor((channel * groups) / channels) : channel
      return value * scale.data[at]! + bias.data[at]!
    })
    return [{ type: x.type, shape: x.shape, data }]
  },
  /** ONNX Runtime would inline it with nodes that run on the CPU. */
  rewrite(node, build) {
    const { groups, channels, isPerGroup, parted } = groupsOf(node)
    const { shape } = node.typeOf(0)
    const epsilon = node.float('epsilon', DEFAULT_EPSILON)
    const normalised = normaliseGroups(build, build.reshape(node.inputs[0]!, parted), epsilon)
    const parameterShape = isPerGroup ? [groups, 1] : [channels, ...shape.slice(2).map(() => 1)]
    const y = isPerGroup ? normalised : build.reshape(normalised, shape)
    const [scale, bias] = [1, 2].map((input) => build.reshape(node.inputs[input]!, parameterShape))
    return [build.reshape(build.add(build.mul(y, scale!), bias!), shape)]
  },
}

/** x̂ of x [batch, groups, length]. */
function normaliseGroups(build: Builder, x: string, epsilon: number): string {
  const { type, shape } = build.typeOf(x)
  const [, groups, length] = shape as [number, number, number]
  if (hasPlainLayer(build, length)) return plainLayer(build, x, 2, epsilon)
  const constant = (value: number) => build.constant(type, [groups], new Float64Array(groups).fill(value))
  const inputs = [x, constant(1), constant(0)]
  return build.node('InstanceNormalization', inputs, { epsilon: { float: epsilon } })
}

export const rules: OperatorRules = { GroupNormalization: groupNormalization }
