/** The posterior lab: settings, two methods side by side, their numbers, Figure 2, and the film at the bottom. */
import { Text } from '@mantine/core'
import { useStore } from 'zustand'
import { useFirstView } from '../firstView'
import layout from '../labLayout.module.css'
import { laterPart } from '../lazyPart'
import { FallbackBanner, Notices, ProblemCard } from '../ProblemAlert'
import { Figure1Explanation } from './Explanations'
import { MethodPanel } from './MethodPanel'
import classes from './posterior.module.css'
import { PosteriorSettings } from './PosteriorSettings'
import { PosteriorTransport } from './PosteriorTransport'
import type { PosteriorStore } from './stores'

const MethodsTable = laterPart(async () => (await import('./MethodsTable')).MethodsTable)
const Figure2 = laterPart(async () => (await import('./Figure2')).Figure2)

export function PosteriorLab({ lab, onHelp }: { lab: PosteriorStore; onHelp: () => void }) {
  const problem = useStore(lab, (state) => state.problem)
  const { dismissProblem } = lab.getState()
  useFirstView(useStore(lab, (state) => state.scene !== null))
  return (
    <>
      <main className={`${layout.page} ${classes.page}`}>
        <div className={layout.banners}>
          <FallbackBanner lab={lab} />
          {problem && <ProblemCard problem={problem} onDismiss={dismissProblem} />}
          <Notices lab={lab} />
        </div>
        <aside className={layout.controls} aria-label="Settings">
          <PosteriorSettings lab={lab} />
        </aside>
        <div className={layout.centre}>
          <Text size="sm" className={layout.invitation}>
            <b>Drag the line</b> to observe something else, <b>turn it</b> by the handle at its end, or press{' '}
            <b>Play</b> to watch noise become samples.
          </Text>
          <div className={classes.panels}>
            <MethodPanel lab={lab} panel="a" />
            <MethodPanel lab={lab} panel="b" />
          </div>
          <Figure1Explanation lab={lab} />
        </div>
        <div className={layout.below}>
          <MethodsTable lab={lab} />
          <Figure2 lab={lab} />
        </div>
      </main>
      <PosteriorTransport lab={lab} onHelp={onHelp} />
    </>
  )
}
