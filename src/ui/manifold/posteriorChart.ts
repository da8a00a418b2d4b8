/** Samples of one observation in the planes where its constraint is a line: one panel for each row of A. */
import type { Annotations, Data, Layout, Shape } from 'plotly.js'
import type { Lab } from '../../store/labTypes'
import type { ChartContent } from '../plots/Chart'
import { chartLayout } from '../plots/chartLayout'
import { constraintPlanes, type ConstraintPlane } from '../plots/constraintProjection'
import { along } from '../plots/scatterGeometry'
import { runColour, type Colours, type ColourScheme } from '../theme'

export const watchPosterior = (lab: Lab) => [lab.posterior, lab.settings.sigmaY]

/** Projections of the curve lie in about [-4, 4]; a sample far beyond would squeeze all others. */
const EXTENT = 4

function outsideNote(outside: number, colours: Colours): Partial<Annotations> {
  return {
    text: `${outside} outside the picture`,
    xref: 'paper',
    yref: 'paper',
    x: 1,
    y: 1,
    xanchor: 'right',
    yanchor: 'bottom',
    showarrow: false,
    font: { size: 11, color: colours.dimmed },
  }
}

/** The panel of one row r of A. */
export function constraintChart(row: number) {
  return (labs: readonly Lab[], colours: Colours, scheme: ColourScheme): ChartContent | null => {
    const { posterior, slot, settings } = labs[0]!
    if (!posterior || row >= posterior.y.length) return null
    const features = posterior.A.length / posterior.y.length
    const plane = constraintPlanes(posterior.A, posterior.y, posterior.samples, features)[row]!
    const truth = posterior.truth
    const data: Data[] = posterior.prior ? [priorTrace(posterior.prior, plane, colours)] : []
    data.push({
      type: 'scatter',
      mode: 'markers',
      x: plane.p,
      y: plane.q,
      marker: { color: runColour(scheme, slot), size: 3.5, opacity: 0.55 },
      hovertemplate: 'sample (%{x:.3f}, %{y:.3f})<extra></extra>',
    })
    if (truth) {
      data.push({
        type: 'scatter',
        mode: 'markers',
        x: [along(plane.a, truth)],
        y: [along(plane.d, truth)],
        marker: { color: colours.truth, size: 11, symbol: 'x', line: { color: colours.panel, width: 1.5 } },
        hovertemplate: 'truth (%{x:.3f}, %{y:.3f})<extra></extra>',
      })
    }
    const r = row + 1
    const extent = Math.max(EXTENT, 1.2 * Math.abs(plane.y))
    const outside = plane.p.filter((p, k) => Math.abs(p) > extent || Math.abs(plane.q[k]!) > extent).length
    const layout = chartLayout(colours, {
      margin: { l: 52, r: 10, t: 20, b: 38 },
      xaxis: {
        title: { text: `<i>a</i><sub>${r}</sub>·<i>x</i>` },
        range: [-extent, extent],
        nticks: 7,
        zeroline: false,
      },
      yaxis: {
        title: { text: `<i>d</i><sub>${r}</sub>·<i>x</i>` },
        range: [-extent, extent],
        nticks: 7,
        zeroline: false,
      },
      shapes: constraintShapes(plane, settings.sigmaY, colours),
      annotations: outside > 0 ? [outsideNote(outside, colours)] : [],
    })
    return { data, layout, description: describePlane(plane, settings.sigmaY, posterior.count) }
  }
}

/** Faintly, what the prior holds possible before the observation. */
function priorTrace(prior: Float32Array, plane: ConstraintPlane, colours: Colours): Data {
  const indices = Array.from({ length: prior.length / plane.a.length }, (_, k) => k)
  return {
    type: 'scatter',
    mode: 'markers',
    x: indices.map((k) => along(plane.a, prior, k)),
    y: indices.map((k) => along(plane.d, prior, k)),
    marker: { color: colours.frame, size: 2.5 },
    hoverinfo: 'skip',
  }
}

/** The line p = y_r, and a band of one σ_y about it. */
function constraintShapes(
  plane: ConstraintPlane,
  sigmaY: number,
  colours: Colours,
): Partial<Layout>['shapes'] {
  const vertical = { yref: 'paper', y0: 0, y1: 1, layer: 'below' } as const
  const band: Partial<Shape> = {
    ...vertical,
    type: 'rect',
    x0: plane.y - sigmaY,
    x1: plane.y + sigmaY,
    fillcolor: colours.observation,
    opacity: 0.25,
    line: { width: 0 },
  }
  const line: Partial<Shape> = {
    ...vertical,
    type: 'line',
    x0: plane.y,
    x1: plane.y,
    line: { color: colours.observation, width: 1.5 },
  }
  return [band, line]
}

function describePlane(plane: ConstraintPlane, sigmaY: number, count: number): string {
  const squared = plane.p.reduce((sum, p) => sum + (p - plane.y) ** 2, 0) / Math.max(1, count)
  return (
    `${count} samples for one observation, measured direction ${plane.row + 1} across. ` +
    `The observation is y = ${plane.y.toFixed(3)}; the samples' root mean square distance from it is ` +
    `${Math.sqrt(squared).toFixed(3)}, the noise σ_y is ${sigmaY}.`
  )
}
