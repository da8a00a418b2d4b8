/**
 * Draws samples by a plan, unconditionally or given observations: one kernel runs a range of steps for a
 * range of samples. Kernels: shaders/embedding_table.wgsl, shaders/sample.wgsl; twin: src/diffusion/cpuBackend.ts.
 */
import embeddingTableSource from '../../../shaders/embedding_table.wgsl?raw'
import sampleSource from '../../../shaders/sample.wgsl?raw'
import denoiserSource from '../../../shaders/shared/denoiser.wgsl?raw'
import networkSource from '../../../shaders/shared/network.wgsl?raw'
import posteriorSource from '../../../shaders/shared/posterior.wgsl?raw'
import priorSource from '../../../shaders/shared/prior.wgsl?raw'
import randomSource from '../../../shaders/shared/random.wgsl?raw'
import sincosSource from '../../../shaders/shared/sincos.wgsl?raw'
import solversSource from '../../../shaders/shared/solvers.wgsl?raw'
import spectrumSource from '../../../shaders/shared/spectrum.wgsl?raw'
import type {
  CovarianceName,
  NetworkShape,
  Plan,
  PosteriorOptions,
  SafeguardName,
  SolverName,
} from '../../diffusion/types'
import { isProjected, LEAST_SHARE } from '../../diffusion/posterior/mmps'
import { heuristicCovariances } from '../../linalg/covariances'
import { type BufferScope, type UniformWord, dispatchSize } from '../buffers'
import { type ComputeKernel, composeShader, createComputeKernel } from '../compile'
import { chooseTile, networkConstants } from '../tile'

/** Most steps in one slice: the room of its table of embeddings. */
export const maximumSliceSteps = 1024

/** What a posterior kernel is compiled for. */
export interface PosteriorKernelOptions {
  /** Rows m of each A_i, 1 to 8. */
  readonly observed: number
  readonly covariance: CovarianceName
  readonly solver: SolverName
  readonly safeguard: SafeguardName
}

export interface SampleBuffers {
  /** Packed by `packWeights`. */
  readonly weights: GPUBuffer
  /** `embeddingFrequencies` in float32, [embedding / 2]. */
  readonly frequencies: GPUBuffer
  /** Packed by `packPlan`. */
  readonly plan: GPUBuffer
  /** x, [count, features], read and written. */
  readonly state: GPUBuffer
  readonly observations?: {
    /** [count, observed, features]. */
    readonly A: GPUBuffer
    /** [count, observed]. */
    readonly y: GPUBuffer
    /** Packed by `packCovariances`; needed by the covariance `gaussian` only. */
    readonly covariances?: GPUBuffer
  }
}

/** What stays the same through a job. */
export interface SampleSettings {
  readonly seed: number
  readonly stream: number
  /** Start: x_1 ~ N(mean, startSigma² I), mean [features]. */
  readonly mean: ArrayLike<number>
  readonly startSigma: number
  /** Index of the sample at element 0 of `state`, A and y (0 by default); random numbers go by absolute index. */
  readonly origin?: number
  readonly sigmaY?: number
  /** Iterations of the iterative solvers, taken as they are. */
  readonly solverIterations?: number
  /** All samples have the observation at element 0 of A and y. */
  readonly sharedObservation?: boolean
}

/** Plan steps first … last - 1 for samples begin … end - 1 (absolute indices). */
export interface SampleSlice {
  readonly begin: number
  readonly end: number
  readonly first: number
  readonly last: number
  /** Draw x from the start distribution before the first step, instead of reading `state`. */
  readonly start: boolean
}

/** A job's kernels with its buffers bound. */
export interface BoundSampler {
  /**
   * Encodes two dispatches. The slice is written to a uniform buffer at once, so each slice needs its own submit,
   * before the next `encode`. Error: RangeError for more than `maximumSliceSteps` steps.
   */
  encode(pass: GPUComputePassEncoder, slice: SampleSlice): void
}

const methods: Record<SolverName, number> = { exact: 0, cg: 1, gmres: 2, bicgstab: 3 }
const covariances: Record<CovarianceName, number> = {
  tweedie: 0,
  zero: 1,
  identity: 1,
  pigdm: 1,
  gaussian: 2,
}

/** The plan for the kernel, [steps, 8]: sigma, a, b, c, log sigma, v of V = v I, 0, 0. */
export function packPlan(plan: Plan, covariance: CovarianceName = 'tweedie'): Float32Array<ArrayBuffer> {
  const variance =
    covariances[covariance] === 1 ? heuristicCovariances[covariance as 'identity'](1) : undefined
  const packed = new Float32Array(plan.length * 8)
  plan.forEach(({ sigma, a, b, c }, i) => {
    packed.set([sigma, a, b, c, Math.log(sigma), variance?.(sigma)[0] ?? 0], i * 8)
  })
  return packed
}

/** V = (I/sigma² + Sigma_x⁻¹)⁻¹ of each step, [steps, features, features]. */
export function packCovariances(plan: Plan, features: number, covX: Float64Array): Float32Array<ArrayBuffer> {
  const at = heuristicCovariances.gaussian(features, covX)
  const packed = new Float32Array(plan.length * features * features)
  plan.forEach(({ sigma }, i) => packed.set(at(sigma), i * features * features))
  return packed
}

/** What of the observations and the posterior decides the code. */
export function posteriorKernelOptions(observed: number, options: PosteriorOptions): PosteriorKernelOptions {
  const { covariance, solver, safeguard } = options
  return { observed, covariance, solver, safeguard }
}

export class SampleKernel {
  private constructor(
    private readonly table: ComputeKernel,
    private readonly kernel: ComputeKernel,
    private readonly shape: NetworkShape,
    private readonly conditional: boolean,
    /** Samples a workgroup owns: slices of a multiple of it waste nothing. */
    readonly tileSamples: number,
  ) {}

  /** Without `posterior`: samples of the prior. Errors: RangeError, DeviceLimitError (see `chooseTile`). */
  static async create(
    device: GPUDevice,
    shape: NetworkShape,
    posterior?: PosteriorKernelOptions,
  ): Promise<SampleKernel> {
    const tile = chooseTile(shape, device.limits)
    const constants = networkConstants(shape, tile)
    const shared = [sincosSource, randomSource, networkSource, denoiserSource]
    if (posterior && (posterior.observed < 1 || posterior.observed > 8)) {
      throw new RangeError(`The GPU sampler takes 1 to 8 observed rows, not ${posterior.observed}.`)
    }
    const code = posterior
      ? composeShader(
          {
            ...constants,
            OBSERVED: posterior.observed,
            SIZE: posterior.observed,
            ORDER: shape.features,
            COVARIANCE: covariances[posterior.covariance],
            METHOD: methods[posterior.solver],
            PROJECT: isProjected(posterior),
            LEAST_SHARE,
          },
          [...shared, solversSource, spectrumSource, posteriorSource, sampleSource],
        )
      : composeShader(constants, [...shared, priorSource, sampleSource])
    const { features, embedding, hidden } = shape
    const tableCode = composeShader(
      { FEATURES: features, EMBEDDING: embedding, INPUTS: features + embedding, HIDDEN: hidden },
      [sincosSource, embeddingTableSource],
    )
    const [kernel, table] = await Promise.all([
      createComputeKernel(device, { label: 'sample', code, entryPoint: 'sample_plan' }),
      createComputeKernel(device, {
        label: 'embedding table',
        code: tableCode,
        entryPoint: 'embedding_table',
      }),
    ])
    return new SampleKernel(table, kernel, shape, posterior !== undefined, tile.samples)
  }

  /** Binds a job's buffers. Error: RangeError where observations are missing or not expected. */
  bind(scope: BufferScope, buffers: SampleBuffers, settings: SampleSettings): BoundSampler {
    const { weights, frequencies, plan, state, observations } = buffers
    if ((observations !== undefined) !== this.conditional) {
      throw new RangeError(`This sampler was compiled ${this.conditional ? 'for' : 'without'} observations.`)
    }
    const steps = Math.min(maximumSliceSteps, plan.size / 32)
    const columns = this.shape.hidden / 4
    const embeddings = scope.storage('embedding table', steps * this.shape.hidden * 4)
    const tableParameters = scope.uniform('embedding table parameters', [0, 0])
    const parameters = scope.uniform('sample parameters', parameterWords(settings))
    const tableGroup = this.table.bind([tableParameters, weights, frequencies, plan, embeddings])
    const resources = [parameters, weights, plan, embeddings, state]
    // a kernel that reads no covariances still has their binding; the plan stands in
    if (observations) resources.push(observations.A, observations.y, observations.covariances ?? plan)
    const group = this.kernel.bind(resources)
    return {
      encode: (pass, slice) => {
        const count = slice.last - slice.first
        if (count < 1 || count > steps) {
          throw new RangeError(`A slice takes 1 to ${steps} steps, not ${count}.`)
        }
        scope.setUniform(tableParameters, [slice.first, count])
        scope.setUniform(parameters, parameterWords(settings, slice))
        pass.setPipeline(this.table.pipeline)
        pass.setBindGroup(0, tableGroup)
        pass.dispatchWorkgroups(...dispatchSize(Math.ceil((count * columns) / 64)))
        pass.setPipeline(this.kernel.pipeline)
        pass.setBindGroup(0, group)
        pass.dispatchWorkgroups(...dispatchSize(Math.ceil((slice.end - slice.begin) / this.tileSamples)))
        scope.counters.dispatches += 2
      },
    }
  }
}

/** The kernel's uniform block. */
function parameterWords(settings: SampleSettings, slice?: SampleSlice): UniformWord[] {
  const { seed, stream, mean, startSigma, origin = 0, sigmaY = 0 } = settings
  return [
    slice?.begin ?? 0,
    slice?.end ?? 0,
    slice?.first ?? 0,
    slice?.last ?? 0,
    seed,
    stream,
    origin,
    slice?.start ? 1 : 0,
    settings.solverIterations ?? 0,
    settings.sharedObservation ? 1 : 0,
    { f32: sigmaY },
    { f32: startSigma },
    ...Array.from({ length: 8 }, (_, i) => ({ f32: mean[i] ?? 0 })),
  ]
}
