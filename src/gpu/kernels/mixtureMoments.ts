/**
 * Exact moments at noisy points under a mixture, or the likelihoods of one observation there.
 * Kernel: shaders/mixture_moments.wgsl; twin: src/diffusion/mixture.ts.
 */
import mixtureMomentsSource from '../../../shaders/mixture_moments.wgsl?raw'
import logNormalSource from '../../../shaders/shared/log_normal.wgsl?raw'
import mixtureSource from '../../../shaders/shared/mixture.wgsl?raw'
import observedSystemSource from '../../../shaders/shared/observed_system.wgsl?raw'
import solversSource from '../../../shaders/shared/solvers.wgsl?raw'
import type { LogLikelihoods } from '../../diffusion/backend'
import type { Observations } from '../../diffusion/types'
import { multiply, symmetricEigen } from '../../math/matrix'
import type { BufferScope, UniformWord } from '../buffers'
import { type ComputeKernel, composeShader, createComputeKernel } from '../compile'
import { dispatch } from '../dispatch'

/** The likelihoods in the order of the kernel's results. */
export const likelihoodNames = [
  'exact',
  'tweedie',
  'zero',
  'identity',
  'pigdm',
  'gaussian',
  'tmpd',
] as const satisfies readonly (keyof LogLikelihoods)[]

/** The kernel's log of zero; `readLikelihood` makes it -Infinity. */
const impossible = Math.fround(-3.4e38)

/** What a kernel computes at each point. */
export type MixtureQuantity = 'moments' | 'log_likelihoods'

/** Numbers that the kernel writes for each point. */
export function resultWidth(quantity: MixtureQuantity, features: number): number {
  return quantity === 'moments' ? features * (3 + features) : likelihoodNames.length
}

export interface MixtureMomentsBuffers {
  /** mu, [components, features]. */
  readonly means: GPUBuffer
  /** x_t, [count, features]. */
  readonly points: GPUBuffer
  /** [count]. */
  readonly sigma: GPUBuffer
  /** Packed by `packObservation`. */
  readonly observation: GPUBuffer
  /**
   * Written, [count × resultWidth]: mean, score, mmpsScore [count, features] and covariance [count, features, features],
   * or the likelihoods, [count] each.
   */
  readonly results: GPUBuffer
}

export interface MixtureMomentsSettings {
  readonly count: number
  readonly components: number
  readonly thickness: number
  readonly sigmaY: number
}

/** One observation and Sigma_x = U diag(λ) Uᵀ for the kernel: A, y, A U, λ. */
export function packObservation(
  { A, y, observed, features }: Observations,
  covX: Float64Array,
): Float32Array<ArrayBuffer> {
  const { values, vectors } = symmetricEigen(covX, features)
  const rotated = multiply(Float64Array.from(A), vectors, observed, features, features)
  return Float32Array.from([...A, ...y, ...rotated, ...values.map((value) => Math.max(value, 0))])
}

/** log p as numbers mean it, from the kernel's values. */
export function readLikelihood(values: Float32Array): Float32Array {
  return values.map((value) => (value <= impossible ? -Infinity : value))
}

export class MixtureMomentsKernel {
  private constructor(private readonly kernel: ComputeKernel) {}

  /** `observed`: rows of A, 1 to 8. */
  static async create(
    device: GPUDevice,
    features: number,
    observed: number,
    quantity: MixtureQuantity,
  ): Promise<MixtureMomentsKernel> {
    const code = composeShader({ FEATURES: features, SIZE: observed }, [
      solversSource,
      logNormalSource,
      mixtureSource,
      observedSystemSource,
      mixtureMomentsSource,
    ])
    const label = `mixture ${quantity}`
    return new MixtureMomentsKernel(await createComputeKernel(device, { label, code, entryPoint: quantity }))
  }

  /**
   * Binds a job's buffers. Each `encode` writes its points begin … end - 1 to a uniform buffer at once, so it needs its
   * own submit before the next one.
   */
  bind(scope: BufferScope, buffers: MixtureMomentsBuffers, settings: MixtureMomentsSettings) {
    const { count, components, thickness, sigmaY } = settings
    const words = (begin: number, end: number): UniformWord[] => [
      count,
      begin,
      end,
      components,
      { f32: thickness },
      { f32: sigmaY },
    ]
    const parameters = scope.uniform('mixture parameters', words(0, 0))
    const { means, points, sigma, observation, results } = buffers
    const group = this.kernel.bind([parameters, means, points, sigma, observation, results])
    return {
      encode: (pass: GPUComputePassEncoder, begin: number, end: number): void => {
        scope.setUniform(parameters, words(begin, end))
        dispatch(pass, scope, this.kernel, group, Math.ceil((end - begin) / 64))
      },
    }
  }
}
