/**
 * Windows that slide over the spatial dimensions of an image, as convolution and pooling have them.
 *
 * Tap k of window o reads input position i = o·stride + k·dilation - before, per dimension, or padding where that is
 * outside. Equations of sizes and of `auto_pad`: github.com/onnx/onnx, docs/Operators.md, Conv and AveragePool.
 */
import { OnnxError } from '../graph'
import type { NodeView } from '../rule'
import { elementCount } from '../tensor'
import { stridedOffsets, stridesOf } from './strided'

/** One entry per spatial dimension. */
export interface Windows {
  readonly input: readonly number[]
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** Padding before and after the input. A window may still reach further (`ceil_mode`). */
  readonly before: readonly number[]
  readonly after: readonly number[]
  /** Number of windows. */
  readonly output: readonly number[]
}

/** The input's sizes [N, C, …]. Errors: OnnxError where there are fewer than three. */
export function imageShape(node: NodeView): readonly number[] {
  const { shape } = node.typeOf(0)
  if (shape.length < 3)
    throw node.error(`its input has ${shape.length} dimensions; [N, C, …] needs at least 3`)
  return shape
}

/** A list attribute of one entry per spatial dimension (`twice` as many for pads). */
export function perDimension(
  node: NodeView,
  attribute: string,
  count: number,
  fallback: number,
  minimum: number,
): readonly number[] {
  const values = node.ints(
    attribute,
    Array.from({ length: count }, () => fallback),
  )
  if (values.length !== count)
    throw node.error(`${attribute} has ${values.length} entries where ${count} belong`)
  if (values.some((value) => !(value >= minimum)))
    throw node.error(`${attribute} is ${values.join(', ')}; entries below ${minimum} are not allowed`)
  return values
}

/** Input positions that a window covers, from its first to its last tap. */
export function span(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1
}

type AutoPad = 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER'

export function autoPadOf(node: NodeView): AutoPad {
  const value = node.string('auto_pad', 'NOTSET')
  if (value === 'NOTSET' || value === 'VALID' || value === 'SAME_UPPER' || value === 'SAME_LOWER')
    return value
  throw node.error(`auto_pad is "${value}"; it can be NOTSET, VALID, SAME_UPPER or SAME_LOWER`)
}

/** Padding of one dimension that sums to `total`; the odd one goes to the end with SAME_UPPER. */
export function distribute(total: number, upper: boolean): { before: number; after: number } {
  const half = Math.floor(total / 2)
  return upper ? { before: half, after: total - half } : { before: total - half, after: half }
}

/** Windows of a Conv or pooling node whose input has spatial sizes `input`. Errors: OnnxError. */
export function windowsOf(
  node: NodeView,
  input: readonly number[],
  kernel: readonly number[],
  ceilMode = false,
): Windows {
  const count = input.length
  const strides = perDimension(node, 'strides', count, 1, 1)
  const dilations = perDimension(node, 'dilations', count, 1, 1)
  const pads = perDimension(node, 'pads', 2 * count, 0, 0)
  const autoPad = autoPadOf(node)
  const before: number[] = []
  const after: number[] = []
  const output = input.map((size, d) => {
    const [stride, reach] = [strides[d]!, span(kernel[d]!, dilations[d]!)]
    if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
      const windows = Math.ceil(size / stride)
      const sides = distribute(Math.max(0, (windows - 1) * stride + reach - size), autoPad === 'SAME_UPPER')
      before.push(sides.before)
      after.push(sides.after)
      return windows
    }
    before.push(autoPad === 'VALID' ? 0 : pads[d]!)
    after.push(autoPad === 'VALID' ? 0 : pads[d + count]!)
    const room = (size + before[d]! + after[d]! - reach) / stride
    if (room < 0)
      throw node.error(
        `its window covers ${reach} positions, but dimension ${d + 2} has ${size} with padding ${before[d]} and ${after[d]}`,
      )
    // A window that would begin in the padding at the end is left out.
    const windows = (ceilMode ? Math.ceil(room) : Math.floor(room)) + 1
    return ceilMode && (windows - 1) * stride >= size + before[d]! ? windows - 1 : windows
  })
  return { input, kernel, strides, dilations, before, after, output }
}

/** Padding after the input with which the last tap of the last window is the last position. May be negative. */
export function exactAfter(windows: Windows): number[] {
  const { input, kernel, strides, dilations, before, output } = windows
  return input.map(
    (size, d) => (output[d]! - 1) * strides[d]! + span(kernel[d]!, dilations[d]!) - before[d]! - size,
  )
}

/** The same windows with padding after the input such that exactly they fit, where padding can say so. */
export function withFittingPads(windows: Windows): Windows {
  const { strides, after } = windows
  const exact = exactAfter(windows)
  const fits = after.every((value, d) => value >= exact[d]! && value < exact[d]! + strides[d]!)
  return fits ? windows : { ...windows, after: exact.map((value) => Math.max(0, value)) }
}

/** Whether the windows cover every position exactly once. */
export function tilesExactly({ input, kernel, strides, dilations, before, output }: Windows): boolean {
  return input.every(
    (size, d) =>
      strides[d] === kernel[d] &&
      (dilations[d] === 1 || kernel[d] === 1) &&
      before[d] === 0 &&
      size === output[d]! * kernel[d]!,
  )
}

/** Entries that a table of taps may have; networks that are interpreted in tests have a hundredth. */
const MOST_TAPS = 2 ** 26

/**
 * Input offset that tap k of window o reads, [windows, taps], row-major; -1 for padding.
 * Errors: OnnxError where they are too many to list.
 */
export function tapsOf(windows: Windows): Int32Array {
  const { input, kernel, strides, dilations, before, output } = windows
  const [count, size] = [elementCount(output), elementCount(kernel)]
  if (count * size > MOST_TAPS)
    throw new OnnxError(
      `A constant is computed from ${count} windows of ${size} positions, which is too much. Export the model with it computed.`,
    )
  const padded = input.map((size, d) =>
    Math.max(before[d]! + size, (output[d]! - 1) * strides[d]! + span(kernel[d]!, dilations[d]!)),
  )
  const steps = stridesOf(padded)
  const scaled = (factors: readonly number[]) => factors.map((factor, d) => factor * steps[d]!)
  const first = scaled(before).reduce((sum, offset) => sum + offset, 0)
  const places = new Int32Array(elementCount(padded)).fill(-1)
  stridedOffsets(input, steps, first).forEach((place, offset) => {
    places[place] = offset
  })
  const reads = stridedOffsets([...output, ...kernel], [...scaled(strides), ...scaled(dilations)])
  return reads.map((place) => places[place]!)
}
