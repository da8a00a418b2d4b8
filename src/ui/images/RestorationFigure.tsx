/** The restoration: a big Run before the first one, x̂ as it forms, then the result beside what it came from. */
import { Badge, Button, Loader, SegmentedControl, Text } from '@mantine/core'
import { IconPlayerPlayFilled } from '@tabler/icons-react'
import { useStore } from 'zustand'
import { useShallow } from 'zustand/shallow'
import { imageMethods } from '../../experiments/images/methodDefinitions'
import { picturePng } from '../../store/images/exports'
import { download } from '../download'
import { Subscripts } from '../math/Subscripts'
import { Figure } from '../plots/Figure'
import { ProblemCard } from '../ProblemAlert'
import { BeforeAfter } from './BeforeAfter'
import { whyNoRun } from './busy'
import { fileStem } from './fileNames'
import classes from './images.module.css'
import { sampleNumbers } from './pictureText'
import pictures from './pictures.module.css'
import type { ImagesStore } from './stores'
import { isStale, shownPicture, view, type View } from './view'

export function RestorationFigure({ lab }: { lab: ImagesStore }) {
  const run = useStore(lab, (state) => state.run)
  const method = useStore(lab, ({ run: { result }, settings }) => (result?.settings ?? settings).method)
  const stale = useStore(lab, isStale)
  const hidden = useStore(lab, (state) => state.hidden.has('export'))
  const shownView = useStore(
    view,
    useShallow(({ frame, sample, before }) => ({ frame, sample, before })),
  )
  const shown = shownPicture(run, shownView)
  // Of the run: the lab may show another image by now.
  const before = shownView.before === 'observation' ? run.result?.observation : run.result?.truth
  const save = async () => {
    if (shown) download(await picturePng(shown.picture), `${fileStem(lab.getState())}-restoration.png`)
  }
  const numbers =
    shown?.final && run.result ? sampleNumbers(run.result, sampleOf(run.result.samples, shownView)) : null
  return (
    <Figure
      testId="figure-restoration"
      title="Restoration"
      tools={
        run.status === 'running' && (
          <Badge variant="light" size="sm" tt="none">
            sampling…
          </Badge>
        )
      }
      onExport={shown?.final && !hidden ? save : undefined}
      exportLabel="Save the restoration as PNG"
      caption={
        <>
          {shown ? (
            <Subscripts
              text={
                shown.final
                  ? `${shown.label} by ${imageMethods[method].label}: ${numbers}.`
                  : `${shown.label}: x̂, what the sampler takes for the image so far.`
              }
            />
          ) : (
            'One image that fits the observation and the prior; another noise gives another one.'
          )}
          {stale && (
            <Text span inherit fw={600} data-testid="stale">
              {' '}
              From before your last change: run again.
            </Text>
          )}
        </>
      }
    >
      {/* The controls are there before the result, so that nothing moves when it comes. */}
      <BeforeAfter
        before={shown?.final ? before : undefined}
        after={shown?.picture}
        beforeName={shownView.before}
        afterLabel={
          shown?.final
            ? `Restoration, ${shown.label}. ${numbers}`
            : `Restoration so far, ${shown?.label.toLowerCase()}`
        }
      >
        <EmptyRestoration lab={lab} />
      </BeforeAfter>
      <SegmentedControl
        size="xs"
        fullWidth
        disabled={!shown?.final}
        value={shownView.before}
        onChange={(next) => view.setState({ before: next })}
        data={[
          { value: 'observation', label: 'against the observation' },
          { value: 'original', label: 'against the original' },
        ]}
        aria-label="What the slider compares with"
      />
      {run.problem && (
        <div className={classes.problem}>
          <ProblemCard problem={run.problem}>
            <Button size="xs" mt="xs" onClick={lab.getState().start} data-testid="retry">
              Run again
            </Button>
          </ProblemCard>
        </div>
      )}
    </Figure>
  )
}

function sampleOf(samples: readonly unknown[], { sample }: View): number {
  return Math.min(sample, samples.length - 1)
}

/** Where the restoration will be: the one thing to press. */
function EmptyRestoration({ lab }: { lab: ImagesStore }) {
  const unavailable = useStore(lab, whyNoRun)
  const modelLabel = useStore(lab, ({ model }) => (model.status === 'ready' ? '' : model.label))
  const waiting = useStore(lab, (state) => state.run.status === 'running')
  const label = useStore(lab, (state) => state.run.label)
  if (waiting) {
    return (
      <div className={pictures.empty}>
        <Loader size="sm" />
        <Text size="xs" c="dimmed">
          {modelLabel || label || 'Starting…'}
        </Text>
      </div>
    )
  }
  return (
    <div className={pictures.empty}>
      <Text size="sm" lh={1.4}>
        What the image may have been appears here.
      </Text>
      <Button
        size="lg"
        disabled={unavailable !== undefined}
        leftSection={<IconPlayerPlayFilled size={20} />}
        onClick={lab.getState().start}
        data-testid="run-hero"
      >
        Run
      </Button>
      {unavailable !== undefined && (
        <Text size="xs" c="dimmed" role="status">
          {unavailable}
        </Text>
      )}
    </div>
  )
}
