/**
 * Derivatives of a maximum over windows, without indices.
 *
 *   share[o, k] = [x[o, k] = y[o]] / Σ_l [x[o, l] = y[o]]        ẏ[o] = Σ_k share[o, k] ẋ[o, k]
 *
 * and the adjoint. Where windows tile the image, x[o, k] are the positions themselves: y is enlarged to the image and
 * compared with it. Otherwise the taps become channels, by slices, which copy exactly; the way back is a ConvTranspose
 * whose weights have a single one each.
 */
import { OnnxError } from '../graph'
import type { Builder } from '../rule'
import { elementCount } from '../tensor'
import { stridedOffsets, stridesOf } from './strided'
import { asPlanes, writeConv, writeConvTranspose } from './windowNodes'
import { exactAfter, tilesExactly, type Windows } from './windows'

/** Smallest numbers: as padding they reach no maximum. float16 has its own. */
const LOWEST = -3.4028234663852886e38
const LOWEST_HALF = -65504

/** Taps of overlapping windows that become channels, each by its own nodes. */
const MOST_TAPS = 512

/** Errors: OnnxError where the taps of overlapping windows are too many. */
function checkKernel(kernel: readonly number[]): void {
  if (elementCount(kernel) > MOST_TAPS)
    throw new OnnxError(
      `MaxPool over windows of ${kernel.join(' × ')} cannot be differentiated: they overlap and have more than ${MOST_TAPS} positions. ` +
        'Export the model with GlobalMaxPool, or with smaller windows.',
    )
}

/** Repeats each entry of y [N, C, …] over a tile of the kernel's size. */
export function spreadTiles(build: Builder, y: string, kernel: readonly number[]): string {
  const scales = build.constant('float32', [kernel.length + 2], [1, 1, ...kernel])
  return build.node('Resize', [y, undefined, scales], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  })
}

/** Sums over tiles. */
export function sumTiles(build: Builder, x: string, kernel: readonly number[]): string {
  const mean = build.node('AveragePool', [x], { kernel_shape: kernel, strides: kernel })
  return build.mul(mean, build.scalar(elementCount(kernel), x))
}

function tileShares(build: Builder, x: string, y: string, kernel: readonly number[]): string {
  const equal = build.node('Equal', [x, spreadTiles(build, y, kernel)])
  const reached = build.cast(equal, build.typeOf(x).type)
  return build.div(reached, spreadTiles(build, sumTiles(build, reached, kernel), kernel))
}

/** [N · C, K, …output]: the taps of each window as channels. */
function tapsAsChannels(build: Builder, x: string, windows: Windows): string {
  const { input, kernel, strides, dilations, before, output } = windows
  const { type, shape } = build.typeOf(x)
  const ends = exactAfter(windows).map((value) => Math.max(0, value))
  const lowest = build.scalar(type === 'float16' ? LOWEST_HALF : LOWEST, x)
  const pads = build.integers([0, 0, ...before, 0, 0, ...ends])
  const padded = [...before, ...ends].some((pad) => pad > 0)
    ? build.node('Pad', [x, pads, lowest], { mode: 'constant' })
    : x
  const axes = input.map((_, d) => d + 2)
  const unit = stridesOf(kernel)
  const channels = Array.from({ length: elementCount(kernel) }, (_, tap) => {
    const starts = kernel.map((size, d) => (Math.floor(tap / unit[d]!) % size) * dilations[d]!)
    const stops = starts.map((start, d) => start + (output[d]! - 1) * strides[d]! + 1)
    const part = build.slice(padded, starts, stops, axes, strides)
    return build.reshape(part, [shape[0]! * shape[1]!, 1, ...output])
  })
  return build.concat(channels, 1)
}

/** Weights [K, 1, …kernel] that take tap k to channel k. */
function tapWeights(build: Builder, like: string, kernel: readonly number[]): string {
  const size = elementCount(kernel)
  const identity = new Float64Array(size * size)
  for (const place of stridedOffsets([size], [size + 1])) identity[place] = 1
  return build.constant(build.typeOf(like).type, [size, 1, ...kernel], identity)
}

/** share [N · C, K, …output]. */
function tapShares(build: Builder, x: string, y: string, windows: Windows): string {
  const equal = build.node('Equal', [tapsAsChannels(build, x, windows), asPlanes(build, y)])
  const reached = build.cast(equal, build.typeOf(x).type)
  return build.div(reached, build.reduceSum(reached, [1], true))
}

/** x̄ from ȳ. */
export function spreadMaximum(build: Builder, x: string, y: string, yBar: string, windows: Windows): string {
  const { kernel } = windows
  if (tilesExactly(windows))
    return build.mul(spreadTiles(build, yBar, kernel), tileShares(build, x, y, kernel))
  checkKernel(kernel)
  const shared = build.mul(tapShares(build, x, y, windows), asPlanes(build, yBar))
  const planes = writeConvTranspose(build, shared, tapWeights(build, x, kernel), undefined, windows, 1)
  return build.reshape(planes, build.typeOf(x).shape)
}

/** ẏ from ẋ. */
export function maximumTangent(build: Builder, x: string, y: string, dx: string, windows: Windows): string {
  const { kernel } = windows
  if (tilesExactly(windows)) return sumTiles(build, build.mul(dx, tileShares(build, x, y, kernel)), kernel)
  checkKernel(kernel)
  const taps = writeConv(build, asPlanes(build, dx), tapWeights(build, x, kernel), undefined, windows, 1)
  const shared = build.mul(tapShares(build, x, y, windows), taps)
  return build.reshape(build.reduceSum(shared, [1], true), build.typeOf(y).shape)
}
