/**
 * Whether an implementation computes what is measured: its `result()` against the float64 twins of src/diffusion.
 *
 *     forward, mmps   samples spread over the batch; ‖a - b‖/‖b‖ over all of them, because single components may be near zero.
 *                     1e-4 is a hundred roundings of float32 through four layers of sums of 256; an MMPS step divides by a
 *                     2 × 2 system, whose condition costs another digit
 *     training        the losses to 1e-4, as the forward pass; the change of the weights to 1e-2 in norm, because Adam's
 *                     first steps are about ± the learning rate each, and a gradient that rounding takes through zero changes
 *                     its sign. At small batches against the twin, at the measured batch against this project, which the
 *                     twin has confirmed
 */
import { CHECKED_STEPS, type CaseName, trainingResult } from './peer'
import { type Inputs, NEXT_SIGMA, OBSERVED, SIGMA_Y, STEP_SIGMA, mmpsPosterior, training } from './cases'
import { train } from '../src/diffusion/cpuTraining'
import { MlpDenoiser } from '../src/diffusion/mlpDenoiser'
import { createPosterior } from '../src/diffusion/posterior'
import { applyStep } from '../src/diffusion/samplers'
import { ddimStep } from '../src/diffusion/samplers/ddim'
import { relativeError } from './statistics'

export const tolerances = { forward: 1e-4, mmps: 1e-3, loss: 1e-4, weights: 1e-2 } as const

export interface Comparison {
  /** For example "forward" or "weights after 3 steps". */
  readonly what: string
  /** Relative, in norm. */
  readonly error: number
  readonly tolerance: number
}

export function passes({ error, tolerance }: Comparison): boolean {
  return error <= tolerance
}

/** Samples that the twins evaluate: float64 in TypeScript is slow. */
const CHECKED_SAMPLES = 64

/** Indices spread over a batch, its first and last among them. */
function spreadIndices(batch: number): number[] {
  const count = Math.min(CHECKED_SAMPLES, batch)
  return Array.from({ length: count }, (_, i) => Math.round((i * (batch - 1)) / Math.max(1, count - 1)))
}

/** Rows `indices` of a matrix of `width` columns. */
function rows(values: ArrayLike<number>, width: number, indices: readonly number[]): Float64Array {
  return Float64Array.from({ length: indices.length * width }, (_, i) => {
    return values[indices[Math.floor(i / width)]! * width + (i % width)]!
  })
}

/** What a result is compared with: worked out once for all implementations. */
export interface Reference {
  compare(result: Float32Array): Comparison[]
}

/** The float64 twins' answer. `training` takes seconds a thousand batch elements. */
export async function twinReference(name: CaseName, inputs: Inputs): Promise<Reference> {
  return name === 'training'
    ? trainingReference(inputs, await twinTraining(inputs))
    : pointReference(name, inputs)
}

function pointReference(name: Exclude<CaseName, 'training'>, inputs: Inputs): Reference {
  const { network, batch } = inputs
  const { features } = network
  const indices = spreadIndices(batch)
  const denoiser = new MlpDenoiser(network, Float64Array.from(inputs.weights))
  let expected: Float64Array
  if (name === 'forward') {
    expected = denoiser.denoise(rows(inputs.xT, features, indices), rows(inputs.sigma, 1, indices))
  } else {
    const observations = {
      count: indices.length,
      features,
      observed: OBSERVED,
      A: rows(inputs.A, OBSERVED * features, indices),
      y: rows(inputs.y, OBSERVED, indices),
      sigmaY: SIGMA_Y,
    }
    const posterior = createPosterior(denoiser, observations, mmpsPosterior(name))
    expected = rows(inputs.stepX, features, indices)
    applyStep(posterior, ddimStep(STEP_SIGMA, NEXT_SIGMA, 0), expected, new Float64Array(expected.length))
  }
  const tolerance = name === 'forward' ? tolerances.forward : tolerances.mmps
  return {
    compare(result) {
      const complete = result.length === batch * features
      const error = complete ? relativeError(rows(result, features, indices), expected) : Infinity
      return [{ what: name, error, tolerance }]
    },
  }
}

/** Losses of CHECKED_STEPS steps, then the weights after them, as `Bound.result` gives them. */
async function twinTraining(inputs: Inputs): Promise<Float32Array> {
  const { network, weights, samples, batch } = inputs
  const { losses, weights: last } = await train({
    ...training,
    network,
    weights,
    samples,
    batch,
    steps: CHECKED_STEPS,
    learningRate: { start: training.learningRate, end: training.learningRate },
    averaging: 0,
  })
  return trainingResult(losses, last)
}

/** Compares training with another implementation's result. */
export function trainingReference({ weights }: Pick<Inputs, 'weights'>, expected: Float32Array): Reference {
  const change = (result: Float32Array): Float64Array =>
    Float64Array.from(result.subarray(CHECKED_STEPS), (weight, i) => weight - weights[i]!)
  return {
    compare: (result) => [
      {
        what: `losses of ${CHECKED_STEPS} steps`,
        error: relativeError(result.subarray(0, CHECKED_STEPS), expected.subarray(0, CHECKED_STEPS)),
        tolerance: tolerances.loss,
      },
      {
        what: 'change of the weights',
        error: relativeError(change(result), change(expected)),
        tolerance: tolerances.weights,
      },
    ],
  }
}
