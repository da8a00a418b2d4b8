/** A model's report in one line, and its denoising curve as a chart. */
import type { Data } from 'plotly.js'
import type { VerificationCheck, VerificationReport } from '../../onnx/verify'
import type { ImagesLab } from '../../store/images/types'
import { formatMeasure } from '../format'
import type { ChartContent } from '../plots/Chart'
import { logAxis, noiseLevelLayout } from '../plots/chartLayout'
import type { Colours } from '../theme'

/** "All 8 checks passed on this device." or which did not pass. */
export function verdictText({ checks, status }: VerificationReport): string {
  if (status === 'pass') return `All ${checks.length} checks passed on this device.`
  const named = (wanted: VerificationCheck['status'], word: string) => {
    const labels = checks.filter((check) => check.status === wanted).map(({ label }) => label)
    return labels.length > 0 ? `${word}: ${labels.join('; ')}` : ''
  }
  const parts = [named('fail', 'failed'), named('warn', 'warning')].filter(Boolean).join('. ')
  const passed = checks.filter((check) => check.status === 'pass').length
  return `${passed} of ${checks.length} checks passed on this device; ${parts}.`
}

/** "0.0003, at most 0.001"; a dash where nothing was measured, and "0" where nothing may be found. */
export function checkValue({ value, bound }: VerificationCheck): string {
  if (value === null) return '–'
  return bound === null || (bound === 0 && value === 0)
    ? formatMeasure(value)
    : `${formatMeasure(value)}, at most ${formatMeasure(bound)}`
}

export const watchReport = (lab: ImagesLab) => [lab.model.report]

/** Mean squared error against sigma, and what the best multiple of x_t would have. */
export function denoisingChart(labs: readonly ImagesLab[], colours: Colours): ChartContent | null {
  const curve = labs[0]!.model.report?.curve.filter(
    ({ error, trivial }) => Number.isFinite(error) && error > 0 && trivial > 0,
  )
  if (!curve || curve.length === 0) return null
  const x = curve.map(({ sigma }) => sigma)
  const data: Data[] = [
    {
      type: 'scatter',
      mode: 'lines',
      name: 'best multiple of x<sub>t</sub>',
      x,
      y: curve.map(({ trivial }) => trivial),
      line: { color: colours.dimmed, width: 1.5, dash: 'dot' },
      hovertemplate: 'σ<sub>t</sub> = %{x:.3g}: %{y:.3g}<extra></extra>',
    },
    {
      type: 'scatter',
      mode: 'lines+markers',
      name: 'this model',
      x,
      y: curve.map(({ error }) => error),
      line: { color: colours.learned, width: 2 },
      marker: { color: colours.learned, size: 6 },
      hovertemplate: 'σ<sub>t</sub> = %{x:.3g}: %{y:.3g}<extra></extra>',
    },
  ]
  const layout = noiseLevelLayout(colours, 28, {
    title: { text: 'mean squared error' },
    ...logAxis(curve.flatMap(({ error, trivial }) => [error, trivial])),
  })
  const points = curve.map(({ sigma, error }) => `${formatMeasure(sigma)}: ${formatMeasure(error)}`)
  return { data, layout, description: `Mean squared denoising error by noise level. ${points.join(', ')}.` }
}
