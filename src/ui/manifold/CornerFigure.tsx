/** The corner plot of a run: learned below the diagonal, truth above it. Follows the store outside React's render. */
import { Badge, Button, Group, Text } from '@mantine/core'
import { IconPlayerPlayFilled } from '@tabler/icons-react'
import { useStore } from 'zustand'
import type { Lab } from '../../store/labTypes'
import { download } from '../download'
import { formatCount, formatMeasure, formatPercent } from '../format'
import { useComparing, type LabStore } from '../labs'
import type { CornerContent } from '../plots/cornerCanvas'
import { cornerStyle, cornerToPng } from '../plots/cornerExport'
import { CornerCanvas } from '../plots/CornerCanvasView'
import { Figure } from '../plots/Figure'
import { Legend } from '../plots/Legend'
import { runColour } from '../theme'
import { useScheme } from '../useColours'
import { runFileStem } from './fileNames'
import classes from './lab.module.css'

const content = (lab: Lab): CornerContent => ({
  features: lab.settings.features,
  truth: lab.truth,
  learned: lab.shown?.histograms ?? null,
})

const watch = (lab: Lab) => [lab.truth, lab.shown?.histograms, lab.settings.features]

export function CornerFigure({ lab }: { lab: LabStore }) {
  const scheme = useScheme()
  const comparing = useComparing()
  const slot = lab.getState().slot
  const iteration = useStore(lab, (state) => state.shown?.iteration ?? null)
  const live = useStore(lab, (state) => state.shown?.live ?? false)
  const hasTruth = useStore(lab, (state) => state.truth !== null)
  const fromFile = useStore(lab, (state) => state.dataSource.kind === 'file')
  const description = useStore(lab, describe)
  const empty = iteration === null
  const learned = runColour(scheme, slot)
  const style = cornerStyle(scheme, learned)

  const save = async () => {
    const state = lab.getState()
    const blob = await cornerToPng(content(state), cornerStyle('light', runColour('light', slot)), [
      `${comparing ? `run ${slot.toUpperCase()}, ` : ''}iteration ${iteration}, seed ${state.settings.seed}`,
    ])
    download(blob, `${runFileStem(state)}-corner.png`)
  }
  return (
    <Figure
      testId={`corner-${slot}`}
      title={
        <>
          {comparing && `Run ${slot.toUpperCase()}: `}
          {empty
            ? 'Before the first sample'
            : iteration === 0
              ? 'Gaussian start'
              : `After EM iteration ${iteration}`}
        </>
      }
      tools={
        live && (
          <Badge variant="light" size="sm" tt="none" data-testid="live">
            drawing…
          </Badge>
        )
      }
      onExport={empty ? undefined : save}
      exportLabel="Save corner plot as PNG"
      caption={
        <>
          Each panel shows two coordinates of all points at once; the diagonal shows one.{' '}
          {fromFile
            ? 'A data file has no ground truth, so the upper triangle stays empty.'
            : 'The two triangles mirror each other once the prior has learned the curve.'}
        </>
      }
    >
      <Legend
        items={[
          { colour: learned, label: 'learned: below the diagonal, filled on it' },
          ...(fromFile ? [] : [{ colour: style.truth, label: 'truth: above the diagonal, outlined on it' }]),
        ]}
      />
      <div className={classes.corner}>
        <CornerCanvas lab={lab} watch={watch} content={content} style={style} label={description} />
        {empty && <EmptyHint lab={lab} />}
        {!hasTruth && fromFile && (
          <Text size="xs" c="dimmed" className={classes.noTruth}>
            No ground truth for a data file
          </Text>
        )}
      </div>
    </Figure>
  )
}

/** In the empty lower triangle: what will appear there, and the button that makes it. */
function EmptyHint({ lab }: { lab: LabStore }) {
  const status = useStore(lab, (state) => state.status)
  const progress = useStore(lab, (state) => state.progress?.label)
  const waiting = status === 'starting' || status === 'running'
  return (
    <div className={classes.emptyHint}>
      <Text size="sm" ta="center" lh={1.4} className={classes.emptyText}>
        What the prior learns will appear here.
      </Text>
      <Button
        size="md"
        mt={8}
        loading={waiting}
        leftSection={<IconPlayerPlayFilled size={18} />}
        onClick={() => lab.getState().run()}
        data-testid={lab.getState().slot === 'a' ? 'run-hero' : 'run-hero-b'}
      >
        Run
      </Button>
      {waiting && progress && (
        <Group justify="center" mt={4}>
          <Text size="xs" c="dimmed">
            {progress}
          </Text>
        </Group>
      )}
    </div>
  )
}

/** The plot in words. */
function describe(lab: Lab): string {
  const { shown, iterations, settings, truth } = lab
  const parts = [`Corner plot of ${settings.features} coordinates.`]
  parts.push(
    truth ? 'The ground truth is shown above the diagonal.' : 'There is no ground truth above the diagonal.',
  )
  if (!shown) return [...parts, 'Nothing is learned yet.'].join(' ')
  parts.push(`${formatCount(shown.histograms.count)} samples of iteration ${shown.iteration} below it.`)
  const summary = iterations.find(({ iteration }) => iteration === shown.iteration)
  if (summary) {
    if (summary.divergence !== null)
      parts.push(`Divergence to the truth ${formatMeasure(summary.divergence)}.`)
    parts.push(`${formatPercent(summary.kept)} of samples kept.`)
    parts.push(`Consistency ${formatMeasure(summary.consistency)}, expected near 1.`)
  }
  return parts.join(' ')
}
