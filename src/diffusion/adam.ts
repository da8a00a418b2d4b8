/**
 * Adam with global-norm clipping, a linear learning-rate schedule and averaged weights.
 *
 *     g ← g min(1, clip / ‖g‖)
 *     m ← β1 m + (1 - β1) g        v ← β2 v + (1 - β2) g²
 *     w ← w - lr (m / (1 - β1^k)) / (√(v / (1 - β2^k)) + ε),  k from 1
 *
 * Source: Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015, Algorithm 1.
 */

export interface AdamOptions {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
}

/** Rate at step k (from 0) of `steps`: start + (end - start) min((k + 1)/(steps + 1), 1). */
export function learningRateAt(
  k: number,
  steps: number,
  rate: { readonly start: number; readonly end: number },
): number {
  return rate.start + (rate.end - rate.start) * Math.min((k + 1) / (steps + 1), 1)
}

/**
 * Decay of the weight average after step k (from 0): average ← decay · average + (1 - decay) · weights. It rises
 * to `decay` as min(decay, (k + 1)/(k + 10)), so that a short training does not average in its starting weights.
 */
export function averagingDecayAt(k: number, decay: number): number {
  return Math.min(decay, (k + 1) / (k + 10))
}

/** Scales `gradient` to norm `maxNorm` where its norm is above; returns the norm before. */
export function clipToNorm(gradient: Float64Array, maxNorm: number): number {
  let square = 0
  for (let i = 0; i < gradient.length; i++) square += gradient[i]! ** 2
  const norm = Math.sqrt(square)
  if (norm > maxNorm) {
    const scale = maxNorm / norm
    for (let i = 0; i < gradient.length; i++) gradient[i]! *= scale
  }
  return norm
}

/** The optimizer's state for one flat array of weights. */
export class Adam {
  private readonly first: Float64Array
  private readonly second: Float64Array
  private steps = 0

  constructor(
    count: number,
    private readonly options: AdamOptions,
  ) {
    this.first = new Float64Array(count)
    this.second = new Float64Array(count)
  }

  /** One update of `weights` in place. */
  step(weights: Float64Array, gradient: Float64Array, learningRate: number): void {
    const { beta1, beta2, epsilon } = this.options
    const { first, second } = this
    this.steps++
    const correction1 = 1 - beta1 ** this.steps
    const correction2 = 1 - beta2 ** this.steps
    for (let i = 0; i < weights.length; i++) {
      const g = gradient[i]!
      const m = beta1 * first[i]! + (1 - beta1) * g
      const v = beta2 * second[i]! + (1 - beta2) * g * g
      first[i] = m
      second[i] = v
      weights[i]! -= (learningRate * (m / correction1)) / (Math.sqrt(v / correction2) + epsilon)
    }
  }
}
