/**
 * What an implementation that is measured offers: this project (peers/ours.ts) and the peers, in Node and in the browser.
 */
import type { Inputs } from './cases'

export type CaseName = 'forward' | 'training' | 'mmps-cg' | 'mmps-exact'

/** Steps after which `training` is compared: the batches 0 … CHECKED_STEPS - 1 of `drawnBatch`. */
export const CHECKED_STEPS = 3

/**
 * A case ready to run: inputs on the device; what is not compiled yet is with the first `run`.
 */
export interface Bound {
  /**
   * Does the work `repetitions` times, one after the other as an application would (training goes on from its last
   * weights), and resolves when the device has finished all of it. Reads nothing back, or what waiting for the device needs.
   */
  run(repetitions: number): Promise<void>
  /**
   * From the initial inputs, for the comparison of all implementations: `forward` d [batch, features]; `training` the losses
   * of CHECKED_STEPS steps, then the weights after them (canonical order); `mmps-*` the new x [batch, features].
   */
  result(): Promise<Float32Array>
  dispose(): void
}

export interface Peer {
  /** With its version, for example "TensorFlow.js 4.22.0". */
  readonly name: string
  /** Adapter it computes on, as `adapterName` of src/gpu/device.ts gives it. */
  readonly adapter: string
  /** Errors: what the implementation throws where it cannot hold the batch; the table then says so. */
  bind(name: CaseName, inputs: Inputs): Promise<Bound>
  destroy(): void
}

/** Opens a peer on `gpu` (`navigator.gpu`, or Dawn's in Node with WebGPU's globals and `navigator.gpu` defined). */
export type OpenPeer = (gpu: GPU) => Promise<Peer>

/** What `result` gives for `training`. */
export function trainingResult(losses: ArrayLike<number>, weights: ArrayLike<number>): Float32Array {
  const result = new Float32Array(losses.length + weights.length)
  result.set(losses)
  result.set(weights, losses.length)
  return result
}
