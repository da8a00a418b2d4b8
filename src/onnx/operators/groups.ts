/**
 * Channels of weight 0 for convolutions that the WebGPU provider computes wrongly.
 *
 * Measured with onnxruntime-web 1.30, without an error: grouped Conv with more than 4 outputs a group, their number no multiple
 * of 4; grouped ConvTranspose with one output a group and several inputs. A group of [a b c d e] gets outputs [a b c d e 0 0 0],
 * which are dropped again. Conv of one group, with more than one tap, reads its inputs three by three where their number is a
 * multiple of 3 and not of 4 and that of its outputs is one of 4, and then is right for 3 inputs only (onnxruntime #29651):
 * 6 inputs become 8.
 */
import type { Builder } from '../rule'

/** Outputs that each group of Conv with weights [M, C / group, …] lacks. */
export function missingInConv(build: Builder, w: string, group: number): number {
  const perGroup = build.typeOf(w).shape[0]! / group
  return group > 1 && perGroup > 4 ? (4 - (perGroup % 4)) % 4 : 0
}

/** Inputs that Conv from `inputs` to `outputs` channels lacks, with kernels of so many taps. */
export function missingInputs(inputs: number, outputs: number, taps: number, group: number): number {
  const byThree = inputs > 3 && inputs % 3 === 0 && inputs % 4 !== 0 && outputs % 4 === 0
  return group === 1 && taps > 1 && byThree ? 4 - (inputs % 4) : 0
}

/** Outputs that each group of ConvTranspose with weights [M, C / group, …] lacks; M are its inputs. */
export function missingInConvTranspose(build: Builder, w: string, group: number): number {
  const [inputs, outputs] = build.typeOf(w).shape as [number, number]
  return group > 1 && outputs === 1 && inputs > group ? 1 : 0
}

/** Dimension 1 longer by zeros: inputs of Conv and their weights, outputs in weights of ConvTranspose. */
export function fillChannels(build: Builder, x: string, missing: number): string {
  const zeros = build.typeOf(x).shape.map(() => 0)
  return build.pad(x, zeros, zeros.with(1, missing))
}

/** Weights or bias of Conv, [group · outputs, …] → [group · (outputs + missing), …]. */
export function fillGroups(build: Builder, x: string, group: number, missing: number): string {
  const [channels, ...rest] = build.typeOf(x).shape as [number, ...number[]]
  const filled = fillChannels(build, build.reshape(x, [group, channels / group, ...rest]), missing)
  return build.reshape(filled, [channels + group * missing, ...rest])
}

/** y [N, group · (outputs + missing), …] → [N, group · outputs, …]. */
export function dropFilled(build: Builder, y: string, group: number, missing: number): string {
  const [batch, channels, ...spatial] = build.typeOf(y).shape as [number, number, ...number[]]
  const filled = channels / group
  const groups = build.reshape(y, [batch, group, filled, ...spatial])
  const kept = build.slice(groups, [0], [filled - missing], [2])
  return build.reshape(kept, [batch, channels - group * missing, ...spatial])
}
