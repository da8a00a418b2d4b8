/**
 * What each posterior method is: its names, what it does in plain words, its estimate of E[x | x_t, y] and who proposed
 * it. In the equations x̂ = d(x_t), J = ∂d/∂x_t, and r = y - A x̂.
 */
import type { CovarianceName } from '../../diffusion/types'
import type { MethodId, MethodSettings } from './settings'

export interface MethodDefinition {
  /** Short, for a legend or a table's row. */
  readonly label: string
  readonly name: string
  /** One sentence. */
  readonly explanation: string
  /** The estimate, as TeX. */
  readonly tex: string
  readonly reference: string
  /** Settings that matter beside `method`. */
  readonly uses: readonly (keyof MethodSettings)[]
  /** V of the methods that are moment matching with one. */
  readonly covariance?: CovarianceName
}

const momentMatching = (V: string) =>
  `\\hat{x} + \\sigma_t^2 J^\\top A^\\top (\\Sigma_y + A V A^\\top)^{-1} r, \\quad V = ${V}`

const solver = ['solver', 'solverIterations'] as const

export const methodDefinitions: Readonly<Record<MethodId, MethodDefinition>> = {
  mmps: {
    label: 'MMPS',
    name: 'Moment matching posterior sampling',
    explanation:
      'The residual is weighed by how uncertain x still is at x_t, in each direction: the denoiser’s own Jacobian says so.',
    tex: momentMatching('\\sigma_t^2 J^\\top'),
    reference: 'Rozet, Andry, Lanusse, Louppe 2024',
    uses: solver,
    covariance: 'tweedie',
  },
  gaussian: {
    label: 'Gaussian fit',
    name: 'Moment matching with a Gaussian fit',
    explanation:
      'The uncertainty of x at x_t is taken from one Gaussian fitted to the whole prior: right for large noise, blind to where x_t is.',
    tex: momentMatching('(\\sigma_t^{-2} I + \\Sigma_x^{-1})^{-1}'),
    reference: 'Compared in Rozet et al. 2024, section 4.2',
    uses: solver,
    covariance: 'gaussian',
  },
  identity: {
    label: 'σ_t² I',
    name: 'Moment matching with the noise’s covariance',
    explanation:
      'x is thought as uncertain as the noise is large, in every direction: at large noise the observation is hardly heard.',
    tex: momentMatching('\\sigma_t^2 I'),
    reference: 'Adam, Coogan, Malkin, Legin, Perreault-Levasseur, Hezaveh, Bengio 2022',
    uses: solver,
    covariance: 'identity',
  },
  zero: {
    label: 'V = 0',
    name: 'Moment matching without a covariance',
    explanation:
      'x is thought known once x_t is: the observation pulls with all its weight from the first step on, far too strongly.',
    tex: momentMatching('0'),
    reference: 'The covariance behind DPS, Chung et al. 2023',
    uses: solver,
    covariance: 'zero',
  },
  pigdm: {
    label: 'ΠGDM',
    name: 'Pseudoinverse-guided diffusion',
    explanation:
      'x is thought as uncertain as under a standard normal prior, whatever the prior is and wherever x_t lies.',
    tex: momentMatching('\\frac{\\sigma_t^2}{1 + \\sigma_t^2} I'),
    reference: 'Song, Vahdat, Mardani, Kautz 2023',
    uses: solver,
    covariance: 'pigdm',
  },
  tmpd: {
    label: 'TMPD',
    name: 'Tweedie moment projected diffusion',
    explanation:
      'Tweedie’s covariance is squeezed into a diagonal of its row sums: cheap for images, lossy where coordinates are correlated.',
    tex: momentMatching('\\operatorname{diag}(\\sigma_t^2 J^\\top 1)'),
    reference: 'Boys, Girolami, Pidstrigach, Reich, Mosca, Akyildiz 2023',
    uses: solver,
    covariance: 'tmpd',
  },
  dps: {
    label: 'DPS',
    name: 'Diffusion posterior sampling',
    explanation:
      'After each step the sample moves by a fixed length down the slope of the residual, however small the residual is.',
    tex: 'x_s \\leftarrow x_s - \\zeta \\nabla_{x_t} \\lVert y - A \\hat{x} \\rVert_2',
    reference: 'Chung, Kim, McCann, Klasky, Ye 2023',
    uses: ['guidance'],
  },
  diffpir: {
    label: 'DiffPIR',
    name: 'Diffusion for plug-and-play image restoration',
    explanation:
      'The denoised point is replaced by the nearest compromise with the observation; λ says how much it is trusted.',
    tex: '\\operatorname*{argmin}_x \\frac{\\lVert y - A x \\rVert^2}{\\sigma_y^2} + \\lambda \\frac{\\lVert x - \\hat{x} \\rVert^2}{\\sigma_t^2}',
    reference: 'Zhu, Zhang, Liang, Cao, Wen, Timofte, Van Gool 2023',
    uses: ['proximity'],
  },
  jfps: {
    label: 'JFPS',
    name: 'Jacobian-free posterior sampling',
    explanation:
      'A Gaussian fit replaces the Jacobian altogether: no derivative of the denoiser is needed, and none of its detail used.',
    tex: '\\hat{x} + V A^\\top (\\Sigma_y + A V A^\\top)^{-1} r, \\quad V = (\\sigma_t^{-2} I + \\Sigma_x^{-1})^{-1}',
    reference: 'Rozet, azula 0.11',
    uses: [],
  },
  tds: {
    label: 'TDS',
    name: 'Twisted diffusion sampler',
    explanation:
      'Populations of particles follow MMPS and are weighed and resampled at each step, so that its errors vanish as they grow.',
    tex: '\\log w \\mathrel{+}= \\ell(x_s) - \\ell(x_t) + \\log \\frac{p(x_s \\mid x_t)}{q(x_s \\mid x_t, y)}, \\quad \\ell = \\log \\mathcal{N}(y \\mid A \\hat{x}, \\Sigma_y + A V A^\\top)',
    reference: 'Wu, Trippe, Naesseth, Blei, Cunningham 2023',
    uses: [...solver, 'particles'],
    covariance: 'tweedie',
  },
}
