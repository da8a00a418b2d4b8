/** Plain text for the TeX of this page's symbols, for the moment before KaTeX is there. */

const SYMBOLS: Readonly<Record<string, string>> = {
  alpha: 'α',
  beta: 'β',
  gamma: 'γ',
  delta: 'δ',
  epsilon: 'ε',
  eta: 'η',
  lambda: 'λ',
  sigma: 'σ',
  Sigma: 'Σ',
  tau: 'τ',
  theta: 'θ',
  mid: '|',
  succeq: '⪰',
  lVert: '‖',
  rVert: '‖',
  min: 'min',
  max: 'max',
}

export function plainTex(tex: string): string {
  return tex
    .replace(/\\textcolor\{[^}]*\}/g, '')
    .replace(/\\(text|mathrm|mathbb|mathcal|mathbf|operatorname)\b/g, '')
    .replace(/\\([A-Za-z]+)/g, (_, name: string) => SYMBOLS[name] ?? '')
    .replace(/\\./g, ' ')
    .replace(/[{}]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}
