/** Samples of the learned prior itself, without any observation. */
import { Button, Text, Title } from '@mantine/core'
import { useStore } from 'zustand'
import type { Lab } from '../../store/labTypes'
import { download } from '../download'
import { formatCount } from '../format'
import { useComparing, type LabStore } from '../labs'
import type { CornerContent } from '../plots/cornerCanvas'
import { CornerCanvas } from '../plots/CornerCanvasView'
import { cornerStyle, cornerToPng } from '../plots/cornerExport'
import { Figure } from '../plots/Figure'
import { runColour } from '../theme'
import { useScheme } from '../useColours'
import { whyNoPrior } from './drawing'
import { runFileStem } from './fileNames'

const content = (lab: Lab): CornerContent => ({
  features: lab.settings.features,
  truth: lab.truth,
  learned: lab.unconditional?.histograms ?? null,
})

const watch = (lab: Lab) => [lab.truth, lab.unconditional, lab.settings.features]

export function UnconditionalPanel({ lab }: { lab: LabStore }) {
  const scheme = useScheme()
  const comparing = useComparing()
  const unconditional = useStore(lab, (state) => state.unconditional)
  const unavailable = useStore(lab, whyNoPrior)
  const drawing = useStore(lab, (state) => state.progress?.stage === 'draw')
  const slot = lab.getState().slot
  const colour = runColour(scheme, slot)
  const save = async () => {
    const state = lab.getState()
    const blob = await cornerToPng(content(state), cornerStyle('light', runColour('light', slot)), [
      `unconditional samples, iteration ${unconditional?.iteration}`,
    ])
    download(blob, `${runFileStem(state)}-unconditional.png`)
  }
  return (
    <section aria-label="Unconditional samples">
      <Title order={2} size="md">
        Unconditional samples{comparing && `, run ${slot.toUpperCase()}`}
      </Title>
      <Text size="xs" c="dimmed" mt={2} mb="xs" lh={1.45}>
        Points dreamt up by the learned prior alone, with no observation to lean on: the strictest test of
        what it knows.
      </Text>
      <Button
        size="xs"
        loading={drawing}
        disabled={unavailable !== undefined}
        onClick={() => lab.getState().drawUnconditional()}
        data-testid="draw-unconditional"
      >
        Draw from the prior
      </Button>
      {unavailable && (
        <Text size="xs" c="dimmed" mt={6}>
          {unavailable}
        </Text>
      )}
      {unconditional && (
        <div style={{ marginTop: 12 }}>
          <Figure
            testId="unconditional"
            title={`Prior after EM iteration ${unconditional.iteration}`}
            onExport={save}
            caption={`${formatCount(unconditional.histograms.count)} samples of the prior below the diagonal, the truth above it.`}
          >
            <CornerCanvas
              lab={lab}
              watch={watch}
              content={content}
              style={cornerStyle(scheme, colour)}
              label={`Corner plot of ${formatCount(unconditional.histograms.count)} unconditional samples after iteration ${unconditional.iteration}, with the ground truth above the diagonal.`}
            />
          </Figure>
        </div>
      )}
    </section>
  )
}
