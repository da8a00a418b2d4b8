/**
 * Averages and maxima over windows, or over the whole image.
 *
 *   AveragePool  y[o] = Σ_k x[o, k] / count[o]    count: the taps on padding too (`count_include_pad`), or not
 *   MaxPool      y[o] = max_k x[o, k]
 *
 * A maximum's derivative is shared equally by the taps that reach it (PyTorch gives it to the first of them). It needs
 * no indices, which the WebGPU provider cannot give: see windowMaximum.ts. Source: github.com/onnx/onnx,
 * docs/Operators.md.
 */
import type { Values, ValueType } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'
import { elementCount } from '../tensor'
import { maximumTangent, spreadMaximum, spreadTiles } from './windowMaximum'
import { asPlanes, writeConv, writeConvTranspose } from './windowNodes'
import {
  autoPadOf,
  exactAfter,
  imageShape,
  tapsOf,
  tilesExactly,
  type Windows,
  windowsOf,
  withFittingPads,
} from './windows'

function poolOf(node: NodeView): Windows {
  const input = imageShape(node).slice(2)
  const kernel = node.ints('kernel_shape')
  if (kernel.length !== input.length || kernel.some((size) => !(size >= 1)))
    throw node.error(`kernel_shape is [${kernel.join(', ')}]; ${input.length} sizes from 1 on are needed`)
  const windows = windowsOf(node, input, kernel, node.int('ceil_mode', 0) !== 0)
  if (windows.before.some((pad, d) => pad >= kernel[d]!) || windows.after.some((pad, d) => pad >= kernel[d]!))
    throw node.error('its padding is as large as its window, so that a window could lie outside of the image')
  return windows
}

function pooledType(node: NodeView): ValueType {
  const { type, shape } = node.typeOf(0)
  return { type, shape: [...shape.slice(0, 2), ...poolOf(node).output] }
}

/** Whether the node says more than explicit padding and strides, which is all that providers agree on. */
function needsRewrite(node: NodeView): boolean {
  return autoPadOf(node) !== 'NOTSET' || node.int('ceil_mode', 0) !== 0
}

/** Calls `visit` with the offsets inside the image that each window of each plane reads. */
function forEachWindow(
  planes: number,
  windows: Windows,
  visit: (offsets: Int32Array, window: number, index: number) => void,
): void {
  const taps = tapsOf(windows)
  const [inSize, outSize] = [elementCount(windows.input), elementCount(windows.output)]
  const kernelSize = elementCount(windows.kernel)
  const inside = Array.from({ length: outSize }, (_, window) =>
    taps.subarray(window * kernelSize, (window + 1) * kernelSize).filter((tap) => tap >= 0),
  )
  for (let plane = 0; plane < planes; plane++)
    inside.forEach((offsets, window) =>
      visit(
        offsets.map((tap) => plane * inSize + tap),
        window,
        plane * outSize + window,
      ),
    )
}

/** Taps that a window's sum is divided by, one count per window. */
function countsOf(windows: Windows, includePad: boolean): Float64Array {
  const { input, kernel, strides, dilations, before, after, output } = windows
  const alongAxis = input.map((size, d) => {
    const [low, high] = includePad ? [-before[d]!, size + after[d]!] : [0, size]
    return Array.from({ length: output[d]! }, (_, window) => {
      const first = window * strides[d]! - before[d]!
      const places = Array.from({ length: kernel[d]! }, (_, tap) => first + tap * dilations[d]!)
      return places.filter((place) => place >= low && place < high).length
    })
  })
  const products = alongAxis.reduce((all, counts) => all.flatMap((a) => counts.map((b) => a * b)), [1])
  return Float64Array.from(products)
}

function includesPad(node: NodeView): boolean {
  return node.int('count_include_pad', 0) !== 0
}

/** Weights of one channel that sum up a window. */
function ones(build: Builder, like: string, kernel: readonly number[]): string {
  const size = elementCount(kernel)
  return build.constant(build.typeOf(like).type, [1, 1, ...kernel], new Float64Array(size).fill(1))
}

function divideByCounts(build: Builder, sums: string, windows: Windows, includePad: boolean): string {
  const counts = countsOf(windows, includePad)
  const first = counts[0]!
  if (counts.every((count) => count === first)) return build.mul(sums, build.scalar(1 / first, sums))
  const inverse = counts.map((count) => 1 / count)
  return build.mul(sums, build.constant(build.typeOf(sums).type, [1, 1, ...windows.output], inverse))
}

/** As AveragePool where explicit padding says all, else as the sum by Conv divided by the counts. */
function writeAverage(build: Builder, x: string, windows: Windows, includePad: boolean): string {
  const { kernel, strides, dilations, before, after, output } = windows
  if (dilations.every((dilation) => dilation === 1) && withFittingPads(windows) === windows)
    return build.node('AveragePool', [x], {
      kernel_shape: kernel,
      strides,
      pads: [...before, ...after],
      count_include_pad: includePad ? 1 : 0,
    })
  const sums = writeConv(build, asPlanes(build, x), ones(build, x, kernel), undefined, windows, 1)
  const shape = [...build.typeOf(x).shape.slice(0, 2), ...output]
  return divideByCounts(build, build.reshape(sums, shape), windows, includePad)
}

/** The adjoint of the average. */
function spreadAverage(build: Builder, yBar: string, windows: Windows, includePad: boolean): string {
  const divided = divideByCounts(build, yBar, windows, includePad)
  if (tilesExactly(windows)) return spreadTiles(build, divided, windows.kernel)
  const weights = ones(build, yBar, windows.kernel)
  const planes = writeConvTranspose(build, asPlanes(build, divided), weights, undefined, windows, 1)
  return build.reshape(planes, [...build.typeOf(yBar).shape.slice(0, 2), ...windows.input])
}

const averagePool: OperatorRule = {
  infer: (node) => [pooledType(node)],
  evaluate(node, [x]) {
    const windows = poolOf(node)
    const { type, shape } = pooledType(node)
    const data = new Float64Array(elementCount(shape))
    const counts = countsOf(windows, includesPad(node))
    forEachWindow(shape[0]! * shape[1]!, windows, (offsets, window, index) => {
      data[index] = offsets.reduce((sum, offset) => sum + x!.data[offset]!, 0) / counts[window]!
    })
    return [{ type, shape, data }]
  },
  vjp: (node, [yBar], build) => [yBar && spreadAverage(build, yBar, poolOf(node), includesPad(node))],
  jvp: (node, [dx], build) => [dx && writeAverage(build, dx, poolOf(node), includesPad(node))],
  rewrite(node, build) {
    const windows = poolOf(node)
    if (!needsRewrite(node) && windows.dilations.every((dilation) => dilation === 1)) return undefined
    return [writeAverage(build, node.inputs[0]!, windows, includesPad(node))]
  },
}

const maxPool: OperatorRule = {
  infer(node) {
    const pooled = pooledType(node)
    if (node.outputs.length < 2) return [pooled]
    if (node.int('storage_order', 0) !== 0)
      throw node.error('its indices count columns first (storage_order 1), which is not supported')
    return [pooled, { type: 'int64', shape: pooled.shape }]
  },
  evaluate(node, [x]) {
    const { type, shape } = pooledType(node)
    const data = new Float64Array(elementCount(shape))
    const indices = new Float64Array(data.length)
    forEachWindow(shape[0]! * shape[1]!, poolOf(node), (offsets, _, index) => {
      const largest = offsets.reduce((best, offset) => (x!.data[offset]! > x!.data[best]! ? offset : best))
      data[index] = x!.data[largest]!
      indices[index] = largest
    })
    const maxima: Values = { type, shape, data }
    return node.outputs.length < 2 ? [maxima] : [maxima, { type: 'int64', shape, data: indices }]
  },
  vjp(node, [yBar], build) {
    return [yBar && spreadMaximum(build, node.inputs[0]!, node.outputs[0]!, yBar, poolOf(node))]
  },
  jvp(node, [dx], build) {
    const tangent = dx && maximumTangent(build, node.inputs[0]!, node.outputs[0]!, dx, poolOf(node))
    return [tangent, undefined].slice(0, node.outputs.length)
  },
  rewrite(node, build) {
    if (!needsRewrite(node) || node.outputs.length > 1) return undefined
    const windows = poolOf(node)
    const { kernel, strides, dilations, before } = windows
    // Padding never wins, so that windows beyond it (`ceil_mode`) are windows over more of it.
    const ends = exactAfter(windows).map((value) => Math.max(0, value))
    const pooled = build.node('MaxPool', [node.inputs[0]!], {
      kernel_shape: kernel,
      strides,
      dilations,
      pads: [...before, ...ends],
    })
    return [pooled]
  },
}

function spatialAxes(node: NodeView): number[] {
  return imageShape(node)
    .map((_, axis) => axis)
    .slice(2)
}

/** One window that is the whole image: a value per plane. */
function globalPool(node: NodeView, x: Values, value: (plane: Float64Array) => number): readonly Values[] {
  const size = elementCount(imageShape(node).slice(2))
  const data = Float64Array.from({ length: x.data.length / size }, (_, plane) =>
    value(x.data.subarray(plane * size, (plane + 1) * size)),
  )
  return [{ ...globalType(node), data }]
}

function globalType(node: NodeView): ValueType {
  return { type: node.typeOf(0).type, shape: imageShape(node).map((size, axis) => (axis < 2 ? size : 1)) }
}

/** 1 / (number of positions that reach the maximum) at these positions, 0 elsewhere. */
function globalShares(node: NodeView, build: Builder): string {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!]
  const reached = build.cast(build.node('Equal', [x, y]), node.typeOf(0).type)
  return build.div(reached, build.reduceSum(reached, spatialAxes(node), true))
}

const globalAveragePool: OperatorRule = {
  infer: (node) => [globalType(node)],
  evaluate: (node, [x]) =>
    globalPool(node, x!, (plane) => plane.reduce((sum, v) => sum + v, 0) / plane.length),
  vjp(node, [yBar], build) {
    const { shape } = node.typeOf(0)
    const share = build.scalar(1 / elementCount(shape.slice(2)), node.inputs[0]!)
    return [yBar && build.expand(build.mul(yBar, share), shape)]
  },
  jvp: (_, [dx], build) => [dx && build.node('GlobalAveragePool', [dx])],
}

const globalMaxPool: OperatorRule = {
  infer: (node) => [globalType(node)],
  evaluate: (node, [x]) => globalPool(node, x!, (plane) => plane.reduce((a, b) => Math.max(a, b), -Infinity)),
  vjp: (node, [yBar], build) => [yBar && build.mul(globalShares(node, build), yBar)],
  jvp: (node, [dx], build) => [
    dx && build.reduceSum(build.mul(globalShares(node, build), dx), spatialAxes(node), true),
  ],
}

export const rules: OperatorRules = {
  AveragePool: averagePool,
  MaxPool: maxPool,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
}
