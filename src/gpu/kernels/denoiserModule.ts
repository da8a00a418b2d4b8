/**
 * What a prior brings to the sampler's kernel: the shader module that denoises, and its buffers.
 */
import type { NetworkShape, Prior } from '../../diffusion/types'
import type { BufferScope } from '../buffers'
import type { ShaderConstant } from '../compile'

/** What of a prior decides the code. */
export type PriorShape =
  | { readonly kind: 'mlp'; readonly network: NetworkShape }
  | { readonly kind: 'mixture'; readonly features: number }

export function priorShape(prior: Prior): PriorShape {
  if (prior.kind === 'mlp') return { kind: 'mlp', network: prior.network }
  return { kind: 'mixture', features: prior.mixture.features }
}

export interface DenoiserModule {
  readonly features: number
  /** Samples a workgroup owns: slices of a multiple of it waste nothing. */
  readonly tileSamples: number
  /** FEATURES, TILE and THREADS among them. */
  readonly constants: Readonly<Record<string, ShaderConstant>>
  /** Shader modules, in order, after sincos and random. */
  readonly sources: readonly string[]
  /**
   * Uploads a prior of the kind and sizes that the module was made for. `plan` is packed by `packPlan`. Error: RangeError
   * for a prior of the other kind.
   */
  bind(scope: BufferScope, prior: Prior, plan: GPUBuffer): BoundDenoiser
}

/** A denoiser module with a job's buffers. */
export interface BoundDenoiser {
  /** Bindings 1 and 3 of the sampler. */
  readonly resources: readonly [GPUBuffer, GPUBuffer]
  /** Most plan steps in one slice. */
  readonly steps: number
  /** Encodes what `count` plan steps from `first` on need before the sampler. */
  encode?(pass: GPUComputePassEncoder, first: number, count: number): void
}
