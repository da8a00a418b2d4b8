/**
 * Resize: interpolation along each axis that changes, y = (M₁ ⊗ M₂ ⊗ …) x.
 *
 * The reverse rule multiplies by each Mᵀ, or averages where pixels were only repeated. Forms of Resize that the WebGPU
 * provider lacks (antialiasing above all) become MatMuls with M. Interpolation itself is in interpolation.ts.
 */
import type { Builder, NodeView, OperatorRule, OperatorRules } from '../rule'
import { elementCount } from '../tensor'
import { applyAlong, type AxisMatrix, writeAlong } from './axisMatrix'
import { COORDINATES, type Interpolation, interpolationMatrix, MODES, NEAREST } from './interpolation'
import { resolveAxis } from './strided'
import { sumTiles } from './windowMaximum'

interface Resizing {
  readonly interpolation: Interpolation
  readonly output: readonly number[]
  readonly scales: readonly number[]
}

function oneOf<T extends string>(node: NodeView, attribute: string, choices: readonly T[], fallback: T): T {
  const value = node.string(attribute, fallback)
  const found = choices.find((choice) => choice === value)
  if (found === undefined)
    throw node.error(`${attribute} is "${value}"; supported are ${choices.join(', ')}. Export it otherwise.`)
  return found
}

function interpolationOf(node: NodeView): Interpolation {
  return {
    mode: oneOf(node, 'mode', MODES, 'nearest'),
    coordinates: oneOf(node, 'coordinate_transformation_mode', COORDINATES, 'half_pixel'),
    nearest: oneOf(node, 'nearest_mode', NEAREST, 'round_prefer_floor'),
    cubicA: node.float('cubic_coeff_a', -0.75),
    excludeOutside: node.int('exclude_outside', 0) !== 0,
    antialias: node.int('antialias', 0) !== 0,
  }
}

/** The numbers of an input that must be known; undefined where it is omitted or empty, which means the same. */
function numbersOf(node: NodeView, input: number, meaning: string): number[] | undefined {
  if (node.inputs[input] === undefined) return undefined
  if (elementCount(node.typeOf(input).shape) === 0) return undefined
  const values = node.constant(input)
  if (!values)
    throw node.error(
      `its ${meaning} depend on the data, but must be known. Export the model with fixed sizes.`,
    )
  return Array.from(values.data)
}

function resizingOf(node: NodeView): Resizing {
  const { shape } = node.typeOf(0)
  const axes = node.has('axes')
    ? node.ints('axes').map((axis) => resolveAxis(node, axis, shape.length))
    : shape.map((_, axis) => axis)
  const [stated, sizes] = [numbersOf(node, 2, 'scales'), numbersOf(node, 3, 'sizes')]
  const given = stated ?? sizes
  if (!given || (stated && sizes)) throw node.error('it needs either scales or sizes')
  if (given.length !== axes.length || given.some((value) => !(value > 0)))
    throw node.error(
      `its ${stated ? 'scales' : 'sizes'} [${given.join(', ')}] do not fit ${axes.length} axes`,
    )
  const policy = node.string('keep_aspect_ratio_policy', 'stretch')
  const scales = shape.map(() => 1)
  const output = [...shape]
  const ratios = axes.map((axis, i) => given[i]! / shape[axis]!)
  const common = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)
  axes.forEach((axis, i) => {
    if (stated) {
      scales[axis] = given[i]!
      output[axis] = Math.floor(shape[axis]! * given[i]!)
    } else if (policy === 'stretch') {
      scales[axis] = ratios[i]!
      output[axis] = given[i]!
    } else {
      scales[axis] = common
      output[axis] = Math.floor(common * shape[axis]! + 0.5)
    }
  })
  if (output.some((size) => !Number.isSafeInteger(size) || size < 1))
    throw node.error(`its output would have shape [${output.join(', ')}]`)
  return { interpolation: interpolationOf(node), output, scales }
}

/** Axes that change. One with scale 1 and the same size stays, whatever the mode. */
function changedAxes(shape: readonly number[], { output, scales }: Resizing): number[] {
  return shape.flatMap((size, axis) => (output[axis] !== size || scales[axis] !== 1 ? [axis] : []))
}

function matrixOf(shape: readonly number[], resizing: Resizing, axis: number): AxisMatrix {
  const { interpolation, output, scales } = resizing
  return interpolationMatrix(interpolation, shape[axis]!, output[axis]!, scales[axis]!)
}

/** k where every input position becomes k equal neighbours. */
function repetition({ rows, columns, places }: AxisMatrix): number | undefined {
  const times = rows / columns
  if (!Number.isInteger(times)) return undefined
  return places.every((place, row) => place === Math.floor(row / times)) ? times : undefined
}

/** Whether only spatial dimensions of [N, C, …] change, all by repeating; then the repetitions. */
function repetitions(shape: readonly number[], resizing: Resizing): number[] | undefined {
  if (resizing.interpolation.mode !== 'nearest' || shape.length < 3) return undefined
  if (changedAxes(shape, resizing).some((axis) => axis < 2)) return undefined
  const times = shape.slice(2).map((_, d) => repetition(matrixOf(shape, resizing, d + 2)))
  return times.every((count) => count !== undefined) ? times : undefined
}

function writeResized(build: Builder, x: string, resizing: Resizing): string {
  const { shape } = build.typeOf(x)
  return changedAxes(shape, resizing).reduce(
    (value, axis) => writeAlong(build, value, axis, matrixOf(shape, resizing, axis)),
    x,
  )
}

function writeAdjoint(build: Builder, yBar: string, shape: readonly number[], resizing: Resizing): string {
  const times = repetitions(shape, resizing)
  if (times) return sumTiles(build, yBar, times)
  return changedAxes(shape, resizing).reduce(
    (value, axis) => writeAlong(build, value, axis, matrixOf(shape, resizing, axis), true),
    yBar,
  )
}

/** Whether the WebGPU provider computes this Resize rightly: measured for images [N, C, H, W] of which H and W change. */
function isPlain(node: NodeView, { interpolation, scales, output }: Resizing): boolean {
  const { shape } = node.typeOf(0)
  const { mode, coordinates, antialias, excludeOutside } = interpolation
  const plain = !antialias && !excludeOutside && coordinates !== 'half_pixel_symmetric' && !node.has('axes')
  const stretched = node.string('keep_aspect_ratio_policy', 'stretch') === 'stretch'
  const spatial = changedAxes(shape, { interpolation, scales, output }).every((axis) => axis >= 2)
  return plain && stretched && spatial && (shape.length === 4 || (shape.length > 2 && mode === 'nearest'))
}

const resize: OperatorRule = {
  infer: (node) => [{ type: node.typeOf(0).type, shape: resizingOf(node).output }],
  evaluate(node, [x]) {
    const resizing = resizingOf(node)
    const axes = changedAxes(x!.shape, resizing)
    return [axes.reduce((value, axis) => applyAlong(value, axis, matrixOf(x!.shape, resizing, axis)), x!)]
  },
  vjp: (node, [yBar], build) => [yBar && writeAdjoint(build, yBar, node.typeOf(0).shape, resizingOf(node))],
  jvp: (node, [dx], build) => [dx && writeTangent(node, dx, build)],
  rewrite(node, build) {
    const resizing = resizingOf(node)
    return isPlain(node, resizing) ? undefined : [writeResized(build, node.inputs[0]!, resizing)]
  },
}

/** The node itself, applied to the tangent. */
function writeTangent(node: NodeView, dx: string, build: Builder): string {
  const resizing = resizingOf(node)
  if (!isPlain(node, resizing)) return writeResized(build, dx, resizing)
  const { mode, coordinates, nearest, cubicA } = resizing.interpolation
  return build.node('Resize', [dx, undefined, node.inputs[2], node.inputs[3]], {
    mode,
    coordinate_transformation_mode: coordinates,
    nearest_mode: nearest,
    cubic_coeff_a: { float: cubicA },
  })
}

const upsample: OperatorRule = {
  infer(node) {
    throw node.error(
      'Upsample left the standard with opset 10. Export the model again, with opset 13 or newer.',
    )
  },
}

export const rules: OperatorRules = { Resize: resize, Upsample: upsample }
