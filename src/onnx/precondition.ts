/**
 * How a network becomes a denoiser: the numbers that surround it at each noise level.
 *
 * Here x = x_0 + sigma ε with images over [-1, 1]. The model sees pixels p = g x + h over `range` = [lo, hi],
 * g = (hi - lo)/2, h = (hi + lo)/2, and so the noise level s = g sigma:
 *
 *     network input    c_in (g x + h)                   c_in = 1 (ve) or 1/√(1 + s²) (vp, which makes √ᾱ p_0 + √(1 - ᾱ) ε)
 *     prediction       p_0 = c_skip (g x + h) + c_out N
 *
 *     x0         c_skip = 0            c_out = 1
 *     epsilon    c_skip = 1            c_out = -s           p = p_0 + s ε
 *     v          c_skip = 1/(1 + s²)   c_out = -s/√(1+s²)   v = √ᾱ ε - √(1-ᾱ) p_0, √ᾱ = 1/√(1+s²) (Salimans & Ho 2022)
 *     score      c_skip = 1            c_out = s² c_in      Tweedie: p_0 = p + s² ∇ log q(p); N is the gradient with
 *                                                           respect to c_in p, so that of p is c_in N
 *
 * and x_0 = (p_0 - h)/g. In the graph (src/onnx/wrap.ts) that is
 *
 *     d = skip x + out N(scale x + shift, noise) + offset
 *     scale = c_in g    shift = c_in h    skip = c_skip    out = c_out / g    offset = (c_skip - 1) h / g
 *
 * The noise input is s, scale · ln s, or scale · t(s) (src/onnx/timesteps.ts).
 */
import type { DenoiserContract } from './contract'
import type { ElementType } from './graph'
import { isFloat } from './tensor'
import { timestepOf, timestepSigmas } from './timesteps'

export type Coefficient = 'scale' | 'shift' | 'skip' | 'out' | 'offset'

/** The numbers of the module's equations, at the model's own noise level s. */
export function coefficients(
  s: number,
  [low, high]: readonly [number, number],
  predicts: DenoiserContract['predicts'],
  process: DenoiserContract['process'],
): Record<Coefficient, number> {
  const gain = (high - low) / 2
  const centre = (high + low) / 2
  const root = Math.sqrt(1 + s * s)
  const cIn = process === 'vp' ? 1 / root : 1
  const [cSkip, cOut] = {
    x0: [0, 1] as const,
    epsilon: [1, -s] as const,
    v: [1 / (1 + s * s), -s / root] as const,
    score: [1, s * s * cIn] as const,
  }[predicts]
  return {
    scale: cIn * gain,
    shift: cIn * centre,
    skip: cSkip,
    out: cOut / gain,
    offset: ((cSkip - 1) * centre) / gain,
  }
}

/** Coefficients that are not neutral at two very different noise levels. */
export function usedCoefficients({ range, predicts, process }: DenoiserContract): Set<Coefficient> {
  const neutral: Record<Coefficient, number> = { scale: 1, shift: 0, skip: 0, out: 1, offset: 0 }
  const levels = [0.3, 30].map((s) => coefficients(s, range, predicts, process))
  const names = Object.keys(neutral) as Coefficient[]
  return new Set(names.filter((name) => levels.some((values) => Math.abs(values[name] - neutral[name]) > 0)))
}

/** What the network is told at its noise level s. */
export function noiseLevels({ takes }: DenoiserContract, type: ElementType): (s: number) => number {
  switch (takes.kind) {
    case 'sigma':
      return (s) => s
    case 'log-sigma':
      return (s) => takes.scale * Math.log(s)
    case 'timestep': {
      const sigmas = timestepSigmas(takes.alphas)
      const scale = takes.scale ?? 1
      const whole = !isFloat(type)
      return (s) => {
        const t = scale * timestepOf(sigmas, s)
        return whole ? Math.round(t) : t
      }
    }
  }
}
