/**
 * Draws samples by a plan, unconditionally or given observations: one kernel runs a range of steps for a
 * range of samples, with the denoiser that the prior brings. Kernel: shaders/sample.wgsl; twin: src/diffusion/cpuSampling.ts.
 */
import sampleSource from '../../../shaders/sample.wgsl?raw'
import posteriorSource from '../../../shaders/shared/posterior.wgsl?raw'
import priorSource from '../../../shaders/shared/prior.wgsl?raw'
import chosenSolverSource from '../../../shaders/shared/chosen_solver.wgsl?raw'
import drawsSource from '../../../shaders/shared/draws.wgsl?raw'
import randomSource from '../../../shaders/shared/random.wgsl?raw'
import sincosSource from '../../../shaders/shared/sincos.wgsl?raw'
import solversSource from '../../../shaders/shared/solvers.wgsl?raw'
import spectrumSource from '../../../shaders/shared/spectrum.wgsl?raw'
import { LEAST_SHARE } from '../../diffusion/posterior/mmps'
import type { Prior } from '../../diffusion/types'
import type { BufferScope, UniformWord } from '../buffers'
import { type ComputeKernel, type ShaderConstant, composeShader, createComputeKernel } from '../compile'
import { dispatch } from '../dispatch'
import type { DenoiserModule, PriorShape } from './denoiserModule'
import { mixtureDenoiser } from './mixtureDenoiser'
import { networkDenoiser } from './networkDenoiser'
import type { PosteriorKernelOptions } from './posteriorPlan'

export interface SampleBuffers {
  /** Packed by `packPlan`. */
  readonly plan: GPUBuffer
  /** x, then the frames that the plan marks, [1 + frames, count, features]; read and written. */
  readonly state: GPUBuffer
  readonly observations?: {
    /** [count, observed, features]. */
    readonly A: GPUBuffer
    /** [count, observed]. */
    readonly y: GPUBuffer
    /** Packed by `packCovariances`, where that gives anything. */
    readonly covariances?: GPUBuffer
  }
}

/** What stays the same through a job. */
export interface SampleSettings {
  /** Samples in `state`: the distance between frames. */
  readonly count: number
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
  /** Most steps in one slice. */
  readonly steps: number
  /**
   * Encodes one dispatch, two for a network. The slice is written to a uniform buffer at once, so each slice needs its own
   * submit, before the next `encode`. Error: RangeError for more than `steps` steps.
   */
  encode(pass: GPUComputePassEncoder, slice: SampleSlice): void
}

export class SampleKernel {
  private constructor(
    private readonly denoiser: DenoiserModule,
    private readonly kernel: ComputeKernel,
    private readonly conditional: boolean,
  ) {}

  /** Without `posterior`: samples of the prior. Errors: RangeError, DeviceLimitError (see `chooseTile`). */
  static async create(
    device: GPUDevice,
    prior: PriorShape,
    posterior?: PosteriorKernelOptions,
  ): Promise<SampleKernel> {
    if (posterior && (posterior.OBSERVED < 1 || posterior.OBSERVED > 8)) {
      throw new RangeError(`The GPU sampler takes 1 to 8 observed rows, not ${posterior.OBSERVED}.`)
    }
    const denoiser =
      prior.kind === 'mlp' ? await networkDenoiser(device, prior.network) : mixtureDenoiser(prior.features)
    const { features, constants, sources } = denoiser
    const shared = [sincosSource, randomSource, drawsSource, ...sources]
    const posteriorConstants: Record<string, ShaderConstant> = {
      ...posterior,
      SIZE: posterior?.OBSERVED ?? 0,
      ORDER: features,
      LEAST_SHARE,
    }
    const code = posterior
      ? composeShader({ ...constants, ...posteriorConstants }, [
          ...shared,
          solversSource,
          chosenSolverSource,
          spectrumSource,
          posteriorSource,
          sampleSource,
        ])
      : composeShader(constants, [...shared, priorSource, sampleSource])
    const kernel = await createComputeKernel(device, { label: 'sample', code, entryPoint: 'sample_plan' })
    return new SampleKernel(denoiser, kernel, posterior !== undefined)
  }

  /** Binds a job's buffers. Error: RangeError where observations are missing or not expected. */
  bind(scope: BufferScope, prior: Prior, buffers: SampleBuffers, settings: SampleSettings): BoundSampler {
    const { plan, state, observations } = buffers
    if ((observations !== undefined) !== this.conditional) {
      throw new RangeError(`This sampler was compiled ${this.conditional ? 'for' : 'without'} observations.`)
    }
    const { tileSamples } = this.denoiser
    const denoiser = this.denoiser.bind(scope, prior, plan)
    const parameters = scope.uniform('sample parameters', parameterWords(settings))
    const [first, second] = denoiser.resources
    const resources = [parameters, first, plan, second, state]
    // a kernel that reads no covariances still has their binding; the plan stands in
    if (observations) resources.push(observations.A, observations.y, observations.covariances ?? plan)
    const group = this.kernel.bind(resources)
    return {
      steps: denoiser.steps,
      encode: (pass, slice) => {
        const count = slice.last - slice.first
        if (count < 1 || count > denoiser.steps) {
          throw new RangeError(`A slice takes 1 to ${denoiser.steps} steps, not ${count}.`)
        }
        denoiser.encode?.(pass, slice.first, count)
        scope.setUniform(parameters, parameterWords(settings, slice))
        dispatch(pass, scope, this.kernel, group, Math.ceil((slice.end - slice.begin) / tileSamples))
      },
    }
  }
}

/** The kernel's uniform block. */
function parameterWords(settings: SampleSettings, slice?: SampleSlice): UniformWord[] {
  const { count, seed, stream, mean, startSigma, origin = 0, sigmaY = 0 } = settings
  return [
    ...Array.from({ length: 8 }, (_, i) => ({ f32: mean[i] ?? 0 })),
    slice?.begin ?? 0,
    slice?.end ?? 0,
    slice?.first ?? 0,
    slice?.last ?? 0,
    seed,
    stream,
    origin,
    count,
    slice?.start ? 1 : 0,
    settings.solverIterations ?? 0,
    settings.sharedObservation ? 1 : 0,
    { f32: sigmaY },
    { f32: startSigma },
  ]
}
