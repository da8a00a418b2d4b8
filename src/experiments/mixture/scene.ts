/**
 * A scene of the posterior lab: a prior, one observation y = A x + n and the exact posterior p(x | y) in closed form.
 *
 * A learned prior (learned.ts) has no closed form; the truth there is the curve on which it was trained. Everything
 * follows from the settings and their seed.
 */
import {
  drawMixturePosterior,
  mixtureCovariance,
  mixtureMean,
  mixturePosterior,
  type MixturePosterior,
} from '../../diffusion/mixture'
import type { Mixture, Observations, Prior } from '../../diffusion/types'
import { DOMAIN, RandomStream } from '../../math/philox'
import type { DrawnStroke } from '../manifold/dataset'
import type { LearnedPrior } from './learned'
import type { MixtureSettings } from './settings'
import { createMixture } from './shapes'

/** Prior, observation and exact posterior: what both panels share. */
export interface Scene {
  readonly features: number
  readonly prior: Prior
  /** Whether the exact posterior is that of the mixture itself, or that of the curve a network was trained on. */
  readonly exactOf: 'prior' | 'curve'
  /** Component means of the true distribution along the curve, [components, features]. */
  readonly means: Float32Array
  readonly thickness: number
  /** Whether consecutive means are neighbours on an open curve; breaks are where a new stroke begins. */
  readonly breaks: readonly number[]
  /** [observed, features], orthonormal rows unless the prior is learned and n > 3. */
  readonly A: Float64Array
  /** [observed]. */
  readonly y: Float64Array
  readonly observed: number
  readonly sigmaY: number
  /** Mean of the Gaussian fit, from which samplers start, [features]. */
  readonly mean: Float64Array
  /** Covariance of the Gaussian fit, [features, features]. */
  readonly covX: Float64Array
  /** Seed of the scene and of all draws that judge samples. */
  readonly seed: number
  /** Draws of the exact p(x | y), [samples, features]. */
  readonly exact: Float32Array
  /** Standard normals: exact draws of p(x_t | y) are exact + sigma_t noise, [samples, features]. */
  readonly noise: Float32Array
}

/** Random streams of a scene, for exact draws, noise and the metrics of scores.ts. */
export const SCENE_STREAM = { exact: 0x6000_0001, noise: 0x6000_0002, coverage: 0x6000_0003 } as const

/**
 * A [observed, features], orthonormal: the direction at azimuth φ and elevation θ, (cos φ cos θ, sin φ cos θ, sin θ), in R^2
 * (cos φ, sin φ); the second row of R^3 is (-sin φ, cos φ, 0).
 */
export function measurement({
  features,
  observed,
  azimuth,
  elevation,
}: Pick<MixtureSettings, 'features' | 'observed' | 'azimuth' | 'elevation'>): Float64Array {
  const [phi, theta] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180]
  const [c, s] = [Math.cos(phi), Math.sin(phi)]
  if (features === 2) return Float64Array.of(c, s)
  const first = [c * Math.cos(theta), s * Math.cos(theta), Math.sin(theta)]
  return Float64Array.from(observed === 1 ? first : [...first, -s, c, 0])
}

/** What a scene observes of whom, before anything is drawn. */
type Situation = Omit<Scene, 'features' | 'observed' | 'sigmaY' | 'seed' | 'exact' | 'noise'>

/**
 * The scene of the settings; with the shape `learned`, that of a learned prior.
 * Errors: RangeError where the shape is learned and there is no such prior, the pair does not exist, or nothing is drawn.
 */
export function createScene(
  settings: MixtureSettings,
  strokes: readonly DrawnStroke[],
  learned?: LearnedPrior,
): Scene {
  const { seed, sigmaY, samples, shape } = settings
  const situation =
    shape === 'learned' ? learnedSituation(settings, learned) : mixtureSituation(settings, strokes)
  const scene: Omit<Scene, 'exact' | 'noise'> = {
    ...situation,
    features: situation.mean.length,
    observed: situation.y.length,
    sigmaY,
    seed,
  }
  const noise = new Float64Array(samples * scene.features)
  const random = new RandomStream(seed, SCENE_STREAM.noise)
  for (let i = 0; i < samples; i++) {
    random.fillNormals(noise, i * scene.features, scene.features, i, 0, DOMAIN.metric)
  }
  return { ...scene, exact: drawExact(scene, samples, SCENE_STREAM.exact), noise: Float32Array.from(noise) }
}

function mixtureSituation(settings: MixtureSettings, strokes: readonly DrawnStroke[]): Situation {
  const { mixture, breaks } = createMixture(settings, strokes)
  return {
    prior: { kind: 'mixture', mixture },
    exactOf: 'prior',
    means: Float32Array.from(mixture.means),
    thickness: mixture.thickness,
    breaks,
    mean: mixtureMean(mixture),
    covX: mixtureCovariance(mixture),
    ...directObservation(settings, mixture.features),
  }
}

function learnedSituation(settings: MixtureSettings, learned: LearnedPrior | undefined): Situation {
  if (!learned) {
    throw new RangeError('No learned prior is open: open the manifold lab’s saved run or a run file.')
  }
  const { network, weights, curve, breaks, covX, observations } = learned
  return {
    prior: { kind: 'mlp', network, weights },
    exactOf: 'curve',
    means: Float32Array.from(curve.means),
    thickness: curve.thickness,
    breaks,
    mean: learned.mean,
    covX,
    ...(network.features > 3
      ? ownObservation(observations, settings.index)
      : directObservation(settings, network.features)),
  }
}

/** The observation that the page's handles move. R^2 has one row. */
function directObservation(
  settings: MixtureSettings,
  features: number,
): { A: Float64Array; y: Float64Array } {
  const A = measurement({ ...settings, features })
  return { A, y: Float64Array.of(settings.y1, settings.y2).subarray(0, A.length / features) }
}

/** One of a run's own pairs. */
function ownObservation(
  { count, features, observed, A, y }: Observations,
  index: number,
): { A: Float64Array; y: Float64Array } {
  if (!(index < count)) {
    throw new RangeError(`Pair ${index} does not exist: the run has pairs 0 to ${count - 1}.`)
  }
  const size = observed * features
  return {
    A: Float64Array.from(A.subarray(index * size, (index + 1) * size)),
    y: Float64Array.from(y.subarray(index * observed, (index + 1) * observed)),
  }
}

/** The true distribution: the prior itself, or the curve that a network learned. */
export function trueMixture({
  prior,
  features,
  means,
  thickness,
}: Pick<Scene, 'prior' | 'features' | 'means' | 'thickness'>): Mixture {
  return prior.kind === 'mixture' ? prior.mixture : { features, means: Float64Array.from(means), thickness }
}

/** The exact p(x | y). */
export function exactPosterior(scene: Omit<Scene, 'exact' | 'noise'>): MixturePosterior {
  return mixturePosterior(trueMixture(scene), scene.A, scene.y, scene.sigmaY)
}

/** Independent draws of the exact p(x | y), [count, features]; another stream gives other draws. */
export function drawExact(
  scene: Omit<Scene, 'exact' | 'noise'>,
  count: number,
  stream: number,
): Float32Array {
  return Float32Array.from(
    drawMixturePosterior(exactPosterior(scene), count, new RandomStream(scene.seed, stream)),
  )
}
