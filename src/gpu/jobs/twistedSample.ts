/**
 * Twisted diffusion sampling under a mixture prior. The kernel keeps a population in one workgroup, so a slice is many plan
 * steps of all populations, or one step of some of them where even that takes long; neither changes a bit.
 */
import type { Trajectory, TrajectoryRequest } from '../../diffusion/backend'
import { priorEvaluationFlops } from '../../diffusion/flops'
import { DEFAULT_PARTICLES } from '../../diffusion/posterior/tds'
import { type Mixture, type Observations, type PosteriorOptions, featuresOf } from '../../diffusion/types'
import type { Job } from '../job'
import { packCovariances, packPlan, posteriorKernelOptions } from '../kernels/posteriorPlan'
import { TwistedSampleKernel, type TwistedSlice } from '../kernels/twistedSample'
import { requireMixture, requireRows } from './requirements'

/** Particle-steps of the first submit: small enough for the slowest GPU. */
const firstSlice = 4096

/** The parts of a request that can be sampled here. */
interface TwistedProblem {
  readonly mixture: Mixture
  readonly observation: Observations
  readonly proposal: PosteriorOptions
  readonly particles: number
  readonly populations: number
}

/** Error: RangeError where the request does not fit together. */
function problemOf(request: TrajectoryRequest): TwistedProblem {
  const { prior, plan, count, mean, frames, observations, posterior } = request
  if (prior.kind !== 'mixture') throw new RangeError('TDS on the GPU needs a mixture as its prior.')
  const { mixture } = prior
  const { features } = mixture
  requireMixture(mixture)
  if (!observations || !posterior) throw new RangeError('TDS needs an observation and its options.')
  if (observations.count !== 1) throw new RangeError('The particles of TDS share one observation.')
  requireRows(observations, features)
  if (mean.length !== features) {
    throw new RangeError(`The mean has ${mean.length} features, the mixture ${features}.`)
  }
  const particles = posterior.particles ?? DEFAULT_PARTICLES
  const populations = count / particles
  if (!Number.isInteger(populations)) {
    throw new RangeError(`${count} samples are no populations of ${particles} particles.`)
  }
  if (plan.length === 0) throw new RangeError('The sampler has no steps.')
  if (plan.slice(0, -1).some(({ c }) => !(c > 0))) {
    throw new RangeError('TDS needs a stochastic sampler: DDPM, or DDIM with eta above 0.')
  }
  if (frames.some((step) => !(step in plan))) {
    throw new RangeError(
      `The plan has ${plan.length} steps; frames ${frames.join(', ')} are not all among them.`,
    )
  }
  // the proposals are MMPS; for the kernel's pieces that is their method
  return {
    mixture,
    observation: observations,
    proposal: { ...posterior, method: 'mmps' },
    particles,
    populations,
  }
}

/** Takes all populations through the plan's steps, slice by slice. */
export class TwistedCourse {
  private step = 0
  private population = 0

  constructor(
    private readonly steps: number,
    private readonly populations: number,
    private readonly particles: number,
  ) {}

  /** The next part within `offered` particle-steps, one step of one population at least; `units` counts them. */
  next(offered: number): TwistedSlice & { readonly units: number } {
    const { step, population, populations, particles } = this
    const affordable = Math.max(1, Math.floor(offered / particles))
    if (population === 0 && affordable >= populations) {
      const last = Math.min(this.steps, step + Math.floor(affordable / populations))
      this.step = last
      const units = (last - step) * populations * particles
      return { begin: 0, end: populations, first: step, last, units }
    }
    const end = Math.min(populations, population + affordable)
    this.population = end % populations
    if (end === populations) this.step++
    return { begin: population, end, first: step, last: step + 1, units: (end - population) * particles }
  }
}

/**
 * Kernel and buffers for a request: `bound` encodes slices, `state` then begins with x_t [count, features], and `frames` holds
 * the asked states. Errors: as `twistedSample`.
 */
export async function prepareTwistedSample(job: Job, request: TrajectoryRequest) {
  const { plan, count, frames } = request
  const { mixture, observation, proposal, particles, populations } = problemOf(request)
  const { features, means, thickness } = mixture
  const { observed, A, y, sigmaY } = observation
  job.requireBinding(count, 4 * (features + 1), 'particles')
  job.requireBinding(frames.length * count, 4 * features, 'states')
  const options = { features, particles, proposal: posteriorKernelOptions(observed, proposal) }
  const kernel = await job.compile(() =>
    job.context.kernel(`twisted sample ${JSON.stringify(options)}`, (device) =>
      TwistedSampleKernel.create(device, options),
    ),
  )
  const { scope } = job
  const covariances = packCovariances(plan, features, proposal)
  return job.checked(() => {
    const buffers = {
      means: scope.upload('component means', Float32Array.from(means)),
      observation: scope.upload('observation', Float32Array.from([...A, ...y])),
      plan: scope.upload('plan', packPlan(plan, proposal, frames)),
      covariances: covariances && scope.upload('covariances', covariances),
      state: scope.storage('particles', count * (features + 1) * 4),
      frames: scope.storage('frames', frames.length * count * features * 4),
    }
    const bound = kernel.bind(scope, buffers, {
      ...request,
      components: means.length / features,
      thickness,
      sigmaY,
      // more iterations than rows add nothing but rounding
      solverIterations: Math.min(proposal.solverIterations, observed),
    })
    const { state } = buffers
    return { state, frames: buffers.frames, bound, particles, populations }
  })
}

/**
 * Samples [count, features] of populations one after the other, and x_t at the named steps, before their resampling.
 * Errors: RangeError where the request does not fit together or the population is no power of two that a workgroup holds,
 * DeviceLimitError for more frames than one buffer holds.
 */
export async function twistedSample(job: Job, request: TrajectoryRequest): Promise<Trajectory> {
  const { prior, plan, count, observations, posterior } = request
  if (count === 0) return { samples: new Float32Array(0), frames: new Float32Array(0) }
  const { state, frames, bound, particles, populations } = await prepareTwistedSample(job, request)
  const course = new TwistedCourse(plan.length, populations, particles)
  const total = count * plan.length
  const flopsPerUnit = priorEvaluationFlops(prior, observations?.observed ?? 0, posterior)
  await job.slices({
    total,
    first: firstSlice,
    submit(offered) {
      const { units, ...slice } = course.next(offered)
      return { units, finished: job.compute((pass) => bound.encode(pass, slice)) }
    },
    finished: (done) =>
      job.control?.onProgress?.({ stage: 'compute', done, total, flops: done * flopsPerUnit }),
  })
  const width = count * featuresOf(prior) * 4
  const kept = request.frames.length * width
  const [samples, states] = await job.guard(
    Promise.all([job.scope.read(state, width), kept > 0 ? job.scope.read(frames, kept) : new ArrayBuffer(0)]),
  )
  return { samples: new Float32Array(samples), frames: new Float32Array(states) }
}
