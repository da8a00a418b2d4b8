/** The modes of an exact posterior along its curve, and how samples are spread over them. */
import type { MixturePosterior } from '../../diffusion/mixture'

export interface Mode {
  /** Mean of the components in it, [features]. */
  readonly centre: Float64Array
  /** Share of the posterior, 0..1. */
  readonly share: number
  readonly components: readonly number[]
}

/** Components this far below the heaviest are between modes. */
const LEAST_WEIGHT = 1e-3
const LEAST_SHARE = 0.005
/** Runs whose centres are nearer than this are one mode. */
const MERGED = 0.15
/** Samples this many standard deviations from a mode's components belong to none. */
const FAR = 4

/** Runs of neighbouring components that carry weight, the heaviest first. `breaks`: where a new stroke begins. */
export function posteriorModes(
  { features, means, weights }: MixturePosterior,
  breaks: readonly number[],
): Mode[] {
  const largest = weights.reduce((most, weight) => Math.max(most, weight), 0)
  const runs: number[][] = []
  weights.forEach((weight, k) => {
    if (weight < LEAST_WEIGHT * largest) return
    const run = runs.at(-1)
    if (run?.at(-1) === k - 1 && !breaks.includes(k)) run.push(k)
    else runs.push([k])
  })
  const modes: Mode[] = []
  for (const run of runs) {
    const mode = modeOf(run, means, weights, features)
    const near = modes.findIndex(({ centre }) => distance(centre, mode.centre) < MERGED)
    if (near < 0) modes.push(mode)
    else modes[near] = modeOf([...modes[near]!.components, ...run], means, weights, features)
  }
  return modes.filter(({ share }) => share >= LEAST_SHARE).sort((one, other) => other.share - one.share)
}

function modeOf(
  components: readonly number[],
  means: Float64Array,
  weights: Float64Array,
  features: number,
): Mode {
  const share = components.reduce((sum, k) => sum + weights[k]!, 0)
  const centre = new Float64Array(features)
  for (const k of components) {
    for (let i = 0; i < features; i += 1) centre[i]! += (weights[k]! / share) * means[k * features + i]!
  }
  return { centre, share, components }
}

function distance(a: Float64Array, b: Float64Array): number {
  return Math.hypot(...a.map((value, i) => value - b[i]!))
}

/** Share of samples [count, features] at each mode, and the rest. Samples belong to the mode of their nearest component. */
export function sampleShares(
  { features, means, covariance }: MixturePosterior,
  modes: readonly Mode[],
  samples: ArrayLike<number>,
): { readonly shares: readonly number[]; readonly elsewhere: number } {
  let trace = 0
  for (let i = 0; i < features; i += 1) trace += covariance[i * features + i]!
  const reach = FAR ** 2 * trace
  const counts = modes.map(() => 0)
  const total = samples.length / features
  for (let s = 0; s < total; s += 1) {
    let [best, nearest] = [-1, reach]
    modes.forEach(({ components }, mode) => {
      for (const k of components) {
        let squared = 0
        for (let i = 0; i < features; i += 1) {
          squared += (samples[s * features + i]! - means[k * features + i]!) ** 2
        }
        if (squared < nearest) [best, nearest] = [mode, squared]
      }
    })
    if (best >= 0) counts[best]! += 1
  }
  const shares = counts.map((count) => count / Math.max(1, total))
  return { shares, elsewhere: 1 - shares.reduce((sum, share) => sum + share, 0) }
}
