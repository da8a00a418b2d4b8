/** Two curves over the steps of a run: how well x̂ explains y, and what the solver left over. */
import type { Data } from 'plotly.js'
import { estimatesPerStep } from '../../experiments/images/compare'
import { imageMethods } from '../../experiments/images/methodDefinitions'
import { stepInWords } from '../../store/images/stepWords'
import type { ImagesLab, StepRecord } from '../../store/images/types'
import { formatMeasure } from '../format'
import type { ChartContent } from '../plots/Chart'
import { chartLayout, expectedLine, logAxis } from '../plots/chartLayout'
import type { Colours } from '../theme'

export const watchRecords = (lab: ImagesLab) => [lab.run.records, lab.run.result, lab.run.steps]

interface StepChart {
  readonly value: (record: StepRecord) => number | null
  readonly name: string
  readonly axis: string
  /** Where the number ought to end. */
  readonly expected?: number
}

function stepChart({ value, name, axis, expected }: StepChart) {
  return (labs: readonly ImagesLab[], colours: Colours): ChartContent | null => {
    const { run } = labs[0]!
    // Before its first step a run shows the curve of the one before.
    const settings = run.step === 0 && run.result ? run.result.settings : run.settings
    if (!settings) return null
    const place = (estimate: number) => estimate / estimatesPerStep(settings)
    const points = run.records.flatMap((record) => {
      const y = value(record)
      return y !== null && y > 0 && Number.isFinite(y) ? [{ ...record, y }] : []
    })
    if (points.length === 0) return null
    const { method } = settings
    const { label } = imageMethods[method]
    const data: Data[] = [
      {
        type: 'scatter',
        mode: 'lines+markers',
        name: label,
        x: points.map(({ step }) => place(step)),
        y: points.map(({ y }) => y),
        customdata: points.map(({ step, sigma }) => [stepInWords(step, settings), formatMeasure(sigma)]),
        line: { color: colours.methods[method], width: 1.8 },
        marker: { color: colours.methods[method], size: points.length > 60 ? 3 : 5 },
        hovertemplate: `%{customdata[0]}, σ<sub>t</sub> = %{customdata[1]}: %{y:.3g}<extra></extra>`,
      },
    ]
    const layout = chartLayout(colours, {
      xaxis: { title: { text: 'step' }, range: [0.5, settings.steps + 1.5] },
      yaxis: {
        title: { text: axis },
        ...logAxis(
          points.map(({ y }) => y),
          expected,
        ),
      },
      shapes: expected === undefined ? [] : [expectedLine(expected, colours)],
    })
    const [first, last] = [points[0]!, points.at(-1)!]
    return {
      data,
      layout,
      description: `${name} per step, ${label}: ${formatMeasure(first.y)} at ${stepInWords(first.step, settings)} (sigma_t ${formatMeasure(first.sigma)}), ${formatMeasure(last.y)} at ${stepInWords(last.step, settings)} (sigma_t ${formatMeasure(last.sigma)}).`,
    }
  }
}

export const misfitChart = stepChart({
  value: ({ misfit }) => misfit,
  name: 'Misfit of the denoised image with the observation, expected near 1 at the end',
  axis: 'misfit',
  expected: 1,
})

export const residualChart = stepChart({
  value: ({ solverResidual }) => solverResidual,
  name: 'Relative residual of the solver',
  axis: 'residual',
})
