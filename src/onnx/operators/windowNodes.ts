/**
 * Nodes for sums over windows: convolution, its adjoint, and its gradient with respect to the weights.
 *
 *   y[n, m, o] = Σ_{c, k} w[m, c, k] x[n, c, o·stride + k·dilation - before]        Conv
 *   x̄[n, c, i] = Σ_{m, o, k : o·stride + k·dilation - before = i} w[m, c, k] ȳ[n, m, o]   ConvTranspose, same weights
 *   w̄[m, c, k] = Σ_{n, o} ȳ[n, m, o] x[n, c, o·stride + k·dilation - before]        Conv over x with ȳ as weights
 *
 * In the last one batch and channels, and stride and dilation, have changed places. Padding is always explicit: the
 * WebGPU provider takes `auto_pad` wrongly with strides (onnxruntime #26734).
 */
import type { Builder } from '../rule'
import {
  dropFilled,
  fillChannels,
  fillGroups,
  missingInConv,
  missingInConvTranspose,
  missingInputs,
} from './groups'
import { elementCount } from '../tensor'
import { exactAfter, type Windows, withFittingPads } from './windows'

function attributesOf(windows: Windows, after: readonly number[], group: number) {
  const { kernel, strides, dilations, before } = windows
  return { kernel_shape: kernel, strides, dilations, pads: [...before, ...after], group }
}

/** Planes as images of one channel, [N · C, 1, …]. */
export function asPlanes(build: Builder, x: string): string {
  const [batch, channels, ...spatial] = build.typeOf(x).shape as [number, number, ...number[]]
  return build.reshape(x, [batch * channels, 1, ...spatial])
}

/** The first `sizes` positions of the spatial dimensions. */
function cropSpatial(build: Builder, x: string, sizes: readonly number[]): string {
  const shape = build.typeOf(x).shape
  const axes = sizes.flatMap((size, d) => (size < shape[d + 2]! ? [d + 2] : []))
  if (axes.length === 0) return x
  return build.slice(
    x,
    axes.map(() => 0),
    axes.map((axis) => sizes[axis - 2]!),
    axes,
  )
}

/** x [N, C, …input], w [M, C / group, …kernel], bias [M] → [N, M, …output]. */
export function writeConv(
  build: Builder,
  x: string,
  w: string,
  bias: string | undefined,
  windows: Windows,
  group: number,
): string {
  const attributes = attributesOf(windows, withFittingPads(windows).after, group)
  const missing = missingInConv(build, w, group)
  const fill = (tensor: string) => (missing > 0 ? fillGroups(build, tensor, group, missing) : tensor)
  const [outputs, inputs] = build.typeOf(w).shape as [number, number]
  const unread = missingInputs(inputs, outputs, elementCount(windows.kernel), group)
  const widen = (tensor: string) => (unread > 0 ? fillChannels(build, tensor, unread) : tensor)
  const y = build.node('Conv', [widen(x), fill(widen(w)), bias && fill(bias)], attributes)
  return cropSpatial(build, missing > 0 ? dropFilled(build, y, group, missing) : y, windows.output)
}

/**
 * The adjoint of Conv without bias, plus `bias` [C]: y [N, M, …output], w [M, C / group, …kernel] → [N, C, …input].
 */
export function writeConvTranspose(
  build: Builder,
  y: string,
  w: string,
  bias: string | undefined,
  windows: Windows,
  group: number,
): string {
  const exact = exactAfter(windows)
  // Windows may stop before the end of the input, or reach beyond its padding (`ceil_mode`).
  const unread = windows.after.map((value, d) => Math.max(0, value - exact[d]!))
  // ONNX Runtime wants less output padding than the stride; padding after the input cancels it.
  const cancelled = unread.map((value, d) =>
    value < windows.strides[d]! ? 0 : Math.min(value, windows.after[d]!),
  )
  const outputPadding = unread.map((value, d) => value - cancelled[d]!)
  const after = windows.after.map((value, d) => Math.max(value, exact[d]!) - cancelled[d]!)
  const attributes = { ...attributesOf(windows, after, group), output_padding: outputPadding }
  const missing = missingInConvTranspose(build, w, group)
  if (missing === 0) return build.node('ConvTranspose', [y, w, bias], attributes)
  const inputs = [y, fillChannels(build, w, missing), bias && fillGroups(build, bias, group, missing)]
  return dropFilled(build, build.node('ConvTranspose', inputs, attributes), group, missing)
}

/** x [N, C, …input], ȳ [N, M, …output] → w̄ [M, C / group, …kernel]. */
export function writeWeightGradient(
  build: Builder,
  x: string,
  yBar: string,
  windows: Windows,
  group: number,
): string {
  const { input, kernel, strides, dilations, before, after, output } = windows
  const [batch, channels] = build.typeOf(x).shape as [number, number]
  const spatial = input.map((_, d) => d)
  const swap = [1, 0, ...spatial.map((d) => d + 2)]
  // Groups stay groups: channels within a group become the batch, [C / group, group · N, …input].
  const grouped = build.reshape(x, [batch, group, channels / group, ...input])
  const images =
    group === 1
      ? build.transpose(x, swap)
      : build.reshape(build.transpose(grouped, [2, 1, 0, ...spatial.map((d) => d + 3)]), [
          channels / group,
          group * batch,
          ...input,
        ])
  const turned: Windows = {
    input,
    kernel: output,
    strides: dilations,
    dilations: strides,
    before,
    after,
    output: kernel,
  }
  const gradient = writeConv(build, images, build.transpose(yBar, swap), undefined, turned, group)
  return build.transpose(gradient, swap)
}
