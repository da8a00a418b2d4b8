/**
 * Figure 2 as an SVG picture: the Sinkhorn divergence between q(x_t | y) and p(x_t | y) against sigma_t, both on
 * logarithmic axes, a median line and a band between the quartiles for each covariance.
 */
import type { Figure2Quartile } from '../experiments/mixture/figure2'
import type { CovarianceName } from '../diffusion/types'

const WIDTH = 760
const HEIGHT = 500
const MARGIN = { left: 84, right: 24, top: 24, bottom: 116 }

/** The page's colours on white paper (src/ui/theme.ts, which the command line may not import). */
const styles: Readonly<Record<CovarianceName, { colour: string; dash: string; label: string }>> = {
  tweedie: { colour: '#b87700', dash: '', label: 'Tweedie (MMPS)' },
  gaussian: { colour: '#2f8fc9', dash: '8 4', label: 'Gaussian fit' },
  identity: { colour: '#7c8794', dash: '2 4', label: 'σ_t² I' },
  zero: { colour: '#1c2430', dash: '10 4 2 4', label: '0' },
  pigdm: { colour: '#7d6bc4', dash: '6 3', label: 'ΠGDM' },
  tmpd: { colour: '#a0457d', dash: '4 4', label: 'TMPD' },
}

/** Quartiles of at least one noise level → the picture. Error: RangeError where there are none. */
export function figure2Svg(quartiles: readonly Figure2Quartile[], caption: string): string {
  if (quartiles.length === 0) throw new RangeError('Figure 2 has no rows to draw.')
  const sigmas = quartiles.map(({ sigma }) => sigma)
  const x = logAxis(Math.min(...sigmas), Math.max(...sigmas), MARGIN.left, WIDTH - MARGIN.right)
  const lowest = Math.min(...quartiles.map(({ low }) => low))
  const highest = Math.max(...quartiles.map(({ high }) => high))
  const y = logAxis(lowest, highest, HEIGHT - MARGIN.bottom, MARGIN.top)
  const bottom = HEIGHT - MARGIN.bottom
  const grid = [
    ...decades(Math.min(...sigmas), Math.max(...sigmas)).map(
      (value) =>
        `<path class="grid" d="M${x(value)} ${MARGIN.top}V${bottom}"/><text x="${x(value)}" y="${bottom + 20}" text-anchor="middle">${format(value)}</text>`,
    ),
    ...decades(lowest, highest).map(
      (value) =>
        `<path class="grid" d="M${MARGIN.left} ${y(value)}H${WIDTH - MARGIN.right}"/><text x="${MARGIN.left - 8}" y="${y(value) + 5}" text-anchor="end">${format(value)}</text>`,
    ),
  ]
  const names = [...new Set(quartiles.map(({ covariance }) => covariance))]
  const curves = names.map((name) => {
    const { colour, dash } = styles[name]
    const points = quartiles
      .filter(({ covariance }) => covariance === name)
      .toSorted((one, other) => one.sigma - other.sigma)
    const upper = points.map(({ sigma, high }) => `${x(sigma)},${y(high)}`)
    const lower = points.toReversed().map(({ sigma, low }) => `${x(sigma)},${y(low)}`)
    const middle = points.map(({ sigma, median }) => `${x(sigma)},${y(median)}`)
    const dots = points.map(
      ({ sigma, median }) => `<circle cx="${x(sigma)}" cy="${y(median)}" r="3.5" fill="${colour}"/>`,
    )
    return [
      `<polygon points="${[...upper, ...lower].join(' ')}" fill="${colour}" fill-opacity="0.14"/>`,
      `<polyline points="${middle.join(' ')}" fill="none" stroke="${colour}" stroke-width="2.2" stroke-dasharray="${dash}"/>`,
      ...dots,
    ].join('')
  })
  const step = (WIDTH - MARGIN.left - MARGIN.right) / names.length
  const legend = names.map((name, i) => {
    const { colour, dash, label } = styles[name]
    const left = MARGIN.left + i * step
    return `<path d="M${left} ${HEIGHT - 48}h30" stroke="${colour}" stroke-width="2.2" stroke-dasharray="${dash}"/><text x="${left + 38}" y="${HEIGHT - 43}">${subscripts(label)}</text>`
  })
  const centre = (MARGIN.left + WIDTH - MARGIN.right) / 2
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="14" fill="#1c2430">`,
    '<style>.grid{stroke:#e3e7ec;stroke-width:1}</style>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...grid,
    ...curves,
    `<text x="${centre}" y="${bottom + 42}" text-anchor="middle">${subscripts('noise level σ_t')}</text>`,
    `<text transform="translate(22 ${(MARGIN.top + bottom) / 2}) rotate(-90)" text-anchor="middle">Sinkhorn divergence (length²)</text>`,
    ...legend,
    `<text x="${MARGIN.left}" y="${HEIGHT - 14}" font-size="12" fill="#5a6779">${escape(caption)}</text>`,
    '</svg>',
    '',
  ].join('\n')
}

/** Value → position, rounded to tenths of a pixel. */
function logAxis(low: number, high: number, from: number, to: number): (value: number) => number {
  const [first, last] = low < high ? [Math.log(low), Math.log(high)] : [Math.log(low) - 1, Math.log(low) + 1]
  return (value) => Math.round(10 * (from + ((Math.log(value) - first) / (last - first)) * (to - from))) / 10
}

/** Powers of ten from `low` to `high`; the ends themselves where there is none. */
function decades(low: number, high: number): number[] {
  const exponents: number[] = []
  for (let e = Math.ceil(Math.log10(low) - 1e-9); e <= Math.log10(high) + 1e-9; e++) exponents.push(e)
  return exponents.length > 0 ? exponents.map((e) => 10 ** e) : [...new Set([low, high])]
}

function format(value: number): string {
  return value >= 1e-3 && value < 1e4 ? String(Number(value.toPrecision(3))) : value.toExponential(0)
}

/** σ_t with a lowered t. */
function subscripts(text: string): string {
  return escape(text).replaceAll('_t', '<tspan dy="4" font-size="10">t</tspan><tspan dy="-4"> </tspan>')
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
