/**
 * Pad: along each axis, output position o reads input position index(o), or a constant where there is none.
 *
 *   constant  …0 0 [a b c] 0 0…     edge  …a a [a b c] c c…     reflect  …c b [a b c] b a…     wrap  …b c [a b c] a b…
 *
 * Negative entries crop, before the rest is padded. Crops and constants have slices and pads as derivatives, the other
 * modes the transposed index as a matrix. Source: github.com/onnx/onnx, docs/Operators.md.
 */
import type { Values } from '../graph'
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'
import { elementCount } from '../tensor'
import { selectionMatrix, writeAlong } from './axisMatrix'
import { resolveAxis, stridesOf } from './strided'

type Mode = 'constant' | 'edge' | 'reflect' | 'wrap'

interface Padding {
  readonly mode: Mode
  /** Entries per axis of the input; negative ones crop. */
  readonly before: readonly number[]
  readonly after: readonly number[]
}

function paddingOf(node: NodeView): Padding {
  const { shape } = node.typeOf(0)
  const mode = node.string('mode', 'constant')
  if (mode !== 'constant' && mode !== 'edge' && mode !== 'reflect' && mode !== 'wrap')
    throw node.error(`mode is "${mode}"; it can be constant, edge, reflect or wrap`)
  const pads = node.integers(1)
  const axes =
    node.inputs[3] === undefined
      ? shape.map((_, axis) => axis)
      : node.integers(3).map((axis) => resolveAxis(node, axis, shape.length))
  if (pads.length !== 2 * axes.length)
    throw node.error(`it has ${pads.length} pads for ${axes.length} axes; two for each are needed`)
  if (new Set(axes).size !== axes.length) throw node.error(`axes [${axes.join(', ')}] name a dimension twice`)
  const before = shape.map((_, axis) => (axes.includes(axis) ? pads[axes.indexOf(axis)]! : 0))
  const after = shape.map((_, axis) => (axes.includes(axis) ? pads[axes.indexOf(axis) + axes.length]! : 0))
  shape.forEach((size, axis) => {
    const kept = size + Math.min(0, before[axis]!) + Math.min(0, after[axis]!)
    const most = Math.max(before[axis]!, after[axis]!)
    if (kept < 0) throw node.error(`it crops more from dimension ${axis} than its ${size} positions`)
    if (mode !== 'constant' && most > 0 && kept === 0)
      throw node.error(`dimension ${axis} has no positions that ${mode} could repeat`)
    if (mode === 'reflect' && most > Math.max(0, kept - 1))
      throw node.error(`it reflects ${most} positions of dimension ${axis}, which has ${kept}`)
  })
  return { mode, before, after }
}

function paddedShape(shape: readonly number[], { before, after }: Padding): number[] {
  return shape.map((size, axis) => size + before[axis]! + after[axis]!)
}

/** Input position that each output position of an axis reads; -1 for the constant. */
function indexAlong(size: number, before: number, after: number, mode: Mode): number[] {
  const first = Math.max(0, -before)
  const kept = size - first - Math.max(0, -after)
  return Array.from({ length: size + before + after }, (_, out) => {
    const at = out - before - first
    if (at >= 0 && at < kept) return first + at
    if (mode === 'constant') return -1
    if (mode === 'edge') return first + (at < 0 ? 0 : kept - 1)
    if (mode === 'wrap') return first + (((at % kept) + kept) % kept)
    return first + (at < 0 ? -at : 2 * (kept - 1) - at)
  })
}

function evaluatePad(x: Values, padding: Padding, fill: number): Values {
  const shape = paddedShape(x.shape, padding)
  const strides = stridesOf(x.shape)
  const indices = x.shape.map((size, axis) =>
    indexAlong(size, padding.before[axis]!, padding.after[axis]!, padding.mode),
  )
  const unit = stridesOf(shape)
  const data = new Float64Array(elementCount(shape)).map((_, out) => {
    let from = 0
    for (let axis = 0; axis < shape.length; axis++) {
      const place = indices[axis]![Math.floor(out / unit[axis]!) % shape[axis]!]!
      if (place < 0) return fill
      from += place * strides[axis]!
    }
    return x.data[from]!
  })
  return { type: x.type, shape, data }
}

function writeCrop(build: Builder, x: string, before: readonly number[], after: readonly number[]): string {
  const { shape } = build.typeOf(x)
  const axes = shape.flatMap((_, axis) => (before[axis]! < 0 || after[axis]! < 0 ? [axis] : []))
  if (axes.length === 0) return x
  return build.slice(
    x,
    axes.map((axis) => Math.max(0, -before[axis]!)),
    axes.map((axis) => shape[axis]! - Math.max(0, -after[axis]!)),
    axes,
  )
}

const growing = (entries: readonly number[]) => entries.map((entry) => Math.max(0, entry))

/** Crops, then pads: with `fill` (zero where missing) in the mode `constant`. */
function writePad(build: Builder, x: string, padding: Padding, fill?: string): string {
  const { mode, before, after } = padding
  const cropped = writeCrop(build, x, before, after)
  const pads = [...growing(before), ...growing(after)]
  if (pads.every((entry) => entry === 0)) return cropped
  return build.node('Pad', [cropped, build.integers(pads), fill], { mode })
}

function writeAdjoint(build: Builder, yBar: string, padding: Padding, sizes: readonly number[]): string {
  const { mode, before, after } = padding
  const opposite = (entries: readonly number[]) => entries.map((entry) => -entry)
  if (mode === 'constant')
    return writePad(build, yBar, { mode, before: opposite(before), after: opposite(after) })
  return sizes.reduce((value, size, axis) => {
    if (before[axis] === 0 && after[axis] === 0) return value
    const matrix = selectionMatrix(indexAlong(size, before[axis]!, after[axis]!, mode), size)
    return writeAlong(build, value, axis, matrix, true)
  }, yBar)
}

/** Sum of ȳ over the positions that hold the constant: all, less those that the input reaches. */
function constantGradient(build: Builder, yBar: string, padding: Padding, shape: readonly number[]): string {
  const all = (x: string) =>
    build.reduceSum(
      x,
      build.typeOf(x).shape.map((_, axis) => axis),
      false,
    )
  const cropping = (entries: readonly number[]) => growing(entries).map((entry) => -entry)
  const reached = writeCrop(build, yBar, cropping(padding.before), cropping(padding.after))
  return build.reshape(build.sub(all(yBar), all(reached)), shape)
}

/** Tangent of the constant at the positions that hold it. */
function spreadConstant(node: NodeView, build: Builder, padding: Padding, tangent: string): string {
  const { shape } = node.outputType(0)
  const input = node.typeOf(0)
  const zeros = { ...input, data: new Float64Array(elementCount(input.shape)) }
  const mask = build.constant(input.type, shape, evaluatePad(zeros, padding, 1).data)
  return build.mul(build.reshape(tangent, []), mask)
}

const pad: OperatorRule = {
  infer(node) {
    const { type, shape } = node.typeOf(0)
    return [{ type, shape: paddedShape(shape, paddingOf(node)) }]
  },
  evaluate: (node, [x, , fill]) => [evaluatePad(x!, paddingOf(node), fill?.data[0] ?? 0)],
  vjp(node, [yBar], build, wanted) {
    if (!yBar) return []
    const padding = paddingOf(node)
    const { shape } = node.typeOf(0)
    const constant = wanted[2] && padding.mode === 'constant'
    return [
      wanted[0] ? writeAdjoint(build, yBar, padding, shape) : undefined,
      undefined,
      constant ? constantGradient(build, yBar, padding, node.typeOf(2).shape) : undefined,
    ]
  },
  jvp(node, [dx, , dFill], build) {
    const padding = paddingOf(node)
    const spread =
      dFill && padding.mode === 'constant' ? spreadConstant(node, build, padding, dFill) : undefined
    return [build.sum(dx && writePad(build, dx, padding), spread)]
  },
  // Crops become slices: providers differ in padding that is negative.
  rewrite(node, build) {
    const padding = paddingOf(node)
    if (![...padding.before, ...padding.after].some((entry) => entry < 0)) return undefined
    return [writePad(build, node.inputs[0]!, padding, node.inputs[2])]
  },
}

export const rules: OperatorRules = { Pad: pad }
