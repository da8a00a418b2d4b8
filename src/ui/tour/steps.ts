/** The tour: six steps through the labs, in the order of the paper's argument. */
import type { PosteriorPresetName } from '../../experiments/mixture/presets'
import type { LabName } from '../../store/route'

export interface TourStep {
  readonly title: string
  /** Three or four sentences. */
  readonly text: string
  /** What to look at or to try. */
  readonly attempt: string
  readonly lab: LabName
  /** Preset that the step opens in the posterior lab. Steps in the manifold lab leave the run there as it is. */
  readonly preset?: PosteriorPresetName
  /** Which element it points at: the value of its `data-tour`. */
  readonly highlight: string
  /** Where the card would cover it on a wide screen: the other side. */
  readonly side?: 'left'
}

export const tourSteps: readonly TourStep[] = [
  {
    title: 'Points seen only through their shadows',
    text: 'Somewhere in space lies a curve, and each point on it is measured once: through its own random projection, with noise. No point is ever seen whole, as no patient is scanned from every side and no star seen from behind. The question of the paper is whether all these shadows together tell where the points live.',
    attempt:
      'Look at the blue triangle: the truth that nobody has seen. The other triangle is to become its mirror image.',
    lab: 'manifold',
    highlight: 'corners',
  },
  {
    title: 'What a denoiser knows',
    text: 'Suppose first that the prior is known. A diffusion prior is a denoiser: from a noisy point it gives the mean of the clean points behind it. Its Jacobian gives their covariance as well, for nothing more than a derivative (Tweedie’s formula). Near the curve this covariance is long along the curve and thin across it.',
    attempt:
      'Press Play and pause half-way, then click a point: its ellipses show each guess of the covariance beside the true one.',
    lab: 'posterior',
    preset: 'figure1',
    highlight: 'panel-a',
  },
  {
    title: 'Where earlier methods go astray',
    text: 'To sample a point given its shadow, each step needs the mean of x given both x_t and y. Earlier methods guess how uncertain x still is, or take a gradient step of a length that was tuned by hand. Their samples leave out a part of the posterior, give its parts the wrong weights, or spread off the curve.',
    attempt:
      'Compare the right picture with the exact posterior drawn in it, then drag the line to where it crosses the curve more than once.',
    lab: 'posterior',
    preset: 'dpsMissesMode',
    highlight: 'panel-b',
    side: 'left',
  },
  {
    title: 'Moment matching',
    text: 'The paper takes both moments from the denoiser: the mean it gives, and the covariance in its Jacobian (MMPS). The residual is then weighed direction by direction, at each point and each noise level, and nothing is left to tune. Only products with the Jacobian are needed, so a few steps of conjugate gradient do it in any dimension.',
    attempt:
      'Left: the full covariance. Right: only a diagonal of it. Click a point while the film is paused and compare the ellipses.',
    lab: 'posterior',
    preset: 'diagonalNotEnough',
    highlight: 'panel-a',
  },
  {
    title: 'The measure of it',
    text: 'Here the exact posterior is known, so every method can be held against it in numbers. The table does so for the setting on the screen, and Figure 2 for many random curves and every noise level. In the middle of the noise levels, where samples choose their place on the curve, Tweedie’s covariance is better by an order of magnitude.',
    attempt: 'Press “Run all methods”, then “Run Figure 2”: rows and curves appear while they are computed.',
    lab: 'posterior',
    highlight: 'table',
  },
  {
    title: 'Learning the prior itself',
    text: 'Now the prior is unknown again. Expectation-maximisation alternates: draw a point for every shadow with this very sampler, under the present prior; then train the prior on the points drawn. Each round explains the shadows better. The images lab takes the same sampler to pictures, your own as well.',
    attempt: 'Press Run and watch the lower triangle take the shape of the upper one.',
    lab: 'manifold',
    highlight: 'transport',
  },
]
