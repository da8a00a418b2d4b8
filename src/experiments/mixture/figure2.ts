/**
 * Comparison of covariances: how far the approximate posterior q(x_t | y) ∝ p(x_t) N(y | A E[x|x_t], Sigma_y + A V Aᵀ)
 * lies from the exact p(x_t | y), by noise level and by covariance V.
 *
 *     S = max(T(u1, v) - T(u1, u2), 1e-6),   u1, u2 ~ p(x_t | y),   v ~ q(x_t | y) by resampling draws of p(x_t)
 *
 * Source: the paper's section 4.2 and Figure 2.
 */
import type { Backend, JobControl } from '../../diffusion/backend'
import {
  drawMixture,
  drawMixturePosterior,
  mixtureCovariance,
  mixturePosterior,
} from '../../diffusion/mixture'
import type { CovarianceName, Mixture, Observations } from '../../diffusion/types'
import { DOMAIN, RandomStream, unit } from '../../math/philox'
import { effectiveSampleSize, systematicAncestors } from '../../math/resampling'
import { sinkhornDivergence } from '../../math/sinkhorn'
import { randomCurve, randomLatents } from './shapes'

export interface Figure2Settings {
  seed: number
  seeds: number
  points: number
  draws: number
  features: number
  components: number
  thickness: number
  sigmaY: number
  regularization: number
  iterations: number
  tolerance: number
}

export const figure2Defaults: Figure2Settings = {
  seed: 0,
  seeds: 16,
  points: 2048,
  draws: 131072,
  features: 3,
  components: 256,
  thickness: 0.01,
  sigmaY: 0.01,
  regularization: 1e-3,
  iterations: 1024,
  tolerance: 3e-4,
}

/** Noise levels of the figure. */
export const figure2Sigmas: readonly number[] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]

export const figure2Covariances: readonly CovarianceName[] = ['zero', 'identity', 'gaussian', 'tweedie']

export interface Figure2Row {
  seed: number
  sigma: number
  covariance: CovarianceName
  divergence: number
  /** Effective number of draws behind the resampling, (Σ w)²/Σ w². */
  ess?: number
}

export interface Figure2Control {
  readonly signal?: AbortSignal
  /** Awaited between pieces of work: pending while paused. */
  ready?(): Promise<void>
  onProgress?(fraction: number, label: string): void
}

export interface Figure2Quartile {
  readonly covariance: CovarianceName
  readonly sigma: number
  readonly low: number
  readonly median: number
  readonly high: number
  readonly count: number
}

/** Decay α of the random curve's harmonics (method.md). */
const SMOOTHNESS = 3

/** Second words of the random key: the curve has stream 0. */
const STREAM = { observation: 0x7200_0001, draws: 0x7200_0002, exact: 0x7200_0003 } as const

/**
 * Order of the costs at a noise level: ε of the transport's first stage, and the unit of its tolerance, as the steps of
 * float32 grow with the potentials.
 */
const costScale = (sigma: number): number => 1 + sigma * sigma

/** What a seed fixes: the prior and its one observation. */
function problemOf(settings: Figure2Settings, seed: number): { mixture: Mixture; observation: Observations } {
  const { features, components, thickness, sigmaY } = settings
  const means = randomCurve({ seed, features, smoothness: SMOOTHNESS }, randomLatents(seed, components))
  const stream = new RandomStream(seed, STREAM.observation)
  const direction = new Float64Array(features)
  stream.fillNormals(direction, 0, features, 0, 0, DOMAIN.matrices)
  const norm = Math.hypot(...direction)
  // the point that is observed comes from component 0, at a uniformly drawn place of the curve
  const noise = new Float64Array(features + 1)
  stream.fillNormals(noise, 0, features + 1, 0, 0, DOMAIN.observationNoise)
  const A = Float32Array.from(direction, (value) => value / norm)
  let y = sigmaY * noise[features]!
  for (let j = 0; j < features; j++) y += A[j]! * (means[j]! + thickness * noise[j]!)
  return {
    mixture: { features, means, thickness },
    observation: { count: 1, features, observed: 1, A, y: Float32Array.of(y), sigmaY },
  }
}

/** Points x and standard normals z, both [count, features]: x_t = x + sigma_t z at any noise level. */
interface Diffused {
  readonly x: Float64Array
  readonly z: Float64Array
}

function diffuse(x: Float64Array, features: number, stream: RandomStream): Diffused {
  const z = new Float64Array(x.length)
  for (let i = 0; i * features < x.length; i++) {
    stream.fillNormals(z, i * features, features, i, 2, DOMAIN.metric)
  }
  return { x, z }
}

function noisyPoints({ x, z }: Diffused, sigma: number): Float32Array {
  return Float32Array.from(x, (value, i) => value + sigma * z[i]!)
}

/** Rows `ancestors` of x [count, features]. */
function rowsOf(x: Float32Array, features: number, ancestors: Uint32Array): Float32Array {
  const rows = new Float32Array(ancestors.length * features)
  ancestors.forEach((row, k) => rows.set(x.subarray(row * features, (row + 1) * features), k * features))
  return rows
}

/**
 * All rows of one seed, in the order of `sigmas` and `figure2Covariances`. The same settings and seed give the same rows.
 * Errors: the signal's reason, those of the backend, and RangeError where no draw has any weight.
 */
export async function figure2Seed(
  backend: Backend,
  settings: Figure2Settings,
  seed: number,
  control: Figure2Control = {},
  sigmas: readonly number[] = figure2Sigmas,
): Promise<Figure2Row[]> {
  const { features, points, draws, regularization, iterations, tolerance } = settings
  const { mixture, observation } = problemOf(settings, seed)
  const { A, y, sigmaY } = observation
  const posterior = mixturePosterior(mixture, Float64Array.from(A), Float64Array.from(y), sigmaY)
  const covX = mixtureCovariance(mixture)
  const drawStream = new RandomStream(seed, STREAM.draws)
  const exactStream = new RandomStream(seed, STREAM.exact)
  const prior = diffuse(drawMixture(mixture, draws, drawStream), features, drawStream)
  const exact = diffuse(drawMixturePosterior(posterior, 2 * points, exactStream), features, exactStream)
  // a noise level is one part for the likelihoods, one for T(u1, u2), one for each covariance
  const parts = sigmas.length * (2 + figure2Covariances.length)
  let done = 0
  const within = (label: string): JobControl => ({
    ...(control.signal && { signal: control.signal }),
    ready: () => control.ready?.() ?? Promise.resolve(),
    onProgress: ({ done: part, total }) =>
      control.onProgress?.((done + part / Math.max(1, total)) / parts, label),
  })
  const rows: Figure2Row[] = []
  for (const [index, sigma] of sigmas.entries()) {
    const at = `seed ${seed}, σ_t = ${sigma}`
    const xT = noisyPoints(prior, sigma)
    const likelihoods = await backend.logLikelihoods(
      { mixture, xT, sigma: new Float32Array(draws).fill(sigma), observation, covX },
      within(`${at}: likelihoods`),
    )
    done++
    const truth = noisyPoints(exact, sigma)
    const first = truth.subarray(0, points * features)
    const transport = (v: Float32Array, label: string): Promise<number> =>
      backend.transport(
        first,
        v,
        features,
        {
          regularization,
          iterations,
          tolerance: tolerance * costScale(sigma),
          // faster scaling leaves far clusters of unequal mass unconverged: T was 5e-3 off with a factor of 4
          scaling: { from: costScale(sigma), factor: 2 },
        },
        within(`${at}: ${label}`),
      )
    const itself = await transport(truth.subarray(points * features), 'transport within the exact posterior')
    done++
    for (const [c, covariance] of figure2Covariances.entries()) {
      const u = unit(drawStream.block(index, c, 0, DOMAIN.resampling)[0]!)
      const ess = effectiveSampleSize(likelihoods[covariance])
      if (ess === 0) {
        throw new RangeError(
          `No draw of p(x_t) has any weight under the covariance "${covariance}" (${at}): raise sigma_y or the number of draws.`,
        )
      }
      const ancestors = systematicAncestors(likelihoods[covariance], u, points)
      const cost = await transport(rowsOf(xT, features, ancestors), `transport for ${covariance}`)
      done++
      rows.push({ seed, sigma, covariance, divergence: sinkhornDivergence(cost, itself), ess })
    }
  }
  control.onProgress?.(1, `seed ${seed} done`)
  return rows
}

/** Quartiles over the seeds, by covariance and ascending sigma_t. */
export function figure2Quartiles(rows: readonly Figure2Row[]): Figure2Quartile[] {
  const groups = new Map<string, Figure2Row[]>()
  for (const row of rows) {
    const key = `${row.covariance} ${row.sigma}`
    const group = groups.get(key)
    if (group) group.push(row)
    else groups.set(key, [row])
  }
  const order = (name: CovarianceName) => figure2Covariances.indexOf(name)
  return [...groups.values()]
    .map((group) => {
      const values = group.map(({ divergence }) => divergence).sort((one, other) => one - other)
      const { covariance, sigma } = group[0]!
      return {
        covariance,
        sigma,
        low: quantile(values, 0.25),
        median: quantile(values, 0.5),
        high: quantile(values, 0.75),
        count: values.length,
      }
    })
    .sort((one, other) => order(one.covariance) - order(other.covariance) || one.sigma - other.sigma)
}

/** Linear interpolation between the order statistics of ascending values. */
function quantile(ascending: readonly number[], q: number): number {
  const place = q * (ascending.length - 1)
  const below = Math.floor(place)
  const low = ascending[below]!
  const high = ascending[Math.min(below + 1, ascending.length - 1)]!
  return low + (place - below) * (high - low)
}

const csvHeader = 'seed,sigma_t,covariance,sinkhorn_divergence,effective_sample_size'

/** One line a row, with a header. */
export function figure2Csv(rows: readonly Figure2Row[]): string {
  const lines = rows.map(({ seed, sigma, covariance, divergence, ess }) =>
    [seed, sigma, covariance, divergence, ess ?? ''].join(','),
  )
  return `${[csvHeader, ...lines].join('\n')}\n`
}
