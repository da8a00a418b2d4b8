/**
 * Attention (opset 23): y = softmax(α Q Kᵀ + mask) V for each head, without caches of earlier keys and values.
 *
 * Q, K and V are [batch, heads, length, width], or [batch, length, heads · width] with the heads' numbers as attributes.
 * With fewer heads of K and V than of Q, each serves several consecutive ones of Q. The node is rewritten as MatMul and
 * Softmax, which every provider has and whose derivatives are known. Source: ONNX, docs/Operators.md; Vaswani et al.,
 * "Attention is all you need", arXiv:1706.03762.
 */
import { sameShape } from '../tensor'
import { broadcastShape, broadcastStrides } from './broadcast'
import { checkTableSize, stridedOffsets } from './strided'
import type { Values, ValueType } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'

interface Sizes {
  /** Whether heads and width are one dimension. */
  readonly isFlat: boolean
  readonly batch: number
  readonly heads: number
  readonly keyHeads: number
  /** Queries, and keys. */
  readonly queries: number
  readonly keys: number
  /** Of a query or key, and of a value. */
  readonly width: number
  readonly valueWidth: number
  readonly scale: number
}

type Heads = readonly [batch: number, heads: number, length: number, width: number]

function headsOf(node: NodeView, input: number, attribute: string): Heads {
  const { shape } = node.typeOf(input)
  if (shape.length === 4) return shape as unknown as Heads
  const heads = node.int(attribute)
  const [batch, length, width] = shape
  if (shape.length !== 3 || !(heads > 0) || width! % heads !== 0) {
    throw node.error(
      `input ${input} of shape [${shape.join(', ')}] does not part into ${heads} heads. Export the model again.`,
    )
  }
  return [batch!, heads, length!, width! / heads]
}

function sizesOf(node: NodeView): Sizes {
  const cached = [4, 5, 6].some((input) => node.inputs[input] !== undefined)
  if (cached || node.outputs.slice(1).some(Boolean)) {
    throw node.error('it keeps keys and values of earlier calls. Export the model without such a cache.')
  }
  if (node.float('softcap', 0) !== 0)
    throw node.error('softcap is not supported. Export the model without it.')
  const [batch, heads, queries, width] = headsOf(node, 0, 'q_num_heads')
  const key = headsOf(node, 1, 'kv_num_heads')
  const value = headsOf(node, 2, 'kv_num_heads')
  const fits =
    sameShape(key.slice(0, 3), value.slice(0, 3)) &&
    key[0] === batch &&
    key[3] === width &&
    heads % key[1] === 0
  if (!fits) {
    const shapes = [0, 1, 2].map((input) => `[${node.typeOf(input).shape.join(', ')}]`)
    throw node.error(
      `Q, K and V of shapes ${shapes.join(', ')} do not fit each other. Export the model again.`,
    )
  }
  const sizes = {
    isFlat: node.typeOf(0).shape.length === 3,
    batch,
    heads,
    keyHeads: key[1],
    queries,
    keys: key[2],
    width,
    valueWidth: value[3],
    scale: node.float('scale', 1 / Math.sqrt(width)),
  }
  if (node.inputs[3] !== undefined) {
    const mask = node.typeOf(3).shape
    const scores = [batch, heads, queries, sizes.keys]
    if (!sameShape(broadcastShape(node, mask, scores), scores)) {
      throw node.error(`a mask of shape [${mask.join(', ')}] does not fit scores of [${scores.join(', ')}].`)
    }
  }
  return sizes
}

function outputType(node: NodeView): ValueType {
  const { isFlat, batch, heads, queries, valueWidth } = sizesOf(node)
  const { type } = node.typeOf(0)
  return {
    type,
    shape: isFlat ? [batch, queries, heads * valueWidth] : [batch, heads, queries, valueWidth],
  }
}

/** Where entry (b, h, i, k) of an input lies. */
function reader(values: Values, [, heads, length, width]: Heads) {
  const isFlat = values.shape.length === 3
  return (b: number, h: number, i: number, k: number) =>
    values.data[
      isFlat ? ((b * length + i) * heads + h) * width + k : ((b * heads + h) * length + i) * width + k
    ]!
}

/** 1 where query i may see key j, in row-major order. */
function causalMask(queries: number, keys: number): Float64Array {
  return Float64Array.from({ length: queries * keys }, (_, i) => (i % keys <= Math.floor(i / keys) ? 1 : 0))
}

/** What is added to each score [batch, heads, queries, keys]; -∞ hides a key. */
function bias(node: NodeView, mask: Values | undefined, sizes: Sizes): Float64Array {
  const { batch, heads, queries, keys } = sizes
  const shape = [batch, heads, queries, keys]
  const out = new Float64Array(batch * heads * queries * keys)
  if (mask) {
    const hides = mask.type === 'bool'
    stridedOffsets(shape, broadcastStrides(mask.shape, shape)).forEach((offset, i) => {
      const value = mask.data[offset]!
      out[i] = hides ? (value !== 0 ? 0 : -Infinity) : value
    })
  }
  if (node.int('is_causal', 0) === 0) return out
  const causal = causalMask(queries, keys)
  return out.map((value, i) => (causal[i % causal.length] ? value : -Infinity))
}

function evaluate(node: NodeView, inputs: readonly (Values | undefined)[]): Values[] {
  const sizes = sizesOf(node)
  const { batch, heads, keyHeads, queries, keys, width, valueWidth, scale, isFlat } = sizes
  const query = reader(inputs[0]!, [batch, heads, queries, width])
  const key = reader(inputs[1]!, [batch, keyHeads, keys, width])
  const value = reader(inputs[2]!, [batch, keyHeads, keys, valueWidth])
  const added = bias(node, inputs[3], sizes)
  const data = new Float64Array(batch * heads * queries * valueWidth)
  const weights = new Float64Array(keys)
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const g = Math.floor((h * keyHeads) / heads)
      for (let i = 0; i < queries; i++) {
        const row = ((b * heads + h) * queries + i) * keys
        for (let j = 0; j < keys; j++) {
          let product = 0
          for (let k = 0; k < width; k++) product += query(b, h, i, k) * key(b, g, j, k)
          weights[j] = product * scale + added[row + j]!
        }
        const largest = weights.reduce((a, c) => Math.max(a, c), -Infinity)
        const powers = weights.map((weight) => Math.exp(weight - largest))
        const total = powers.reduce((a, c) => a + c, 0)
        const first = isFlat ? (b * queries + i) * heads + h : (b * heads + h) * queries + i
        for (let k = 0; k < valueWidth; k++) {
          let sum = 0
          for (let j = 0; j < keys; j++) sum += powers[j]! * value(b, g, j, k)
          data[first * valueWidth + k] = sum / total
        }
      }
    }
  }
  return [{ ...outputType(node), data }]
}

/** The input as [batch, heads, length, width], each head repeated so that there are `heads`. */
function parted(build: Builder, x: string, [batch, own, length, width]: Heads, heads: number): string {
  const isFlat = build.typeOf(x).shape.length === 3
  const split = isFlat ? build.transpose(build.reshape(x, [batch, length, own, width]), [0, 2, 1, 3]) : x
  if (own === heads) return split
  const repeated = build.expand(build.reshape(split, [batch, own, 1, length, width]), [
    batch,
    own,
    heads / own,
    length,
    width,
  ])
  return build.reshape(repeated, [batch, heads, length, width])
}

function rewrite(node: NodeView, build: Builder): string[] {
  const { isFlat, batch, heads, keyHeads, queries, keys, width, valueWidth, scale } = sizesOf(node)
  const query = parted(build, node.inputs[0]!, [batch, heads, queries, width], heads)
  const key = parted(build, node.inputs[1]!, [batch, keyHeads, keys, width], heads)
  const value = parted(build, node.inputs[2]!, [batch, keyHeads, keys, valueWidth], heads)
  const scaled = build.mul(query, build.scalar(scale, query))
  let scores = build.node('MatMul', [scaled, build.transpose(key, [0, 1, 3, 2])])
  // A number that every score exceeds by far, but finite: sums with infinities may become NaN.
  const lowest = build.scalar(build.typeOf(query).type === 'float16' ? -6e4 : -1e30, query)
  const mask = node.inputs[3]
  if (mask !== undefined) {
    scores =
      node.typeOf(3).type === 'bool' ? build.node('Where', [mask, scores, lowest]) : build.add(scores, mask)
  }
  if (node.int('is_causal', 0) !== 0) {
    checkTableSize(node, queries * keys)
    const visible = build.constant('bool', [queries, keys], causalMask(queries, keys))
    scores = build.node('Where', [visible, scores, lowest])
  }
  const mixed = build.node('MatMul', [build.node('Softmax', [scores], { axis: -1 }), value])
  if (!isFlat) return [mixed]
  return [build.reshape(build.transpose(mixed, [0, 2, 1, 3]), [batch, queries, heads * valueWidth])]
}

const attention: OperatorRule = { infer: (node) => [outputType(node)], evaluate, rewrite }

export const rules: OperatorRules = { Attention: attention }
