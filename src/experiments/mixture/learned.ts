/**
 * A prior that the manifold lab has learned, with what is true of it: the curve on which its data lie, as a mixture of 512
 * components at even z, which has the density of z ~ U(0, 1) along the curve.
 */
import type { Mixture, NetworkShape, Observations } from '../../diffusion/types'
import { covariance, mean } from '../../math/statistics'
import { createCurve, createDataset, type DataOrigin } from '../manifold/dataset'
import { keptSamples, type RunState } from '../manifold/diem'
import { networkShape, type ManifoldSettings } from '../manifold/settings'

/** A prior from the manifold lab, with the truth it was trained on. */
export interface LearnedPrior {
  readonly network: NetworkShape
  readonly weights: Float32Array
  /** The true distribution as a mixture along its curve. */
  readonly curve: Mixture
  readonly breaks: readonly number[]
  /** Moments of the record's samples, [features, features] and [features]. */
  readonly covX: Float64Array
  readonly mean: Float64Array
  /** The pairs that it learned from. */
  readonly observations: Observations
  /** For example "Curve in R^5, seed 0, EM iteration 9". */
  readonly description: string
  /** Noise levels that it was trained for. */
  readonly sigmaMin: number
  readonly sigmaMax: number
}

/** Components of a learned prior's true curve, and their standard deviation. */
const CURVE = { components: 512, thickness: 0.01 } as const

/**
 * The newest trained prior of a run of the manifold lab.
 * Errors: RangeError where nothing is trained yet, or the true curve is unknown because the data came from a file.
 */
export function learnedPrior(saved: {
  readonly settings: ManifoldSettings
  readonly state: RunState
  readonly origin: DataOrigin
}): LearnedPrior {
  const { settings, state, origin } = saved
  const record = state.records.findLast(({ weights }) => weights !== null)
  if (!record?.weights) {
    throw new RangeError(
      'The run has no trained prior yet: let it finish its first EM iteration in the manifold lab.',
    )
  }
  if (origin.kind === 'file') {
    throw new RangeError(
      `The run learned from ${origin.name}, whose true curve is unknown, so there is no exact posterior to compare with: ` +
        'open a run on a random or drawn curve.',
    )
  }
  const { features, seed, sigmaMin, sigmaMax } = settings
  const curve = createCurve(settings, origin.kind === 'drawn' ? origin.strokes : [])
  const { components, thickness } = CURVE
  const z = Float64Array.from({ length: components }, (_, k) => (k + 0.5) / components)
  const kept = keptSamples(record.samples, settings)
  const kind = origin.kind === 'drawn' ? 'Drawn curve' : `Curve of seed ${seed}`
  return {
    network: networkShape(settings),
    weights: record.weights,
    curve: { features, means: curve(z), thickness },
    breaks: [],
    covX: covariance(kept, features),
    mean: mean(kept, features),
    observations: createDataset(settings, origin).observations,
    description: `${kind} in R^${features}, EM iteration ${record.iteration}`,
    sigmaMin,
    sigmaMax,
  }
}
