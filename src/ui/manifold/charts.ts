/** The curves beside the corner plot: loss over training steps, and three numbers over EM iterations. */
import type { Data, Layout, Shape } from 'plotly.js'
import type { IterationSummary } from '../../experiments/manifold/diem'
import type { Lab } from '../../store/labTypes'
import { formatMeasure, formatPercent } from '../format'
import type { ChartContent } from '../plots/Chart'
import { chartLayout, expectedLine, logAxis } from '../plots/chartLayout'
import { runColour, type Colours, type ColourScheme } from '../theme'

const NAMES = { a: 'run A', b: 'run B' } as const

export const watchLosses = (lab: Lab) => [lab.losses]
export const watchIterations = (lab: Lab) => [lab.iterations, lab.selected, lab.settings.iterations]

export function lossChart(labs: readonly Lab[], colours: Colours, scheme: ColourScheme): ChartContent | null {
  const trained = labs.filter((lab) => lab.losses.values.length > 0)
  if (trained.length === 0) return null
  const data: Data[] = trained.map((lab) => ({
    type: 'scatter',
    mode: 'lines',
    name: NAMES[lab.slot],
    x: lab.losses.steps,
    y: lab.losses.values,
    line: { color: runColour(scheme, lab.slot), width: 1.2 },
    opacity: trained.length > 1 ? 0.8 : 1,
    hovertemplate: 'step %{x}: loss %{y:.3g}<extra></extra>',
  }))
  const boundaries = trained[0]!.losses.boundaries.filter((step) => step > 0)
  const layout = chartLayout(colours, {
    xaxis: { title: { text: 'training step' } },
    yaxis: {
      title: { text: 'loss' },
      ...logAxis(trained.flatMap((lab) => Array.from(lab.losses.values))),
    },
    ...legendFor(labs),
    shapes: boundaries.map((step) => verticalLine(step, colours.frame)),
  })
  return { data, layout, description: `Training loss. ${trained.map(describeLoss).join(' ')}` }
}

function describeLoss({ slot, losses }: Lab): string {
  const first = formatMeasure(losses.values[0])
  const last = formatMeasure(losses.values.at(-1))
  return `${NAMES[slot]}: from ${first} to ${last} after ${losses.steps.at(-1)} steps.`
}

/** Names are only needed where there are two runs. */
function legendFor(labs: readonly Lab[]): Partial<Layout> {
  return labs.length > 1 ? { showlegend: true, margin: { l: 52, r: 10, t: 24, b: 38 } } : {}
}

function dashOf(lab: Lab): 'solid' | 'dash' {
  return lab.slot === 'a' ? 'solid' : 'dash'
}

function verticalLine(x: number, color: string): Partial<Shape> {
  return {
    type: 'line',
    x0: x,
    x1: x,
    yref: 'paper',
    y0: 0,
    y1: 1,
    line: { color, width: 1 },
    layer: 'below',
  }
}

const valuesOf = ({ points }: { points: readonly { value: number }[] }) => points.map(({ value }) => value)

/** From a little below the smallest value to 100 %. */
function percentAxis(values: readonly number[]): Partial<Layout['yaxis']> {
  const low = values.reduce((best, value) => Math.min(best, value), 99.5)
  const margin = 0.08 * (100 - low)
  return { range: [low - margin, 100 + margin], nticks: 4 }
}

interface NumberChart {
  /** Null where an iteration has no such number. */
  readonly value: (summary: IterationSummary) => number | null
  readonly name: string
  readonly format: (value: number) => string
  readonly hover: string
  readonly yaxis: Partial<Layout['yaxis']>
  readonly logarithmic?: boolean
  /** The axis ends at 100. */
  readonly percentage?: boolean
  /** Where the number ought to be. */
  readonly expected?: number
}

/** A chart of one number over EM iterations, for every run on the page. */
function iterationChart(chart: NumberChart) {
  return (labs: readonly Lab[], colours: Colours, scheme: ColourScheme): ChartContent | null => {
    const series = labs.map((lab) => ({
      lab,
      points: lab.iterations.flatMap((summary) => {
        const value = chart.value(summary)
        return value === null ? [] : [{ k: summary.iteration, value }]
      }),
    }))
    if (series.every(({ points }) => points.length === 0)) return null
    const data: Data[] = series.map(({ lab, points }) => ({
      type: 'scatter',
      mode: 'lines+markers',
      name: NAMES[lab.slot],
      x: points.map(({ k }) => k),
      y: points.map(({ value }) => value),
      line: { color: runColour(scheme, lab.slot), width: 1.8, dash: dashOf(lab) },
      marker: { size: 6, symbol: lab.slot === 'a' ? 'circle' : 'diamond' },
      hovertemplate: `k = %{x}: ${chart.hover}<extra></extra>`,
    }))
    const shapes: Partial<Shape>[] = []
    if (chart.expected !== undefined) shapes.push(expectedLine(chart.expected, colours))
    const selected = labs[0]!.selected
    if (selected !== null) shapes.push(verticalLine(selected, colours.dimmed))
    const last = Math.max(...labs.map((lab) => lab.settings.iterations))
    const layout = chartLayout(colours, {
      xaxis: {
        title: { text: 'EM iteration <i>k</i>' },
        range: [-0.3, last + 0.3],
        tickmode: 'linear',
        tick0: 0,
        dtick: Math.ceil(last / 8),
      },
      yaxis: {
        ...chart.yaxis,
        ...(chart.logarithmic && logAxis(series.flatMap(valuesOf), chart.expected)),
        ...(chart.percentage && percentAxis(series.flatMap(valuesOf))),
      },
      ...legendFor(labs),
      shapes,
    })
    const described = series
      .filter(({ points }) => points.length > 0)
      .map(({ lab, points }) => {
        const values = points.map(({ k, value }) => `${k}: ${chart.format(value)}`)
        return `${NAMES[lab.slot]}: ${values.join(', ')}.`
      })
    return { data, layout, description: `${chart.name} per EM iteration. ${described.join(' ')}` }
  }
}

export const divergenceChart = iterationChart({
  value: (summary) => summary.divergence,
  name: 'Sinkhorn divergence to the truth',
  format: formatMeasure,
  hover: '%{y:.3g}',
  yaxis: { title: { text: 'divergence' } },
  logarithmic: true,
})

export const keptChart = iterationChart({
  value: (summary) => 100 * summary.kept,
  name: 'Fraction of samples kept',
  format: (value) => formatPercent(value / 100),
  hover: '%{y:.1f} %',
  yaxis: { title: { text: 'kept' }, ticksuffix: ' %' },
  percentage: true,
})

export const consistencyChart = iterationChart({
  value: (summary) => summary.consistency,
  name: 'Consistency with the observations, expected near 1',
  format: formatMeasure,
  hover: '%{y:.3g}',
  yaxis: { title: { text: 'consistency' } },
  logarithmic: true,
  expected: 1,
})
