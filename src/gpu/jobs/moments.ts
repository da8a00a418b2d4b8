/**
 * Exact moments and likelihoods at many noisy points of a mixture: slices of points, one read at the end.
 */
import type { LogLikelihoods, Moments, MomentsRequest } from '../../diffusion/backend'
import { mixtureMomentFlops } from '../../diffusion/flops'
import type { Job } from '../job'
import {
  MixtureMomentsKernel,
  type MixtureQuantity,
  likelihoodNames,
  packObservation,
  readLikelihood,
  resultWidth,
} from '../kernels/mixtureMoments'
import { requireMixture, requireRows } from './requirements'

/** Points of the first submit. */
const firstSlice = 2048

function validate({ mixture, xT, sigma, observation, covX }: MomentsRequest): void {
  requireMixture(mixture)
  const { features } = mixture
  if (xT.length !== sigma.length * features) {
    throw new RangeError(
      `${xT.length} numbers are not ${sigma.length} points, one a noise level, of ${features} features.`,
    )
  }
  if (observation.count !== 1 || observation.features !== features) {
    throw new RangeError(`The points need one observation of ${features} features.`)
  }
  requireRows(observation, features)
  if (covX.length !== features * features) {
    throw new RangeError(`Sigma_x must be a matrix of ${features} rows and columns.`)
  }
}

/** The kernel's results, [count × resultWidth]. */
async function evaluate(job: Job, request: MomentsRequest, quantity: MixtureQuantity): Promise<Float32Array> {
  validate(request)
  const { mixture, xT, sigma, observation, covX } = request
  const { features, means, thickness } = mixture
  const { observed, sigmaY } = observation
  const [count, components] = [sigma.length, means.length / features]
  const width = resultWidth(quantity, features)
  if (count === 0) return new Float32Array(0)
  job.requireBinding(count, 4 * width, 'points')
  const kernel = await job.compile(() =>
    job.context.kernel(`mixture ${JSON.stringify([quantity, features, observed])}`, (device) =>
      MixtureMomentsKernel.create(device, features, observed, quantity),
    ),
  )
  const { scope } = job
  const { results, bound } = await job.checked(() => {
    const buffers = {
      means: scope.upload('component means', Float32Array.from(means)),
      points: scope.upload('points', xT),
      sigma: scope.upload('noise levels', sigma),
      observation: scope.upload('observation', packObservation(observation, covX)),
      results: scope.storage('results', count * width * 4),
    }
    return {
      results: buffers.results,
      bound: kernel.bind(scope, buffers, { count, components, thickness, sigmaY }),
    }
  })
  const flopsPerPoint = mixtureMomentFlops(components, features)
  let begin = 0
  await job.slices({
    total: count,
    first: firstSlice,
    submit(units) {
      const first = begin
      begin += units
      return { units, finished: job.compute((pass) => bound.encode(pass, first, first + units)) }
    },
    finished: (done) =>
      job.control?.onProgress?.({ stage: 'compute', done, total: count, flops: done * flopsPerPoint }),
  })
  return new Float32Array(await job.guard(scope.read(results, count * width * 4)))
}

/**
 * E[x | x_t], score, V[x | x_t] and MMPS's likelihood term. Errors: RangeError where sizes disagree, DeviceLimitError
 * for more points than one buffer holds.
 */
export async function moments(job: Job, request: MomentsRequest): Promise<Moments> {
  const results = await evaluate(job, request, 'moments')
  const plane = request.xT.length
  return {
    mean: results.subarray(0, plane),
    score: results.subarray(plane, 2 * plane),
    mmpsScore: results.subarray(2 * plane, 3 * plane),
    covariance: results.subarray(3 * plane),
  }
}

/**
 * log p(y | x_t) and its approximations by each covariance; -Infinity for `tmpd` where its system is not positive
 * definite. Errors: as `moments`.
 */
export async function logLikelihoods(job: Job, request: MomentsRequest): Promise<LogLikelihoods> {
  const results = await evaluate(job, request, 'log_likelihoods')
  const count = request.sigma.length
  const values = (name: (typeof likelihoodNames)[number]) => {
    const place = likelihoodNames.indexOf(name) * count
    return readLikelihood(results.subarray(place, place + count))
  }
  return {
    exact: values('exact'),
    tweedie: values('tweedie'),
    zero: values('zero'),
    identity: values('identity'),
    pigdm: values('pigdm'),
    gaussian: values('gaussian'),
    tmpd: values('tmpd'),
  }
}
