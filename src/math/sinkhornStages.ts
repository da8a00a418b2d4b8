/**
 * The stages of a Sinkhorn run: which regularisation, over-relaxation and start each iteration has.
 *
 * At a small ε potentials move by about ε an iteration, far too slowly for clouds that are many ε apart. Epsilon scaling
 * therefore starts at a large ε and divides it stage by stage. Three things make a few iterations a stage enough:
 *
 *     start   the optimal potentials are nearly affine in ε, so a stage starts on the line through the ends of the two
 *             before:  f ← f + (ε_s-1 - ε_s)/(ε_s-2 - ε_s-1) (f - f_previous)
 *     update  in a stage's first iteration the plain one, f̃_i; then f_i ← f̃_i + (ω - 1) min(f̃_i - f_i, 2 (2 - ω) ε). The dual objective never falls:
 *             with z = (f̃_i - f_i)/ε it gains ω z - e^((ω-1) z) + e^-z, which is positive for z below 2 (2 - ω)
 *     cost    see Sinkhorn.correctedCost
 *
 * Source: Schmitzer, "Stabilized sparse scaling algorithms", SIAM J. Sci. Comput. 2019 (scaling); Thibault et al.,
 * "Overrelaxed Sinkhorn-Knopp algorithm", 2021 (over-relaxation).
 */

export interface EpsilonScaling {
  /** ε of the first stage, in units of the cost; about the largest cost. */
  readonly from: number
  /** Above 1: each stage divides ε by it. */
  readonly factor: number
}

export interface SinkhornStage {
  readonly regularization: number
  /** Iterations; the last stage runs until it has converged. */
  readonly iterations: number
  /** ω after the first iteration: 1 is the plain update. */
  readonly relaxation: number
  /** Factor of the potentials' last change that is added at the start. */
  readonly extrapolation: number
}

const STAGE_ITERATIONS = 8
const RELAXATION = 1.8

/** Largest raise of a potential that is over-relaxed, in units of ε. */
export function largestRaise(relaxation: number): number {
  return 2 * (2 - relaxation)
}

/** All stages of a run; one plain stage without scaling. Error: RangeError where the scaling does not end. */
export function sinkhornStages({
  regularization,
  scaling,
}: {
  readonly regularization: number
  readonly scaling?: EpsilonScaling
}): readonly SinkhornStage[] {
  if (!scaling) return [{ regularization, iterations: Infinity, relaxation: 1, extrapolation: 0 }]
  const { from, factor } = scaling
  if (!(factor > 1 && Number.isFinite(from))) {
    throw new RangeError('Epsilon scaling needs a finite start and a factor above 1.')
  }
  const levels: number[] = []
  // a level next to the last would only repeat it
  for (let level = from; level > 1.01 * regularization; level /= factor) levels.push(level)
  levels.push(regularization)
  return levels.map((level, s) => ({
    regularization: level,
    iterations: s === levels.length - 1 ? Infinity : STAGE_ITERATIONS,
    relaxation: RELAXATION,
    extrapolation: s < 2 ? 0 : (levels[s - 1]! - level) / (levels[s - 2]! - levels[s - 1]!),
  }))
}

/** One iteration's place among the stages. */
export interface SinkhornIteration {
  readonly stage: SinkhornStage
  readonly index: number
  /** Whether it is its stage's first: it starts there, and is plain. */
  readonly first: boolean
  /** Whether its stage is the last. */
  readonly last: boolean
}

/** The place of iteration k, from 0. */
export function iterationAt(stages: readonly SinkhornStage[], k: number): SinkhornIteration {
  let begin = 0
  let index = 0
  while (k >= begin + stages[index]!.iterations) begin += stages[index++]!.iterations
  return { stage: stages[index]!, index, first: k === begin, last: index === stages.length - 1 }
}

/** The plain iteration after all others, which `Sinkhorn.correctedCost` needs. */
export function settlingIteration(stages: readonly SinkhornStage[]): SinkhornIteration {
  const index = stages.length - 1
  return { stage: { ...stages[index]!, extrapolation: 0 }, index, first: true, last: true }
}
