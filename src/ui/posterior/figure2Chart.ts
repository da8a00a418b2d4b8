/** Figure 2: divergence of the approximate posterior against sigma_t, medians and quartiles over seeds, log-log. */
import type { Data } from 'plotly.js'
import type { CovarianceName } from '../../diffusion/types'
import { figure2Quartiles, type Figure2Quartile } from '../../experiments/mixture/figure2'
import type { PosteriorLab } from '../../store/posteriorTypes'
import { formatMeasure } from '../format'
import type { ChartContent } from '../plots/Chart'
import { noiseLevelLayout } from '../plots/chartLayout'
import type { Colours } from '../theme'
import { rgb } from '../theme'

export const watchFigure2 = (lab: PosteriorLab) => [lab.figure2.rows]

/** In the order of the legend; dash and symbol tell the curves apart without colour. */
const CURVES: Readonly<
  Record<
    CovarianceName,
    { readonly name: string; readonly dash: 'solid' | 'dash' | 'dot' | 'dashdot'; readonly symbol: string }
  >
> = {
  zero: { name: '0 (DPS)', dash: 'dot', symbol: 'x' },
  identity: { name: 'σ<sub>t</sub>² I', dash: 'dashdot', symbol: 'square' },
  pigdm: { name: 'ΠGDM', dash: 'dot', symbol: 'triangle-up' },
  tmpd: { name: 'TMPD', dash: 'dashdot', symbol: 'star' },
  gaussian: { name: 'Gaussian fit', dash: 'dash', symbol: 'diamond' },
  tweedie: { name: 'Tweedie (MMPS)', dash: 'solid', symbol: 'circle' },
}

export function figure2Chart(labs: readonly PosteriorLab[], colours: Colours): ChartContent | null {
  const { rows } = labs[0]!.figure2
  if (rows.length === 0) return null
  const quartiles = figure2Quartiles(rows)
  const curves = (Object.keys(CURVES) as CovarianceName[]).flatMap((covariance) => {
    const points = quartiles
      .filter((point) => point.covariance === covariance)
      .sort((one, other) => one.sigma - other.sigma)
    return points.length === 0 ? [] : [{ covariance, points }]
  })
  const data = curves.flatMap(({ covariance, points }) => tracesOf(covariance, points, colours))
  const layout = noiseLevelLayout(colours, 40, {
    title: { text: 'Sinkhorn divergence' },
    type: 'log',
    dtick: 1,
    exponentformat: 'power',
  })
  return { data, layout, description: describe(curves) }
}

/** Lower edge, band up to the upper edge, median. */
function tracesOf(covariance: CovarianceName, points: readonly Figure2Quartile[], colours: Colours): Data[] {
  const { name, dash, symbol } = CURVES[covariance]
  const color = colours.covariances[covariance]
  const x = points.map(({ sigma }) => sigma)
  const edge = {
    type: 'scatter',
    mode: 'lines',
    x,
    line: { width: 0 },
    hoverinfo: 'skip',
    showlegend: false,
  } as const
  const band: Data[] = points.some(({ count }) => count > 1)
    ? [
        { ...edge, y: points.map(({ low }) => low) },
        {
          ...edge,
          y: points.map(({ high }) => high),
          fill: 'tonexty',
          fillcolor: `rgba(${rgb(color).join(',')},0.18)`,
        },
      ]
    : []
  return [
    ...band,
    {
      type: 'scatter',
      mode: 'lines+markers',
      name,
      x,
      y: points.map(({ median }) => median),
      customdata: points.map(({ low, high, count }) => [formatMeasure(low), formatMeasure(high), count]),
      line: { color, width: covariance === 'tweedie' ? 2.6 : 1.8, dash },
      marker: { color, size: 7, symbol },
      hovertemplate: `${name}, σ<sub>t</sub> = %{x}: %{y:.3g}<br>quartiles %{customdata[0]} to %{customdata[1]}, %{customdata[2]} seeds<extra></extra>`,
    },
  ]
}

function describe(
  curves: readonly { covariance: CovarianceName; points: readonly Figure2Quartile[] }[],
): string {
  const parts = curves.map(({ covariance, points }) => {
    const values = points.map(({ sigma, median }) => `${sigma}: ${formatMeasure(median)}`)
    return `${CURVES[covariance].name.replaceAll(/<[^>]*>/g, '')}: ${values.join(', ')}.`
  })
  return `Median Sinkhorn divergence by noise level. ${parts.join(' ')}`
}
