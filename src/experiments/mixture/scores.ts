/**
 * How good a method's samples are, held against the exact posterior.
 *
 *     coverage      share of samples inside the exact posterior's 50 % and 90 % highest-density regions {x: p(x|y) ≥ c}, where c is
 *                   the density that 50 % and 90 % of exact draws exceed: 0.5 and 0.9 are right, less is too wide or astray,
 *                   more is too narrow
 *     consistency   mean ‖A x - y‖²/(m σ_y²): how far samples lie from the observation, in units of its noise
 *
 * Source: Hyndman, "Computing and graphing highest density regions", 1996 (density quantiles by simulation).
 */
import { posteriorLogDensity, type MixturePosterior } from '../../diffusion/mixture'
import { drawExact, exactPosterior, SCENE_STREAM, type Scene } from './scene'
import type { MethodSettings } from './settings'

/** A row of the methods table. */
export interface MethodScore {
  /** `exact`: a second draw of the exact posterior, what a perfect method would score. */
  readonly method: MethodSettings | 'exact'
  /** For example "ΠGDM". */
  readonly label: string
  /** Sinkhorn divergence to the exact posterior. */
  readonly divergence: number
  readonly coverage50: number
  readonly coverage90: number
  /** Mean ‖A x - y‖²/(m sigma_y²). */
  readonly consistency: number
  /** Samples that are not finite or beyond 100. */
  readonly lost: number
  /** Evaluations of the denoiser and of its VJP for one sample. */
  readonly forwards: number
  readonly vjps: number
  readonly milliseconds: number
}

export interface Coverage {
  readonly coverage50: number
  readonly coverage90: number
}

/** Exact draws behind the density thresholds: they are 0.004 and 0.0025 of the coverage uncertain. */
export const COVERAGE_DRAWS = 16384

/** Samples with a coordinate beyond this are lost, and drawn nowhere. */
const LOST_BEYOND = 100

/** A scene's exact posterior and the log densities that bound its regions. */
interface Regions {
  readonly posterior: MixturePosterior
  readonly least50: number
  readonly least90: number
}

/** The regions are the same for every method. */
const regions = new WeakMap<Scene, Regions>()

function regionsOf(scene: Scene): Regions {
  let known = regions.get(scene)
  if (!known) {
    const posterior = exactPosterior(scene)
    const draws = drawExact(scene, COVERAGE_DRAWS, SCENE_STREAM.coverage)
    const ascending = posteriorLogDensity(posterior, draws).sort()
    const least = (share: number) => ascending[Math.round((1 - share) * COVERAGE_DRAWS)]!
    known = { posterior, least50: least(0.5), least90: least(0.9) }
    regions.set(scene, known)
  }
  return known
}

/** Coverage of samples [count, features]; NaN where there are none. */
export function coverage(scene: Scene, samples: Float32Array): Coverage {
  const { posterior, least50, least90 } = regionsOf(scene)
  const densities = posteriorLogDensity(posterior, samples)
  let [inside50, inside90] = [0, 0]
  for (const density of densities) {
    if (density >= least50) inside50++
    if (density >= least90) inside90++
  }
  return { coverage50: inside50 / densities.length, coverage90: inside90 / densities.length }
}

/** Mean ‖A x - y‖²/(m sigma_y²) over samples [count, features]; NaN where there are none. */
export function consistency(
  { features: n, observed: m, A, y, sigmaY }: Pick<Scene, 'features' | 'observed' | 'A' | 'y' | 'sigmaY'>,
  samples: Float32Array,
): number {
  let sum = 0
  for (let at = 0; at < samples.length; at += n) {
    for (let r = 0; r < m; r++) {
      let residual = y[r]!
      for (let i = 0; i < n; i++) residual -= A[r * n + i]! * samples[at + i]!
      sum += residual * residual
    }
  }
  return sum / ((samples.length / n) * m * sigmaY * sigmaY)
}

/** Samples [count, features] without those that are lost. */
export function finiteSamples(samples: Float32Array, features: number): { kept: Float32Array; lost: number } {
  const kept = new Float32Array(samples.length)
  let length = 0
  for (let at = 0; at < samples.length; at += features) {
    let finite = true
    // Written so that NaN counts as lost.
    for (let i = 0; i < features; i++) finite &&= Math.abs(samples[at + i]!) <= LOST_BEYOND
    if (!finite) continue
    kept.set(samples.subarray(at, at + features), length)
    length += features
  }
  return { kept: kept.slice(0, length), lost: (samples.length - length) / features }
}
