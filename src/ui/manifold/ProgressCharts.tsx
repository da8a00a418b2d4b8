/** The curves that show how a run goes. */
import { Stack } from '@mantine/core'
import { useStore } from 'zustand'
import type { LabStore } from '../labs'
import { Chart } from '../plots/Chart'
import {
  consistencyChart,
  divergenceChart,
  keptChart,
  lossChart,
  watchIterations,
  watchLosses,
} from './charts'

export function ProgressCharts({ labs }: { labs: readonly LabStore[] }) {
  const fromFile = useStore(labs[0]!, (state) => state.dataSource.kind === 'file')
  return (
    <Stack gap="lg">
      <Chart
        labs={labs}
        watch={watchIterations}
        build={divergenceChart}
        title="Distance to the truth"
        caption="Sinkhorn divergence between samples and ground truth: lower is better. Iteration 0 is the Gaussian start; each M and E step should bring it down."
        empty={fromFile ? 'A data file has no truth to compare with.' : 'Appears with the first samples.'}
        height={190}
        fileName="divergence"
        testId="chart-divergence"
      />
      <Chart
        labs={labs}
        watch={watchLosses}
        build={lossChart}
        title="Training loss"
        caption="Denoising loss of every training step. Thin lines mark the beginning of an M step: the data change there, so the loss jumps."
        empty="Appears when the first M step trains."
        height={180}
        fileName="loss"
        testId="chart-loss"
      />
      <Chart
        labs={labs}
        watch={watchIterations}
        build={consistencyChart}
        title="Agreement with the observations"
        caption="Mean of ‖y − A x‖² / σ_y² per dimension. Samples that agree with their own observation sit near the dotted line at 1."
        empty="Appears with the first samples."
        height={170}
        fileName="consistency"
        testId="chart-consistency"
      />
      <Chart
        labs={labs}
        watch={watchIterations}
        build={keptChart}
        title="Samples kept"
        caption="Samples that stay inside (−r, r) and are trained on. Fewer means that posterior sampling goes astray for some observations."
        empty="Appears with the first samples."
        height={170}
        fileName="kept"
        testId="chart-kept"
      />
    </Stack>
  )
}
