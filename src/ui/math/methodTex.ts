/** A method's estimate as TeX: what comes from the observation in its colour, the covariance in the method's. */
import { methodDefinitions } from '../../experiments/mixture/methodDefinitions'
import type { MethodId } from '../../experiments/mixture/settings'
import type { Colours } from '../theme'

const SYMBOLS = /\\operatorname\*?\{[^}]*\}|\\Sigma_y|\\sigma_y|\\[A-Za-z]+|(?<![A-Za-z])[AyrVJ](?![A-Za-z])/g
const FROM_OBSERVATION: readonly string[] = ['\\Sigma_y', '\\sigma_y', 'A', 'y', 'r']
const OF_METHOD: readonly string[] = ['V', 'J']

/** TeX with its symbols in the plot's colours. */
export function colouredTex(tex: string, method: string, observation: string): string {
  return tex.replace(SYMBOLS, (symbol) => {
    if (FROM_OBSERVATION.includes(symbol)) return `\\textcolor{${observation}}{${symbol}}`
    if (OF_METHOD.includes(symbol)) return `\\textcolor{${method}}{${symbol}}`
    return symbol
  })
}

export function estimateTex(method: MethodId, colours: Colours): string {
  const { tex } = methodDefinitions[method]
  const isEstimate = tex.startsWith('\\hat{x}') || tex.startsWith('\\operatorname')
  const whole = isEstimate ? `\\mathbb{E}[x \\mid x_t, y] \\approx ${tex}` : tex
  // Breaks at the comma before V or ℓ, so that it fits beside the picture on a phone too.
  const parts = whole.split(', \\quad ')
  const lines = parts.length > 1 ? `\\begin{gathered} ${parts.join(', \\\\ ')} \\end{gathered}` : whole
  return colouredTex(lines, colours.methods[method], colours.observation)
}
