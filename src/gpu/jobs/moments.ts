/**
 * Exact moments and likelihoods at many noisy points of a mixture: groups of points whose results fit one buffer, slices
 * of a group, one read a group.
 */
import type { LogLikelihoods, Moments, MomentsRequest } from '../../diffusion/backend'
import { mixtureMomentFlops } from '../../diffusion/flops'
import { BufferScope } from '../buffers'
import type { Job } from '../job'
import {
  MixtureMomentsKernel,
  type MixtureQuantity,
  likelihoodNames,
  packObservation,
  readLikelihood,
  resultWidth,
} from '../kernels/mixtureMoments'
import { groupBytes, inGroups } from './groups'
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

/** The kernel's results, a plane [count, width] for each of `widths`. */
async function evaluate(
  job: Job,
  request: MomentsRequest,
  quantity: MixtureQuantity,
  widths: readonly number[],
): Promise<Float32Array[]> {
  validate(request)
  const { mixture, xT, sigma, observation, covX } = request
  const { features, means, thickness } = mixture
  const { observed, sigmaY } = observation
  const [count, components] = [sigma.length, means.length / features]
  const width = resultWidth(quantity, features)
  const planes = widths.map((each) => new Float32Array(count * each))
  if (count === 0) return planes
  job.requireBinding(components, 4 * features, 'components')
  job.requireBinding(1, 4 * width, 'points')
  const kernel = await job.compile(() =>
    job.context.kernel(`mixture ${JSON.stringify([quantity, features, observed])}`, (device) =>
      MixtureMomentsKernel.create(device, features, observed, quantity),
    ),
  )
  const flopsPerPoint = mixtureMomentFlops(components, features)
  const most = Math.floor(Math.min(job.largestBinding, groupBytes) / (4 * width))
  await inGroups(count, most, 1, async (first, size) => {
    const scope = new BufferScope(job.device, job.context.counters)
    try {
      const { results, bound } = await job.checked(() => {
        const buffers = {
          means: scope.upload('component means', Float32Array.from(means)),
          points: scope.upload('points', xT.subarray(first * features, (first + size) * features)),
          sigma: scope.upload('noise levels', sigma.subarray(first, first + size)),
          observation: scope.upload('observation', packObservation(observation, covX)),
          results: scope.storage('results', size * width * 4),
        }
        return {
          results: buffers.results,
          bound: kernel.bind(scope, buffers, { count: size, components, thickness, sigmaY }),
        }
      })
      let begin = 0
      await job.slices({
        total: size,
        first: firstSlice,
        submit(units) {
          const from = begin
          begin += units
          return { units, finished: job.compute((pass) => bound.encode(pass, from, from + units)) }
        },
        finished(units) {
          const done = first + units
          job.control?.onProgress?.({ stage: 'compute', done, total: count, flops: done * flopsPerPoint })
        },
      })
      const data = new Float32Array(await job.read(results, size * width * 4))
      let offset = 0
      widths.forEach((each, plane) => {
        planes[plane]!.set(data.subarray(offset, offset + size * each), first * each)
        offset += size * each
      })
    } finally {
      scope.destroy()
    }
  })
  return planes
}

/** E[x | x_t], score, V[x | x_t] and MMPS's likelihood term. Errors: RangeError where sizes disagree, DeviceLimitError. */
export async function moments(job: Job, request: MomentsRequest): Promise<Moments> {
  const { features } = request.mixture
  const widths = [features, features, features, features * features]
  const [mean, score, mmpsScore, covariance] = await evaluate(job, request, 'moments', widths)
  return { mean: mean!, score: score!, mmpsScore: mmpsScore!, covariance: covariance! }
}

/**
 * log p(y | x_t) and its approximations by each covariance; -Infinity for `tmpd` where its system is not positive
 * definite. Errors: as `moments`.
 */
export async function logLikelihoods(job: Job, request: MomentsRequest): Promise<LogLikelihoods> {
  const widths = likelihoodNames.map(() => 1)
  const planes = await evaluate(job, request, 'log_likelihoods', widths)
  return Object.fromEntries(
    likelihoodNames.map((name, i) => [name, readLikelihood(planes[i]!)]),
  ) as unknown as LogLikelihoods
}
