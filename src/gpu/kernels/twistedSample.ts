/**
 * Twisted diffusion sampling (TDS) under a mixture prior: a workgroup is a population of particles, which are weighted,
 * resampled and moved without leaving it. Kernel: shaders/twisted_sample.wgsl; twin: src/diffusion/posterior/tds.ts.
 */
import logNormalSource from '../../../shaders/shared/log_normal.wgsl?raw'
import mixtureSource from '../../../shaders/shared/mixture.wgsl?raw'
import observedSystemSource from '../../../shaders/shared/observed_system.wgsl?raw'
import chosenSolverSource from '../../../shaders/shared/chosen_solver.wgsl?raw'
import drawsSource from '../../../shaders/shared/draws.wgsl?raw'
import randomSource from '../../../shaders/shared/random.wgsl?raw'
import sincosSource from '../../../shaders/shared/sincos.wgsl?raw'
import solversSource from '../../../shaders/shared/solvers.wgsl?raw'
import spectrumSource from '../../../shaders/shared/spectrum.wgsl?raw'
import twistedSampleSource from '../../../shaders/twisted_sample.wgsl?raw'
import { LEAST_SHARE } from '../../diffusion/posterior/mmps'
import type { BufferScope, UniformWord } from '../buffers'
import { type ComputeKernel, composeShader, createComputeKernel } from '../compile'
import { dispatch } from '../dispatch'
import type { PosteriorKernelOptions } from './posteriorPlan'

/** Most particles of a population: its weights, as integers, then sum below 2^31. */
export const maximumParticles = 256

/** What the kernel is compiled for. */
export interface TwistedSampleOptions {
  /** 1 to 8. */
  readonly features: number
  /** Particles of a population. */
  readonly particles: number
  /** Of the MMPS proposal. */
  readonly proposal: PosteriorKernelOptions
}

export interface TwistedSampleBuffers {
  /** mu, [components, features]. */
  readonly means: GPUBuffer
  /** A [observed, features], then y [observed]. */
  readonly observation: GPUBuffer
  /** Packed by `packPlan`. */
  readonly plan: GPUBuffer
  /** Packed by `packCovariances`, where that gives anything. */
  readonly covariances?: GPUBuffer
  /** x [count, features], then a number for each particle, [count]; read and written. */
  readonly state: GPUBuffer
  /** [frames, count, features], written at the steps that the plan names. */
  readonly frames: GPUBuffer
}

/** What stays the same through a job. */
export interface TwistedSampleSettings {
  readonly seed: number
  readonly stream: number
  /** Particles in all. */
  readonly count: number
  readonly components: number
  readonly thickness: number
  readonly sigmaY: number
  readonly solverIterations: number
  /** Start: x_1 ~ N(mean, startSigma² I), mean [features]. */
  readonly mean: ArrayLike<number>
  readonly startSigma: number
}

/** Plan steps first … last - 1 for populations begin … end - 1; those at step 0 draw their start first. */
export interface TwistedSlice {
  readonly begin: number
  readonly end: number
  readonly first: number
  readonly last: number
}

export class TwistedSampleKernel {
  private constructor(
    private readonly kernel: ComputeKernel,
    private readonly particles: number,
  ) {}

  /** Error: RangeError where a population is no power of two, or larger than a workgroup or `maximumParticles`. */
  static async create(device: GPUDevice, options: TwistedSampleOptions): Promise<TwistedSampleKernel> {
    const { features, particles, proposal } = options
    const { OBSERVED, COVARIANCE, SOLVER, PROJECT } = proposal
    const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX } = device.limits
    const most = Math.min(maximumParticles, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX)
    if (!(particles >= 1 && particles <= most && Number.isInteger(Math.log2(particles)))) {
      throw new RangeError(
        `TDS on this GPU takes a power of two of particles, ${most} at most, not ${particles}.`,
      )
    }
    const constants = {
      FEATURES: features,
      ORDER: features,
      SIZE: OBSERVED,
      PARTICLES: particles,
      COVARIANCE,
      SOLVER,
      PROJECT,
      LEAST_SHARE,
    }
    const code = composeShader(constants, [
      sincosSource,
      randomSource,
      drawsSource,
      solversSource,
      chosenSolverSource,
      spectrumSource,
      logNormalSource,
      mixtureSource,
      observedSystemSource,
      twistedSampleSource,
    ])
    const kernel = await createComputeKernel(device, {
      label: 'twisted sample',
      code,
      entryPoint: 'twisted_sample',
    })
    return new TwistedSampleKernel(kernel, particles)
  }

  /**
   * Binds a job's buffers. Each `encode` writes its slice to a uniform buffer at once, so it needs its own submit before
   * the next one.
   */
  bind(scope: BufferScope, buffers: TwistedSampleBuffers, settings: TwistedSampleSettings) {
    const { means, observation, plan, covariances, state, frames } = buffers
    const parameters = scope.uniform('twisted sample parameters', parameterWords(this.particles, settings))
    // a kernel that reads no covariances still has their binding; the plan stands in
    const resources = [parameters, means, observation, plan, covariances ?? plan, state, frames]
    const group = this.kernel.bind(resources)
    return {
      encode: (pass: GPUComputePassEncoder, slice: TwistedSlice): void => {
        scope.setUniform(parameters, parameterWords(this.particles, settings, slice))
        dispatch(pass, scope, this.kernel, group, slice.end - slice.begin)
      },
    }
  }
}

/** The kernel's uniform block. */
function parameterWords(
  particles: number,
  settings: TwistedSampleSettings,
  slice?: TwistedSlice,
): UniformWord[] {
  const { begin, end, first, last } = slice ?? { begin: 0, end: 0, first: 0, last: 0 }
  return [
    ...Array.from({ length: 8 }, (_, i) => ({ f32: settings.mean[i] ?? 0 })),
    begin,
    end - begin,
    first,
    last,
    settings.seed,
    settings.stream,
    first === 0 ? 1 : 0,
    settings.count,
    settings.components,
    particles,
    settings.solverIterations,
    { f32: settings.thickness },
    { f32: settings.sigmaY },
    { f32: settings.startSigma },
  ]
}
