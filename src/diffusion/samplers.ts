/**
 * The samplers by name, the plans they make, and how a plan runs. A new sampler is one line here.
 *
 *     x ← a·x + b·d(x, sigma) + c·ε
 */
import { ddimStep } from './samplers/ddim'
import { ddpmStep } from './samplers/ddpm'
import { predictorCorrectorSteps } from './samplers/predictorCorrector'
import { noiseLevels } from './schedule'
import type { AffineStep, MeanEstimator, Plan, Schedule } from './types'

export interface SamplerOptions {
  /** Noise levels between sigmaMax and sigmaMin. */
  readonly steps: number
  /** Noise of `ddim`. */
  readonly eta: number
  /** Langevin corrections after each step of `pc`. */
  readonly corrections: number
  /** Size of a correction of `pc`. */
  readonly delta: number
}

type StepMaker = (sigmaT: number, sigmaS: number, options: SamplerOptions) => readonly AffineStep[]

export const samplers = {
  pc: (sigmaT, sigmaS, { corrections, delta }) => predictorCorrectorSteps(sigmaT, sigmaS, corrections, delta),
  ddpm: (sigmaT, sigmaS) => [ddpmStep(sigmaT, sigmaS)],
  ddim: (sigmaT, sigmaS, { eta }) => [ddimStep(sigmaT, sigmaS, eta)],
} as const satisfies Record<string, StepMaker>

export type SamplerName = keyof typeof samplers

/** Steps from sigmaMax to sigmaMin at t = linspace(1, 0, steps + 1), then x_0 = d(x, sigmaMin). */
export function samplerPlan(name: SamplerName, schedule: Schedule, options: SamplerOptions): Plan {
  const levels = noiseLevels(schedule, options.steps)
  const plan: AffineStep[] = []
  for (let i = 0; i < options.steps; i++) plan.push(...samplers[name](levels[i]!, levels[i + 1]!, options))
  plan.push({ sigma: schedule.sigmaMin, a: 0, b: 1, c: 0 })
  return plan
}

/** Writes ε ~ N(0, I) for plan step `step` to `out` [batch, features]. */
export type NoiseSource = (step: number, out: Float64Array) => void

/** One step on a batch, in place. `noise` holds ε, unused where c = 0. */
export function applyStep(
  estimator: MeanEstimator,
  step: AffineStep,
  x: Float64Array,
  noise: Float64Array,
): void {
  const { sigma, a, b, c } = step
  const d = estimator.denoise(x, new Float64Array(x.length / estimator.features).fill(sigma), step)
  if (c === 0) for (let i = 0; i < x.length; i++) x[i] = a * x[i]! + b * d[i]!
  else for (let i = 0; i < x.length; i++) x[i] = a * x[i]! + b * d[i]! + c * noise[i]!
}

/** Runs a whole plan. xStart [batch, features] ~ the start distribution → samples [batch, features]. */
export function runPlan(
  estimator: MeanEstimator,
  plan: Plan,
  xStart: Float64Array,
  noise: NoiseSource,
): Float64Array {
  const x = xStart.slice()
  const epsilon = new Float64Array(x.length)
  plan.forEach((step, index) => {
    if (step.c !== 0) noise(index, epsilon)
    applyStep(estimator, step, x, epsilon)
  })
  return x
}
