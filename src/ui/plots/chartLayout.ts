/** What every plotly chart has in common: fonts, margins, colours of the theme. */
import type { Layout, Shape } from 'plotly.js'
import { formatMeasure } from '../format'
import { fontFamily, type Colours } from '../theme'

export function chartLayout(colours: Colours, overrides: Partial<Layout> = {}): Partial<Layout> {
  const axis: Partial<Layout['xaxis']> = {
    gridcolor: colours.grid,
    linecolor: colours.frame,
    zerolinecolor: colours.grid,
    tickcolor: colours.frame,
    ticks: 'outside',
    ticklen: 4,
    showline: true,
    automargin: true,
    title: { font: { size: 12 }, standoff: 6 },
    fixedrange: true,
  }
  const { xaxis, yaxis, ...others } = overrides
  return {
    font: { family: fontFamily, size: 11, color: colours.text },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    margin: { l: 52, r: 10, t: 8, b: 38 },
    showlegend: false,
    legend: { orientation: 'h', x: 1, xanchor: 'right', y: 1, yanchor: 'bottom', font: { size: 11 } },
    hovermode: 'closest',
    hoverlabel: { font: { family: fontFamily, size: 11 } },
    ...others,
    xaxis: merged(axis, xaxis),
    yaxis: merged(axis, yaxis),
  }
}

/** Of a chart over noise levels, for the curves' names and a log axis of them. `top`: room for the names. */
export function noiseLevelLayout(
  colours: Colours,
  top: number,
  yaxis: Partial<Layout['yaxis']>,
): Partial<Layout> {
  return chartLayout(colours, {
    showlegend: true,
    legend: { orientation: 'h', x: 0, xanchor: 'left', y: 1.02, yanchor: 'bottom', font: { size: 11 } },
    margin: { l: 58, r: 10, t: top, b: 42 },
    xaxis: { title: { text: 'noise level σ<sub>t</sub>' }, type: 'log', dtick: 1 },
    yaxis,
  })
}

/** A dotted line across the chart, where its number ought to be. */
export function expectedLine(value: number, colours: Colours): Partial<Shape> {
  return {
    type: 'line',
    xref: 'paper',
    x0: 0,
    x1: 1,
    y0: value,
    y1: value,
    line: { color: colours.observation, width: 1.5, dash: 'dot' },
  }
}

const TICK_SETS = [
  [1],
  [1, 3],
  [1, 2, 5],
  [1, 1.5, 2, 3, 5, 7],
  [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8, 9],
]
const FEWEST_TICKS = 3

/** Round values for a log axis from the smallest to the largest value: the sparsest set with three of them. */
export function logTicks(smallest: number, largest: number): number[] {
  let ticks: number[] = []
  for (const mantissas of TICK_SETS) {
    ticks = []
    for (let exponent = Math.floor(Math.log10(smallest)); exponent <= Math.log10(largest); exponent += 1) {
      for (const mantissa of mantissas) {
        const tick = Number(`${mantissa}e${exponent}`)
        if (tick >= smallest && tick <= largest) ticks.push(tick)
      }
    }
    if (ticks.length >= FEWEST_TICKS) return ticks
  }
  return ticks
}

/** A log axis that holds all values (and one expected value), with round ticks. */
export function logAxis(values: readonly number[], expected?: number): Partial<Layout['yaxis']> {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value))
  if (expected !== undefined) positive.push(expected)
  if (positive.length === 0) return { type: 'log' }
  const low = positive.reduce((best, value) => Math.min(best, value)) / 1.08
  const high = positive.reduce((best, value) => Math.max(best, value)) * 1.08
  const tickvals = logTicks(low, high)
  return {
    type: 'log',
    range: [Math.log10(low), Math.log10(high)],
    tickvals,
    ticktext: tickvals.map((tick) => formatMeasure(tick)),
  }
}

type Axis = Partial<Layout['xaxis']>

/** An axis of a chart with the common look. */
function merged(axis: Axis, overrides: Axis = {}): Axis {
  const title = typeof overrides.title === 'string' ? { text: overrides.title } : (overrides.title ?? {})
  return { ...axis, ...overrides, title: { ...(axis.title as object), ...title } }
}
