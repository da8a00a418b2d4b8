/**
 * What a comparison of posterior methods grants each of them: the same number of steps, or the same number of network
 * evaluations.
 */
import type { ImageMethodName } from '../../diffusion/image/types'
import { imageMethods } from './methodDefinitions'
import { imageSettings, type ImagesSettings } from './settings'

/** Forwards that a VJP counts as, until it was measured. */
export const NOMINAL_VJP_COST = 2

type MethodSettings = Pick<ImagesSettings, 'method' | 'solver' | 'iterations'>

/** Network passes of one estimate E[x | x_t, y]. */
export function passesPerEstimate({ method, solver, iterations }: MethodSettings): {
  readonly forward: number
  readonly vjp: number
} {
  switch (method) {
    case 'mmps': {
      if (iterations === 0) return { forward: 1, vjp: 0 }
      const products = solver === 'bicgstab' ? 2 * iterations : iterations
      return { forward: 1, vjp: products + 1 }
    }
    case 'tmpd':
      return { forward: 1, vjp: 2 }
    case 'pigdm':
    case 'dps':
      return { forward: 1, vjp: 1 }
    case 'diffpir':
    case 'jfps':
      return { forward: 1, vjp: 0 }
  }
}

/** Estimates of one sampler step: the predictor-corrector asks twice. */
export function estimatesPerStep({ sampler }: Pick<ImagesSettings, 'sampler'>): number {
  return sampler === 'pc' ? 2 : 1
}

/** Evaluations that a whole run takes, in forwards: its steps, and the last estimate, which gives x_0. */
export function evaluationsOf(settings: ImagesSettings, vjpCost = NOMINAL_VJP_COST): number {
  return (settings.steps * estimatesPerStep(settings) + 1) * costOfEstimate(settings, vjpCost)
}

function costOfEstimate(settings: MethodSettings, vjpCost: number): number {
  const { forward, vjp } = passesPerEstimate(settings)
  return forward + vjpCost * vjp
}

/**
 * A run of each method beside `settings`. With `equal: 'evaluations'` each takes as many steps as pass through the
 * network as often as `settings` do, as nearly as whole steps can, within the range of `steps`.
 */
export function comparedSettings(
  settings: ImagesSettings,
  methods: readonly ImageMethodName[],
  vjpCost = NOMINAL_VJP_COST,
): readonly ImagesSettings[] {
  const { steps: range } = imageSettings
  return methods.map((method) => {
    const own = { ...settings, method }
    if (settings.equal === 'steps' || range.kind !== 'number') return own
    const budget = evaluationsOf(settings, vjpCost)
    const steps = Math.round((budget / costOfEstimate(own, vjpCost) - 1) / estimatesPerStep(own))
    return { ...own, steps: Math.min(Math.max(steps, range.minimum), range.maximum) }
  })
}

/** The name of a method with the numbers that it takes: "MMPS(1)", "DPS, ζ = 0.5". */
export function methodLabel({ method, iterations, guidance, proximity }: ImagesSettings): string {
  const { label } = imageMethods[method]
  if (method === 'mmps') return `${label}(${iterations})`
  if (method === 'dps') return `${label}, ζ = ${guidance}`
  return method === 'diffpir' ? `${label}, λ = ${proximity}` : label
}
