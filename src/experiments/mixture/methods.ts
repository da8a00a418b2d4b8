/**
 * A method at work on a scene of the posterior lab: its options and plan, its samples with the states on the way, and
 * its score against the exact posterior,
 *
 *     S(u, v) = max(T(u1, v) - T(u1, u2), 1e-6),   u1, u2 ~ p(x | y) disjoint, v the method's samples
 */
import type { Backend, JobControl, SampleRequest } from '../../diffusion/backend'
import { vjpsPerEvaluation } from '../../diffusion/flops'
import { Stopwatch } from '../../diffusion/jobControl'
import { isGuided } from '../../diffusion/posterior/dps'
import { samplerPlan } from '../../diffusion/samplers'
import { logLinearSchedule } from '../../diffusion/schedule'
import type { Plan, PosteriorMethod, PosteriorOptions, SafeguardName } from '../../diffusion/types'
import { sinkhornDivergence } from '../../math/sinkhorn'
import { methodDefinitions } from './methodDefinitions'
import { drawExact, type Scene } from './scene'
import { consistency, coverage, finiteSamples, type MethodScore } from './scores'
import type { MethodSettings, MixtureSettings } from './settings'

export { methodDefinitions } from './methodDefinitions'

/** One method's samples. */
export interface PanelResult {
  readonly method: MethodSettings
  readonly features: number
  readonly count: number
  /** sigma_t of each frame, descending; one less than frames, for the last frame is x_0. */
  readonly sigmas: readonly number[]
  /** Samples x_t from t = 1 to x_0, [sigmas.length + 1, count, features]. */
  readonly frames: Float32Array
  /** Final samples that are not finite or beyond 100: they are not drawn. */
  readonly lost: number
  /** Evaluations of the denoiser (forward passes) and of its VJP that one sample cost. */
  readonly forwards: number
  readonly vjps: number
  readonly milliseconds: number
}

/** Frames before x_0 that a result keeps at most. */
const FRAMES = 48

/** Streams of the random key (seed, stream): all methods share the sampler's noise. */
const STREAM = { sampler: 1, truth: 0x7100_0001 } as const

/** Entropic transport behind the scores. */
const TRANSPORT = {
  regularization: 1e-3,
  iterations: 512,
  tolerance: 1e-4,
  scaling: { from: 16, factor: 2 },
} as const

/** T(u1, u2) of a scene, the same for every method. */
const truthTransport = new WeakMap<Scene, { readonly count: number; readonly cost: number }>()

/** The sampler's view of a method. `observed` (m) bounds the solver's iterations; a network's J needs `psd`. */
export function posteriorOptions(
  method: MethodSettings,
  covX: Float64Array,
  observed = Infinity,
  safeguard: SafeguardName = 'none',
): PosteriorOptions {
  const { covariance, uses } = methodDefinitions[method.method]
  return {
    method: samplerMethod(method),
    guidance: method.guidance,
    proximity: method.proximity,
    particles: method.particles,
    covariance: covariance ?? 'gaussian',
    solver: uses.includes('solver') ? method.solver : 'exact',
    solverIterations: Math.min(method.solverIterations, observed),
    safeguard,
    covX,
  }
}

function samplerMethod({ method }: MethodSettings): PosteriorMethod {
  switch (method) {
    case 'dps':
    case 'diffpir':
    case 'jfps':
    case 'tds':
      return method
    default:
      return 'mmps'
  }
}

/** The sampler's plan; TDS, which needs noise at every step, takes DDPM in place of `pc` and of DDIM with η = 0. */
export function methodPlan(settings: MixtureSettings, { method }: MethodSettings): Plan {
  const { sampler, sigmaMin, sigmaMax, steps, eta, corrections, delta } = settings
  const deterministic = sampler === 'pc' || (sampler === 'ddim' && eta === 0)
  const name = method === 'tds' && deterministic ? 'ddpm' : sampler
  return samplerPlan(name, logLinearSchedule(sigmaMin, sigmaMax), { steps, eta, corrections, delta })
}

/** Evaluations of the denoiser and of its VJP that one sample costs; `features` are those of a network guarded by `psd`. */
export function evaluations(
  plan: Plan,
  method: MethodSettings,
  observed: number,
  features?: number,
): { forwards: number; vjps: number } {
  const safeguard = features === undefined ? 'none' : 'psd'
  const options = posteriorOptions(method, new Float64Array(0), observed, safeguard)
  const steps = options.method === 'dps' ? plan.filter(isGuided).length : plan.length
  return {
    forwards: plan.length,
    vjps: steps * vjpsPerEvaluation({ features: features ?? 0 }, observed, options),
  }
}

/**
 * A method's samples on a scene, with up to 48 states on the way at levels spread over the schedule.
 * Errors: as `Backend.trajectory`.
 */
export async function runMethod(
  backend: Backend,
  scene: Scene,
  settings: MixtureSettings,
  method: MethodSettings,
  control?: JobControl,
): Promise<PanelResult> {
  const request = sampleRequest(scene, settings, method)
  const indices = frameIndices(request.plan)
  const stopwatch = new Stopwatch(control ?? {})
  const { samples, frames } = await backend.trajectory({ ...request, frames: indices }, stopwatch.control)
  const { milliseconds } = stopwatch
  const all = new Float32Array(frames.length + samples.length)
  all.set(frames)
  all.set(samples, frames.length)
  return {
    method,
    features: scene.features,
    count: request.count,
    sigmas: indices.map((index) => request.plan[index]!.sigma),
    frames: all,
    lost: finiteSamples(samples, scene.features).lost,
    ...sceneEvaluations(scene, request.plan, method),
    milliseconds,
  }
}

/**
 * How a method does on a scene; `exact` scores draws of the exact posterior that are in no other role. Samples that are
 * lost take no part; where all are, the numbers are NaN. Errors: as `Backend.sample` and `Backend.transport`.
 */
export async function scoreMethod(
  backend: Backend,
  scene: Scene,
  settings: MixtureSettings,
  method: MethodSettings | 'exact',
  control?: JobControl,
): Promise<MethodScore> {
  const { features } = scene
  const count = settings.samples
  const length = count * features
  const truth = drawExact(scene, 3 * count, STREAM.truth)
  const first = truth.subarray(0, length)
  const stopwatch = new Stopwatch(control ?? {})
  const request = method === 'exact' ? undefined : sampleRequest(scene, settings, method)
  const samples = request ? await backend.sample(request, stopwatch.control) : truth.subarray(2 * length)
  const milliseconds = request ? stopwatch.milliseconds : 0
  const { kept, lost } = finiteSamples(samples, features)
  const score = {
    method,
    label: method === 'exact' ? 'Exact' : methodDefinitions[method.method].label,
    lost,
    milliseconds,
    ...(request && method !== 'exact'
      ? sceneEvaluations(scene, request.plan, method)
      : { forwards: 0, vjps: 0 }),
  }
  if (kept.length === 0) {
    return { ...score, divergence: NaN, coverage50: NaN, coverage90: NaN, consistency: NaN }
  }
  const transport = (v: Float32Array) => backend.transport(first, v, features, TRANSPORT, control)
  let within = truthTransport.get(scene)
  if (within?.count !== count) {
    within = { count, cost: await transport(truth.subarray(length, 2 * length)) }
    truthTransport.set(scene, within)
  }
  return {
    ...score,
    divergence: sinkhornDivergence(await transport(kept), within.cost),
    ...coverage(scene, kept),
    consistency: consistency(scene, kept),
  }
}

/** What both the panel and the table draw: the same start and noise for every method. */
function sampleRequest(scene: Scene, settings: MixtureSettings, method: MethodSettings): SampleRequest {
  const { features, observed, sigmaY, prior, covX } = scene
  return {
    prior,
    plan: methodPlan(settings, method),
    count: settings.samples,
    mean: scene.mean,
    startSigma: settings.sigmaMax,
    observations: {
      count: 1,
      features,
      observed,
      A: Float32Array.from(scene.A),
      y: Float32Array.from(scene.y),
      sigmaY,
    },
    posterior: posteriorOptions(method, covX, observed, prior.kind === 'mlp' ? 'psd' : 'none'),
    seed: settings.seed,
    stream: STREAM.sampler,
  }
}

function sceneEvaluations({ prior, features, observed }: Scene, plan: Plan, method: MethodSettings) {
  return evaluations(plan, method, observed, prior.kind === 'mlp' ? features : undefined)
}

/** Plan steps that leave a noise level, up to 48 of them spread evenly, the first and the last always. */
function frameIndices(plan: Plan): number[] {
  const leaving = [...plan.keys()].filter((i) => plan[i + 1]?.sigma !== plan[i]!.sigma)
  const count = Math.min(FRAMES, leaving.length)
  return Array.from(
    { length: count },
    (_, f) => leaving[Math.round((f * (leaving.length - 1)) / Math.max(1, count - 1))]!,
  )
}
