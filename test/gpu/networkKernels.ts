/**
 * The network kernels as functions from arrays to arrays, for tests.
 */
import type { TrainRequest } from '../../src/diffusion/backend'
import { embeddingFrequencies, parameterCount } from '../../src/diffusion/mlp'
import type { NetworkShape, Plan, PosteriorOptions } from '../../src/diffusion/types'
import type { BufferScope } from '../../src/gpu/buffers'
import { DenoiserForwardKernel } from '../../src/gpu/kernels/denoiserForward'
import { DenoiserDerivativeKernel } from '../../src/gpu/kernels/denoiserDerivative'
import { DenoisingLossKernel } from '../../src/gpu/kernels/denoisingLoss'
import { packCovariances, packPlan, posteriorKernelOptions } from '../../src/gpu/kernels/posteriorPlan'
import { type SampleSettings, type SampleSlice, SampleKernel } from '../../src/gpu/kernels/sample'
import { gpuLayout, packWeights, unpackWeights } from '../../src/gpu/network'

export interface Network {
  readonly shape: NetworkShape
  /** Canonical. */
  readonly weights: ArrayLike<number>
}

export class NetworkKernels {
  constructor(
    private readonly scope: BufferScope,
    readonly network: Network,
  ) {}

  /** d(x_t, sigma), [count, features]. */
  async denoise(xT: ArrayLike<number>, sigma: ArrayLike<number>): Promise<Float32Array> {
    const kernel = await DenoiserForwardKernel.create(this.scope.device, this.network.shape)
    const buffers = this.denoiserBuffers(xT, sigma)
    this.submit(kernel.bind(this.scope, buffers, sigma.length))
    return this.floats(buffers.denoised, xT.length)
  }

  /** d(x_t, sigma) and Jᵀ v of vectors [count, directions, features]. */
  vjp(xT: ArrayLike<number>, sigma: ArrayLike<number>, vectors: ArrayLike<number>) {
    return this.products('vjp', xT, sigma, vectors)
  }

  /** d(x_t, sigma) and J u of vectors [count, directions, features]. */
  jvp(xT: ArrayLike<number>, sigma: ArrayLike<number>, vectors: ArrayLike<number>) {
    return this.products('jvp', xT, sigma, vectors)
  }

  private async products(
    product: 'vjp' | 'jvp',
    xT: ArrayLike<number>,
    sigma: ArrayLike<number>,
    values: ArrayLike<number>,
  ) {
    const kernel = await DenoiserDerivativeKernel.create(this.scope.device, this.network.shape, product)
    const vectors = this.upload('vectors', values)
    const products = this.scope.storage('products', values.length * 4)
    const buffers = { ...this.denoiserBuffers(xT, sigma), vectors, products }
    const directions = values.length / xT.length
    this.submit(kernel.bind(this.scope, buffers, sigma.length, directions))
    return {
      denoised: await this.floats(buffers.denoised, xT.length),
      products: await this.floats(products, values.length),
    }
  }

  /** Runs slices of a plan, each in its own submit, from the given x or (where a slice starts) from noise. */
  async sample(
    plan: Plan,
    x: ArrayLike<number>,
    slices: readonly SampleSlice[],
    settings: Partial<SampleSettings> = {},
    posterior?: PosteriorOptions & {
      readonly observed: number
      readonly A: ArrayLike<number>
      readonly y: ArrayLike<number>
    },
  ): Promise<Float32Array> {
    const { shape: network, weights } = this.network
    const prior = { kind: 'mlp', network, weights: Float32Array.from(weights) } as const
    const options = posterior && posteriorKernelOptions(posterior.observed, posterior)
    const kernel = await SampleKernel.create(this.scope.device, prior, options)
    const covariances = posterior && packCovariances(plan, network.features, posterior)
    const state = this.upload('state', x)
    const buffers = {
      plan: this.scope.upload('plan', packPlan(plan, posterior)),
      state,
      observations: posterior && {
        A: this.upload('A', posterior.A),
        y: this.upload('y', posterior.y),
        covariances: covariances && this.upload('covariances', covariances),
      },
    }
    const bound = kernel.bind(this.scope, prior, buffers, {
      count: x.length / network.features,
      seed: 0,
      stream: 0,
      mean: [],
      startSigma: 1,
      solverIterations: posterior?.solverIterations,
      ...settings,
    })
    for (const slice of slices) this.submit((pass) => bound.encode(pass, slice))
    return this.floats(state, x.length)
  }

  /**
   * Loss and its gradient (canonical) of a batch: drawn at step k of `request`, or given. The gradient is summed
   * here, in float64, from the activations and deltas that the kernel leaves.
   */
  async loss(
    request: Pick<TrainRequest, 'samples' | 'batch' | 'sigmaMin' | 'sigmaMax' | 'time' | 'seed' | 'stream'>,
    source: { readonly step: number } | { readonly z: ArrayLike<number>; readonly t: ArrayLike<number> },
    chunkSize = request.batch,
  ): Promise<{ loss: number; gradient: Float64Array }> {
    const { scope } = this
    const { shape } = this.network
    const { features } = shape
    const layout = gpuLayout(shape)
    const kernel = await DenoisingLossKernel.create(scope.device, shape, !('step' in source))
    const capacity = chunkSize + 1 // room to spare must not matter
    const buffers = {
      ...this.networkBuffers(),
      samples: scope.upload('samples', request.samples),
      batch:
        'step' in source
          ? scope.upload('state', Uint32Array.of(source.step, 0))
          : scope.upload('given', rows(source.z, source.t, features)),
      activations: scope.storage('activations', capacity * layout.activationStride * 4),
      deltas: scope.storage('deltas', capacity * layout.deltaStride * 4),
      losses: scope.storage('losses', kernel.lossCount(request.batch) * 4),
    }
    const settings = { ...request, sampleCount: request.samples.length / features, capacity }
    const gradient = new Float64Array(parameterCount(shape))
    for (let begin = 0; begin < request.batch; begin += chunkSize) {
      const count = Math.min(chunkSize, request.batch - begin)
      const bound = kernel.bind(scope, buffers, settings, { begin, count })
      this.submit((pass) => bound.encode(pass))
      const activations = await this.floats(buffers.activations, capacity * layout.activationStride)
      const deltas = await this.floats(buffers.deltas, capacity * layout.deltaStride)
      const packed = new Float64Array(layout.parameterCount)
      for (const layer of layout.layers) {
        for (let b = 0; b < count; b++) {
          const h = capacity * layer.activationOffset + b * layer.inputStride
          const d = capacity * layer.deltaOffset + b * layer.outputStride
          for (let k = 0; k <= layer.inputs; k++) {
            for (let j = 0; j < layer.outputStride; j++) {
              packed[layer.parameterOffset + k * layer.outputStride + j]! +=
                activations[h + k]! * deltas[d + j]!
            }
          }
        }
      }
      unpackWeights(shape, packed).forEach((value, i) => (gradient[i]! += value))
    }
    const losses = await this.floats(buffers.losses, kernel.lossCount(request.batch))
    return { loss: losses.reduce((sum, value) => sum + value, 0), gradient }
  }

  private networkBuffers() {
    const { shape, weights } = this.network
    return {
      weights: this.scope.upload('weights', packWeights(shape, weights)),
      frequencies: this.upload('frequencies', embeddingFrequencies(shape.embedding)),
    }
  }

  private denoiserBuffers(xT: ArrayLike<number>, sigma: ArrayLike<number>) {
    return {
      ...this.networkBuffers(),
      xT: this.upload('x_t', xT),
      sigma: this.upload('sigma', sigma),
      denoised: this.scope.storage('denoised', xT.length * 4),
    }
  }

  private upload(label: string, values: ArrayLike<number>): GPUBuffer {
    return this.scope.upload(label, Float32Array.from(values))
  }

  private submit(encode: (pass: GPUComputePassEncoder) => void): void {
    const encoder = this.scope.device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    encode(pass)
    pass.end()
    this.scope.submit(encoder)
  }

  private async floats(buffer: GPUBuffer, length: number): Promise<Float32Array> {
    return new Float32Array(await this.scope.read(buffer, length * 4))
  }
}

/** Rows [z, t] of a given batch. */
function rows(z: ArrayLike<number>, t: ArrayLike<number>, features: number): Float32Array {
  const given = new Float32Array(t.length * (features + 1))
  for (let b = 0; b < t.length; b++) {
    for (let i = 0; i < features; i++) given[b * (features + 1) + i] = z[b * features + i]!
    given[b * (features + 1) + features] = t[b]!
  }
  return given
}
