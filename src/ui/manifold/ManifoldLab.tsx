/** The manifold lab: controls, corner plot, curves, and what the learned prior can do. */
import { Text } from '@mantine/core'
import { useState } from 'react'
import { useStore } from 'zustand'
import { useFirstView } from '../firstView'
import { useLabs, useComparing, useShownLabs } from '../labs'
import layout from '../labLayout.module.css'
import { lazyPart } from '../lazyPart'
import { FallbackBanner, Notices, ProblemAlert } from '../ProblemAlert'
import { CornerFigure } from './CornerFigure'
import { HowItWorks } from './HowItWorks'
import classes from './lab.module.css'
import { ManifoldTransport } from './ManifoldTransport'
import { ProgressCharts } from './ProgressCharts'
import { RunBControls } from './RunBControls'
import { SettingsPanel } from './SettingsPanel'

const Explorers = lazyPart(async () => (await import('./Explorers')).Explorers)
const IterationTable = lazyPart(async () => (await import('./IterationTable')).IterationTable)

/** Whether a run has got anywhere since the page was opened. */
function useStarted(): boolean {
  const { a, b } = useLabs()
  const begun = (state: { readonly iterations: readonly unknown[] }) => state.iterations.length > 0
  const now = [useStore(a, begun), useStore(b, begun)].includes(true)
  const [ever, setEver] = useState(now)
  if (now && !ever) setEver(true)
  return ever
}

export function ManifoldLab({ onHelp }: { onHelp: () => void }) {
  const { a } = useLabs()
  const labs = useShownLabs()
  const comparing = useComparing()
  const started = useStarted()
  useFirstView(useStore(a, (state) => state.status !== 'starting'))
  return (
    <>
      <main className={classes.page}>
        <div className={layout.banners}>
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
          <div className={classes.corners} data-comparing={comparing || undefined} data-tour="corners">
            {labs.map((lab) => (
              <CornerFigure key={lab.getState().slot} lab={lab} />
            ))}
          </div>
          {comparing && <RunBControls />}
        </div>
        <div className={classes.explorers}>
          {started ? (
            <Explorers labs={labs} />
          ) : (
            <Text size="sm" c="dimmed">
              Once there is a prior, you can draw from it here: points that it dreams up by itself, and points
              that explain one chosen observation.
            </Text>
          )}
        </div>
        <aside className={classes.side} aria-label="Curves and numbers">
          <HowItWorks />
          <ProgressCharts labs={labs} />
          {started &&
            labs.map((lab) => (
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
