/** Posterior samples for one chosen observation, and the constraint that they have to meet. */
import { ActionIcon, Button, Group, NumberInput, Text, Title, Tooltip } from '@mantine/core'
import { IconDice5 } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useStore } from 'zustand'
import type { Lab } from '../../store/labTypes'
import { formatCount, formatMeasure } from '../format'
import { useComparing, type LabStore } from '../labs'
import { Chart } from '../plots/Chart'
import type { CornerContent } from '../plots/cornerCanvas'
import { CornerCanvas } from '../plots/CornerCanvasView'
import { cornerStyle } from '../plots/cornerExport'
import { Figure } from '../plots/Figure'
import { Legend } from '../plots/Legend'
import { runColour } from '../theme'
import { useColours, useScheme } from '../useColours'
import { whyNoPosterior } from './drawing'
import classes from './lab.module.css'
import { constraintChart, watchPosterior } from './posteriorChart'

export function PosteriorPanel({ lab }: { lab: LabStore }) {
  const scheme = useScheme()
  const colours = useColours()
  const comparing = useComparing()
  const posterior = useStore(lab, (state) => state.posterior)
  const unavailable = useStore(lab, whyNoPosterior)
  const drawing = useStore(lab, (state) => state.progress?.stage === 'draw')
  const count = useStore(lab, (state) =>
    state.dataSource.kind === 'file' ? state.dataSource.count : state.settings.observations,
  )
  const [index, setIndex] = useState<number | string>(0)
  const valid = typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < count
  const draw = (at: number) => {
    setIndex(at)
    lab.getState().drawPosterior(at)
  }
  const rows = posterior ? posterior.y.length : 0
  const charts = useMemo(
    () => Array.from({ length: rows }, (_, row) => ({ row, build: constraintChart(row) })),
    [rows],
  )
  const labs = useMemo(() => [lab], [lab])
  const slot = lab.getState().slot
  return (
    <section aria-label="Posterior of one observation">
      <Title order={2} size="md">
        Posterior of one observation{comparing && `, run ${slot.toUpperCase()}`}
      </Title>
      <Text size="xs" c="dimmed" mt={2} mb="xs" lh={1.45}>
        One observation leaves a whole family of points possible. The prior of the shown iteration says which
        of them are plausible.
      </Text>
      <Group gap="xs" align="flex-end">
        <NumberInput
          label="Observation"
          size="xs"
          w={120}
          min={0}
          max={count - 1}
          allowDecimal={false}
          value={index}
          onChange={setIndex}
          error={valid ? undefined : `0 to ${formatCount(count - 1)}`}
          data-testid="observation-index"
        />
        <Tooltip label="Another observation at random">
          <ActionIcon
            size={30}
            variant="default"
            aria-label="Another observation at random"
            disabled={unavailable !== undefined || drawing}
            onClick={() => draw(Math.floor(Math.random() * count))}
          >
            <IconDice5 size={18} />
          </ActionIcon>
        </Tooltip>
        <Button
          size="xs"
          loading={drawing}
          disabled={unavailable !== undefined || !valid}
          onClick={() => draw(index as number)}
          data-testid="draw-posterior"
        >
          Draw samples
        </Button>
      </Group>
      {unavailable && (
        <Text size="xs" c="dimmed" mt={6}>
          {unavailable}
        </Text>
      )}
      {posterior && (
        <>
          <Text size="sm" mt="sm" mb={4} fw={500}>
            Observation {posterior.index}, y = ({Array.from(posterior.y, (y) => formatMeasure(y)).join(', ')}
            ), iteration {posterior.iteration}
          </Text>
          <Legend
            items={[
              { colour: runColour(scheme, slot), label: 'samples' },
              ...(posterior.prior ? [{ colour: colours.frame, label: 'the prior, all observations' }] : []),
              { colour: colours.observation, label: 'constraint A x = y ± σ_y' },
              ...(posterior.truth ? [{ colour: colours.truth, label: 'the point behind it (×)' }] : []),
            ]}
          />
          <div className={classes.planes}>
            {charts.map(({ row, build }) => (
              <Chart
                key={row}
                labs={labs}
                watch={watchPosterior}
                build={build}
                title={`Measured direction ${row + 1}`}
                caption={`Across: what row ${row + 1} of A measures; the samples have to lie on the line. Up: the direction, unseen by this row, in which they differ most.`}
                empty="Drawing…"
                height={230}
                fileName={`posterior-observation${posterior.index}-row${row + 1}`}
                testId={`posterior-${row}`}
              />
            ))}
          </div>
          <PosteriorCorner lab={lab} />
        </>
      )}
    </section>
  )
}

const cornerContent = (state: Lab): CornerContent => ({
  features: state.settings.features,
  truth: null,
  learned: state.shown?.histograms ?? null,
  points: state.posterior?.samples,
  mark: state.posterior?.truth,
})

const watchCorner = (state: Lab) => [state.shown?.histograms, state.posterior, state.settings.features]

/** The same samples in all coordinate planes, over the learned samples. */
function PosteriorCorner({ lab }: { lab: LabStore }) {
  const scheme = useScheme()
  const style = cornerStyle(scheme, runColour(scheme, lab.getState().slot))
  return (
    <Figure
      title="In the coordinate planes"
      caption="The samples as dots, over all learned samples (shaded): a single observation keeps only a part of the curve. Constraints on mixtures of coordinates are no lines here."
    >
      <CornerCanvas
        lab={lab}
        watch={watchCorner}
        content={cornerContent}
        style={style}
        label="Corner plot of the posterior samples of the chosen observation over all learned samples."
      />
    </Figure>
  )
}
