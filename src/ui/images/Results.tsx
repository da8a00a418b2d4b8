/** What a run gave: its samples, their numbers, and the curves of its steps. */
import { useMemo } from 'react'
import { useStore } from 'zustand'
import { Chart } from '../plots/Chart'
import { MisfitExplanation } from './Explanations'
import classes from './images.module.css'
import { ResultNumbers } from './ResultNumbers'
import { misfitChart, residualChart, watchRecords } from './runCharts'
import { SamplesFigure } from './SamplesFigure'
import type { ImagesStore } from './stores'

export function Results({ lab }: { lab: ImagesStore }) {
  const stores = useMemo(() => [lab], [lab])
  return (
    <>
      <div className={classes.beside}>
        <SamplesFigure lab={lab} />
        <ResultNumbers lab={lab} />
      </div>
      <div className={classes.curves}>
        <Chart
          labs={stores}
          watch={watchRecords}
          build={misfitChart}
          title="Misfit of x̂ with the observation"
          caption="Mean over the samples; dotted: 1, the misfit of the true image. It falls while the noise goes down, and ought to end near the line."
          empty="A point a step appears while a run goes on."
          height={220}
          fileName="diem-images-misfit"
          testId="chart-misfit"
        />
        <Chart
          labs={stores}
          watch={watchRecords}
          build={residualChart}
          title="What the solver left over"
          caption={<ResidualCaption lab={lab} />}
          empty="Appears for methods that solve a system in each step."
          height={220}
          fileName="diem-images-residual"
          testId="chart-residual"
        />
        <MisfitExplanation />
      </div>
    </>
  )
}

/** What to make of the residual, with the present k. */
function ResidualCaption({ lab }: { lab: ImagesStore }) {
  const { method, iterations, solver } = useStore(lab, ({ run, settings }) => run.settings ?? settings)
  const products = solver === 'bicgstab' ? 2 * iterations : iterations
  return (
    <>
      Norm of the residual over that of the right-hand side, when the solver stops.{' '}
      {method === 'mmps' && products > 0 ? (
        <>
          Near 1 at large noise: {products === 1 ? 'one product' : `${products} products`} with J cannot do
          more there. Where it stays high to the end, raise k; above 1 the solver went astray: choose another.
        </>
      ) : (
        'Where it stays high to the end, the observation is not heard.'
      )}
    </>
  )
}
