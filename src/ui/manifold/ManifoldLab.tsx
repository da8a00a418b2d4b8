/** The manifold lab: controls, corner plot, curves, and what the learned prior can do. */
import { Stack } from '@mantine/core'
import { useLabs, useComparing, useShownLabs } from '../labs'
import { FallbackBanner, Notices, ProblemAlert } from '../ProblemAlert'
import { CornerFigure } from './CornerFigure'
import { HowItWorks } from './HowItWorks'
import { IterationTable } from './IterationTable'
import classes from './lab.module.css'
import { ManifoldTransport } from './ManifoldTransport'
import { PosteriorPanel } from './PosteriorPanel'
import { ProgressCharts } from './ProgressCharts'
import { RunBControls } from './RunBControls'
import { SettingsPanel } from './SettingsPanel'
import { UnconditionalPanel } from './UnconditionalPanel'

export function ManifoldLab({ onHelp }: { onHelp: () => void }) {
  const { a } = useLabs()
  const labs = useShownLabs()
  const comparing = useComparing()
  return (
    <>
      <main className={classes.page}>
        <div className={classes.banners}>
          <FallbackBanner lab={a} />
          {labs.map((lab) => (
            <ProblemAlert
              key={lab.getState().slot}
              lab={lab}
              places={['device', 'url', 'import', 'storage']}
            />
          ))}
          <Notices lab={a} />
        </div>
        <aside className={classes.controls} aria-label="Settings">
          <SettingsPanel lab={a} />
        </aside>
        <div className={classes.centre}>
          {labs.map((lab) => (
            <ProblemAlert key={lab.getState().slot} lab={lab} places={['run']} />
          ))}
          <div className={classes.corners} data-comparing={comparing || undefined}>
            {labs.map((lab) => (
              <CornerFigure key={lab.getState().slot} lab={lab} />
            ))}
          </div>
          {comparing && <RunBControls />}
        </div>
        <div className={classes.explorers}>
          {comparing ? (
            labs.map((lab) => (
              <Stack key={lab.getState().slot} gap="xl">
                <UnconditionalPanel lab={lab} />
                <PosteriorPanel lab={lab} />
              </Stack>
            ))
          ) : (
            <>
              <UnconditionalPanel lab={a} />
              <PosteriorPanel lab={a} />
            </>
          )}
        </div>
        <aside className={classes.side} aria-label="Curves and numbers">
          <HowItWorks />
          <ProgressCharts labs={labs} />
          {labs.map((lab) => (
            <IterationTable
              key={lab.getState().slot}
              lab={lab}
              name={comparing ? `run ${lab.getState().slot.toUpperCase()}` : undefined}
            />
          ))}
        </aside>
      </main>
      <ManifoldTransport onHelp={onHelp} />
    </>
  )
}
