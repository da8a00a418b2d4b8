/**
 * Channels of weight 0 for grouped convolutions that the WebGPU provider computes wrongly.
 *
 * Measured with onnxruntime-web 1.30, without an error: Conv with more than 4 outputs a group, their number no multiple of
 * 4; ConvTranspose with one output a group and several inputs. A group of [a b c d e] gets outputs [a b c d e 0 0 0], which
 * are dropped again.
 */
import type { Builder } from '../rule'

/** Outputs that each group of Conv with weights [M, C / group, …] lacks. */
export function missingInConv(build: Builder, w: string, group: number): number {
  const perGroup = build.typeOf(w).shape[0]! / group
  return group > 1 && perGroup > 4 ? (4 - (perGroup % 4)) % 4 : 0
}

/** Outputs that each group of ConvTranspose with weights [M, C / group, …] lacks; M are its inputs. */
export function missingInConvTranspose(build: Builder, w: string, group: number): number {
  const [inputs, outputs] = build.typeOf(w).shape as [number, number]
  return group > 1 && outputs === 1 && inputs > group ? 1 : 0
}

/** Weights of ConvTranspose, [M, outputs, …] → [M, outputs + missing, …]. */
export function fillTransposed(build: Builder, w: string, missing: number): string {
  const zeros = build.typeOf(w).shape.map(() => 0)
  return build.pad(w, zeros, zeros.with(1, missing))
}

/** Weights or bias of Conv, [group · outputs, …] → [group · (outputs + missing), …]. */
export function fillGroups(build: Builder, x: string, group: number, missing: number): string {
  const [channels, ...rest] = build.typeOf(x).shape as [number, ...number[]]
  const filled = fillTransposed(build, build.reshape(x, [group, channels / group, ...rest]), missing)
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
