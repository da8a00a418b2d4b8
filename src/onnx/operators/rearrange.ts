/**
 * Operators that only move elements: Reshape and its kin, Transpose, and the exchange of channels and space.
 *
 * The adjoint of each is its inverse. DepthToSpace takes [N, b·b·C, H, W] to [N, C, H·b, W·b]; SpaceToDepth back. The
 * WebGPU provider has no SpaceToDepth, so it is written as Reshape, Transpose, Reshape.
 */
import type { Values } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'
import { elementCount } from '../tensor'
import { pick, resolveAxes, resolveAxis, stridedOffsets, stridesOf } from './strided'

/** An operator that keeps the elements in their order and gives them the shape that `shapeOf` says. */
function reshaping(shapeOf: (node: NodeView) => readonly number[]): OperatorRule {
  return {
    infer(node) {
      const { type, shape: from } = node.typeOf(0)
      const shape = shapeOf(node)
      if (elementCount(shape) !== elementCount(from))
        throw node.error(
          `[${from.join(', ')}] cannot become [${shape.join(', ')}]: the numbers of elements differ. ` +
            'Export the model again for this input size.',
        )
      return [{ type, shape }]
    },
    evaluate: (node, [x]) => [{ type: x!.type, shape: shapeOf(node), data: x!.data }],
    vjp: (node, [yBar], build) => [yBar && build.reshape(yBar, node.typeOf(0).shape)],
    jvp: (node, [dx], build) => [dx && build.reshape(dx, node.outputType(0).shape)],
  }
}

function reshapeTarget(node: NodeView): number[] {
  const from = node.typeOf(0).shape
  const stated = node.integers(1)
  const zeroStays = node.int('allowzero', 0) !== 0
  const shape = stated.map((size, axis) => {
    if (size !== 0 || zeroStays) return size
    if (axis >= from.length) throw node.error(`its shape copies dimension ${axis}, which its input lacks`)
    return from[axis]!
  })
  const open = shape.indexOf(-1)
  if (shape.some((size, axis) => size < 0 && axis !== open))
    throw node.error(`its shape is [${stated.join(', ')}]; only one entry may be -1, and none less`)
  if (open < 0) return shape
  const rest = elementCount(shape.toSpliced(open, 1))
  if (rest === 0) throw node.error(`its shape [${stated.join(', ')}] leaves the -1 undetermined`)
  return shape.with(open, Math.floor(elementCount(from) / rest))
}

function flattenTarget(node: NodeView): number[] {
  const shape = node.typeOf(0).shape
  const axis = node.int('axis', 1)
  // The end itself is allowed.
  const split = axis === shape.length ? axis : resolveAxis(node, axis, shape.length)
  return [elementCount(shape.slice(0, split)), elementCount(shape.slice(split))]
}

function squeezeTarget(node: NodeView): number[] {
  const shape = node.typeOf(0).shape
  if (node.inputs[1] === undefined) return shape.filter((size) => size !== 1)
  const axes = resolveAxes(node, node.integers(1), shape.length)
  for (const axis of axes)
    if (shape[axis] !== 1)
      throw node.error(`dimension ${axis} has ${shape[axis]} entries; only 1 can be left out`)
  return shape.filter((_, axis) => !axes.includes(axis))
}

function unsqueezeTarget(node: NodeView): number[] {
  const shape = node.typeOf(0).shape
  const stated = node.integers(1)
  const axes = resolveAxes(node, stated, shape.length + stated.length)
  const sizes = [...shape]
  for (const axis of axes) sizes.splice(axis, 0, 1)
  return sizes
}

function permutationOf(node: NodeView): readonly number[] {
  const rank = node.typeOf(0).shape.length
  const reversed = Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  const permutation = node.ints('perm', reversed)
  if ([...permutation].sort((a, b) => a - b).join() !== reversed.toReversed().join())
    throw node.error(`perm is [${permutation.join(', ')}], which is no order of ${rank} dimensions`)
  return permutation
}

function inverse(permutation: readonly number[]): number[] {
  return permutation.map((_, axis) => permutation.indexOf(axis))
}

function transposed(x: Values, permutation: readonly number[]): Values {
  const strides = stridesOf(x.shape)
  const shape = permutation.map((axis) => x.shape[axis]!)
  const offsets = stridedOffsets(
    shape,
    permutation.map((axis) => strides[axis]!),
  )
  return { type: x.type, shape, data: pick(x.data, offsets) }
}

const transpose: OperatorRule = {
  infer(node) {
    const { type, shape } = node.typeOf(0)
    return [{ type, shape: permutationOf(node).map((axis) => shape[axis]!) }]
  },
  evaluate: (node, [x]) => [transposed(x!, permutationOf(node))],
  vjp: (node, [yBar], build) => [yBar && build.transpose(yBar, inverse(permutationOf(node)))],
  jvp: (node, [dx], build) => [dx && build.transpose(dx, permutationOf(node))],
}

/** A change of blocks of channels into blocks of space or back: Reshape, Transpose, Reshape. */
interface Exchange {
  readonly split: readonly number[]
  readonly permutation: readonly number[]
  readonly shape: readonly number[]
}

/** Sizes [N, C, H, W] and the block's side b. Errors: OnnxError. */
function blocksOf(node: NodeView): [number, number, number, number, number] {
  const shape = node.typeOf(0).shape
  const block = node.int('blocksize')
  if (shape.length !== 4) throw node.error(`its input has ${shape.length} dimensions; [N, C, H, W] is needed`)
  if (!(block >= 1)) throw node.error(`blocksize is ${block}; it must be at least 1`)
  return [...(shape as [number, number, number, number]), block]
}

function depthToSpaceOf(node: NodeView): Exchange {
  const [batch, channels, height, width, block] = blocksOf(node)
  const mode = node.string('mode', 'DCR')
  if (mode !== 'DCR' && mode !== 'CRD') throw node.error(`mode is "${mode}"; it can be DCR or CRD`)
  const depth = channels / block ** 2
  if (!Number.isInteger(depth))
    throw node.error(`${channels} channels are no multiple of ${block} × ${block}`)
  const shape = [batch, depth, height * block, width * block]
  return mode === 'DCR'
    ? { split: [batch, block, block, depth, height, width], permutation: [0, 3, 4, 1, 5, 2], shape }
    : { split: [batch, depth, block, block, height, width], permutation: [0, 1, 4, 2, 5, 3], shape }
}

function spaceToDepthOf(node: NodeView): Exchange {
  const [batch, channels, height, width, block] = blocksOf(node)
  const [rows, columns] = [height / block, width / block]
  if (!Number.isInteger(rows) || !Number.isInteger(columns))
    throw node.error(`${height} × ${width} is no multiple of ${block} × ${block}`)
  return {
    split: [batch, channels, rows, block, columns, block],
    permutation: [0, 3, 5, 1, 2, 4],
    shape: [batch, channels * block ** 2, rows, columns],
  }
}

function writeExchange(build: Builder, x: string, { split, permutation, shape }: Exchange): string {
  return build.reshape(build.transpose(build.reshape(x, split), permutation), shape)
}

function writeInverse(build: Builder, y: string, exchange: Exchange, shape: readonly number[]): string {
  const { split, permutation } = exchange
  const blocks = build.reshape(
    y,
    permutation.map((axis) => split[axis]!),
  )
  return build.reshape(build.transpose(blocks, inverse(permutation)), shape)
}

function exchanging(exchangeOf: (node: NodeView) => Exchange): OperatorRule {
  return {
    infer: (node) => [{ type: node.typeOf(0).type, shape: exchangeOf(node).shape }],
    evaluate(node, [x]) {
      const { split, permutation, shape } = exchangeOf(node)
      return [{ ...transposed({ ...x!, shape: split }, permutation), shape }]
    },
    vjp: (node, [yBar], build) => [yBar && writeInverse(build, yBar, exchangeOf(node), node.typeOf(0).shape)],
    jvp: (node, [dx], build) => [dx && writeExchange(build, dx, exchangeOf(node))],
  }
}

export const rules: OperatorRules = {
  Reshape: reshaping(reshapeTarget),
  Flatten: reshaping(flattenTarget),
  Squeeze: reshaping(squeezeTarget),
  Unsqueeze: reshaping(unsqueezeTarget),
  Transpose: transpose,
  DepthToSpace: exchanging(depthToSpaceOf),
  SpaceToDepth: {
    ...exchanging(spaceToDepthOf),
    rewrite: (node, build) => [writeExchange(build, node.inputs[0]!, spaceToDepthOf(node))],
  },
}
