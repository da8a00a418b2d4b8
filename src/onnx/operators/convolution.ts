/**
 * Conv and ConvTranspose in any number of dimensions, with their derivatives by input, weights and bias.
 *
 * ConvTranspose is the adjoint of Conv with the same weights [inputs of it, outputs of it / group, …kernel]; so each is
 * the other's reverse rule. Equations in windowNodes.ts. Source: github.com/onnx/onnx, docs/Operators.md.
 */
import type { Values } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'
import { elementCount } from '../tensor'
import { missingInConv, missingInConvTranspose, missingInputs } from './groups'
import { writeConv, writeConvTranspose, writeWeightGradient } from './windowNodes'
import {
  autoPadOf,
  distribute,
  imageShape,
  perDimension,
  span,
  tapsOf,
  type Windows,
  windowsOf,
} from './windows'

interface Convolution {
  readonly windows: Windows
  readonly group: number
  readonly batch: number
  /** Channels of Conv's input and output; ConvTranspose's are the other way round. */
  readonly inChannels: number
  readonly outChannels: number
}

/** Checks what both operators share; returns spatial sizes of input and kernel. */
function shapesOf(node: NodeView) {
  const x = imageShape(node)
  const w = node.typeOf(1).shape
  if (w.length !== x.length)
    throw node.error(`its weights have ${w.length} dimensions, its input has ${x.length}`)
  const group = node.int('group', 1)
  const kernel = w.slice(2)
  const stated = node.ints('kernel_shape', kernel)
  if (stated.join() !== kernel.join())
    throw node.error(`kernel_shape is ${stated.join(' × ')}, its weights are ${kernel.join(' × ')}`)
  if (!(group >= 1) || x[1]! % group || w[0]! % group || kernel.some((size) => size < 1))
    throw node.error(`input ${x.join(' × ')}, weights ${w.join(' × ')} and group ${group} do not fit`)
  return { x, w, group, kernel, input: x.slice(2) }
}

function checkBias(node: NodeView, channels: number): void {
  if (node.inputs[2] === undefined) return
  const shape = node.typeOf(2).shape
  if (shape.length !== 1 || shape[0] !== channels)
    throw node.error(`its bias has shape [${shape.join(', ')}]; [${channels}] is needed`)
}

function convolutionOf(node: NodeView): Convolution {
  const { x, w, group, kernel, input } = shapesOf(node)
  if (x[1] !== w[1]! * group)
    throw node.error(`its input has ${x[1]} channels, its weights take ${w[1]} in each of ${group} groups`)
  checkBias(node, w[0]!)
  const windows = windowsOf(node, input, kernel)
  return { windows, group, batch: x[0]!, inChannels: x[1], outChannels: w[0]! }
}

/** The Conv whose adjoint a ConvTranspose is: it takes the node's output to the node's input. */
function transposedOf(node: NodeView): Convolution {
  const { x, w, group, kernel, input } = shapesOf(node)
  if (x[1] !== w[0]) throw node.error(`its input has ${x[1]} channels, its weights take ${w[0]}`)
  checkBias(node, w[1]! * group)
  const count = input.length
  const strides = perDimension(node, 'strides', count, 1, 1)
  const dilations = perDimension(node, 'dilations', count, 1, 1)
  const pads = perDimension(node, 'pads', 2 * count, 0, 0)
  const outputPadding = perDimension(node, 'output_padding', count, 0, 0)
  const autoPad = autoPadOf(node)
  const same = autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER'
  const stated = node.has('output_shape') ? node.ints('output_shape').slice(-count) : undefined
  const before: number[] = []
  const after: number[] = []
  const output = input.map((size, d) => {
    const full = (size - 1) * strides[d]! + span(kernel[d]!, dilations[d]!) + outputPadding[d]!
    const target = stated?.[d] ?? (same ? size * strides[d]! : undefined)
    const sides =
      target === undefined
        ? { before: autoPad === 'VALID' ? 0 : pads[d]!, after: autoPad === 'VALID' ? 0 : pads[d + count]! }
        : distribute(Math.max(0, full - target), autoPad === 'SAME_UPPER')
    before.push(sides.before)
    after.push(sides.after)
    const length = stated?.[d] ?? full - sides.before - sides.after
    if (!(length >= 1)) throw node.error(`dimension ${d + 2} of its output would have ${length} positions`)
    const unread = length - (full - outputPadding[d]! - sides.before)
    if (unread >= strides[d]!)
      throw node.error(
        `the last ${unread} positions of dimension ${d + 2} of its output depend on no input; ` +
          'only fewer than its stride can be computed',
      )
    return length
  })
  const windows = { input: output, kernel, strides, dilations, before, after, output: input }
  return { windows, group, batch: x[0]!, inChannels: w[1]! * group, outChannels: x[1]! }
}

/** Calls `visit` with the offsets in x, w and y, for every image, output channel and input channel of its group. */
function forEachPlane(
  { windows, group, batch, inChannels, outChannels }: Convolution,
  visit: (xOffset: number, wOffset: number, yOffset: number) => void,
): void {
  const [inSize, outSize, kernelSize] = [
    elementCount(windows.input),
    elementCount(windows.output),
    elementCount(windows.kernel),
  ]
  const [inPerGroup, outPerGroup] = [inChannels / group, outChannels / group]
  for (let n = 0; n < batch; n++)
    for (let m = 0; m < outChannels; m++)
      for (let c = 0; c < inPerGroup; c++) {
        const channel = Math.floor(m / outPerGroup) * inPerGroup + c
        visit(
          (n * inChannels + channel) * inSize,
          (m * inPerGroup + c) * kernelSize,
          (n * outChannels + m) * outSize,
        )
      }
}

/** Adds bias[c] to each plane of a [N, C, …] tensor. */
function addBias(data: Float64Array, bias: Values | undefined, channels: number, plane: number): void {
  if (!bias) return
  for (let i = 0; i < data.length; i++) data[i]! += bias.data[Math.floor(i / plane) % channels]!
}

function evaluateConv(conv: Convolution, x: Values, w: Values, bias: Values | undefined): Values {
  const { windows, batch, outChannels } = conv
  const taps = tapsOf(windows)
  const [outSize, kernelSize] = [elementCount(windows.output), elementCount(windows.kernel)]
  const data = new Float64Array(batch * outChannels * outSize)
  forEachPlane(conv, (xOffset, wOffset, yOffset) => {
    for (let o = 0; o < outSize; o++) {
      let sum = 0
      for (let k = 0; k < kernelSize; k++) {
        const tap = taps[o * kernelSize + k]!
        if (tap >= 0) sum += w.data[wOffset + k]! * x.data[xOffset + tap]!
      }
      data[yOffset + o]! += sum
    }
  })
  addBias(data, bias, outChannels, outSize)
  return { type: x.type, shape: [batch, outChannels, ...windows.output], data }
}

function evaluateTransposed(conv: Convolution, y: Values, w: Values, bias: Values | undefined): Values {
  const { windows, batch, inChannels } = conv
  const taps = tapsOf(windows)
  const [inSize, outSize, kernelSize] = [
    elementCount(windows.input),
    elementCount(windows.output),
    elementCount(windows.kernel),
  ]
  const data = new Float64Array(batch * inChannels * inSize)
  forEachPlane(conv, (xOffset, wOffset, yOffset) => {
    for (let o = 0; o < outSize; o++)
      for (let k = 0; k < kernelSize; k++) {
        const tap = taps[o * kernelSize + k]!
        if (tap >= 0) data[xOffset + tap]! += w.data[wOffset + k]! * y.data[yOffset + o]!
      }
  })
  addBias(data, bias, inChannels, inSize)
  return { type: y.type, shape: [batch, inChannels, ...windows.input], data }
}

/** Sum over everything but the channels. */
function biasGradient(build: Builder, yBar: string): string {
  const axes = build.typeOf(yBar).shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]))
  return build.reduceSum(yBar, axes, false)
}

/** Tangent of the bias as a tangent of the output. */
function spreadBias(build: Builder, tangent: string | undefined, shape: readonly number[]) {
  if (!tangent) return undefined
  const channels = build.reshape(
    tangent,
    shape.map((size, axis) => (axis === 1 ? size : 1)),
  )
  return build.expand(channels, shape)
}

/**
 * Derivatives of an operator that `write` writes as nodes. `adjoint` is its adjoint, `byWeights` takes (x, ȳ).
 * @param of what the node's windows are
 */
function derivativesOf(
  of: (node: NodeView) => Convolution,
  write: typeof writeConv,
  adjoint: typeof writeConv,
  byWeights: typeof writeWeightGradient,
): Pick<OperatorRule, 'vjp' | 'jvp'> {
  return {
    vjp(node, [yBar], build, wanted) {
      if (!yBar) return []
      const { windows, group } = of(node)
      const [x, w] = node.inputs as [string, string]
      return [
        wanted[0] ? adjoint(build, yBar, w, undefined, windows, group) : undefined,
        wanted[1] ? byWeights(build, x, yBar, windows, group) : undefined,
        wanted[2] ? biasGradient(build, yBar) : undefined,
      ]
    },
    jvp(node, [dx, dw, dBias], build) {
      const { windows, group } = of(node)
      const [x, w] = node.inputs as [string, string]
      const fromInput = dx && write(build, dx, w, dw ? undefined : dBias, windows, group)
      const fromWeights = dw && write(build, x, dw, dBias, windows, group)
      return [build.sum(fromInput, fromWeights) ?? spreadBias(build, dBias, node.outputType(0).shape)]
    },
  }
}

const conv: OperatorRule = {
  infer(node) {
    const { windows, batch, outChannels } = convolutionOf(node)
    return [{ type: node.typeOf(0).type, shape: [batch, outChannels, ...windows.output] }]
  },
  evaluate: (node, [x, w, bias]) => [evaluateConv(convolutionOf(node), x!, w!, bias)],
  ...derivativesOf(convolutionOf, writeConv, writeConvTranspose, writeWeightGradient),
  rewrite(node, build) {
    const { windows, group, inChannels, outChannels } = convolutionOf(node)
    const [x, w, bias] = node.inputs as [string, string, string?]
    const missing =
      missingInConv(build, w, group) ||
      missingInputs(inChannels, outChannels, elementCount(windows.kernel), group)
    if (autoPadOf(node) === 'NOTSET' && missing === 0) return undefined
    return [writeConv(build, x, w, bias, windows, group)]
  },
}

const convTranspose: OperatorRule = {
  infer(node) {
    const { windows, batch, inChannels } = transposedOf(node)
    return [{ type: node.typeOf(0).type, shape: [batch, inChannels, ...windows.input] }]
  },
  evaluate: (node, [x, w, bias]) => [evaluateTransposed(transposedOf(node), x!, w!, bias)],
  // The weights' gradient is that of the Conv, whose output is x.
  ...derivativesOf(transposedOf, writeConvTranspose, writeConv, (build, x, yBar, windows, group) =>
    writeWeightGradient(build, yBar, x, windows, group),
  ),
  rewrite(node, build) {
    const { windows, group } = transposedOf(node)
    const outputPadding = node.ints('output_padding', [])
    const [x, w, bias] = node.inputs as [string, string, string?]
    const explicit = autoPadOf(node) === 'NOTSET' && !node.has('output_shape')
    const taken = outputPadding.every((value, d) => value < windows.strides[d]!)
    if (explicit && taken && missingInConvTranspose(build, w, group) === 0) return undefined
    return [writeConvTranspose(build, x, w, bias, windows, group)]
  },
}

export const rules: OperatorRules = { Conv: conv, ConvTranspose: convTranspose }
