/** One side of Figure 1: which method, its picture, and what it cost. */
import { Text } from '@mantine/core'
import { useStore } from 'zustand'
import { methodDefinitions } from '../../experiments/mixture/methodDefinitions'
import { whyMethodUnused } from '../../experiments/mixture/relevance'
import type { PanelName, PanelResult } from '../../store/posteriorTypes'
import { formatCount, formatSeconds, inSentence } from '../format'
import { Subscripts } from '../math/Subscripts'
import { ProblemCard } from '../ProblemAlert'
import { MethodEquation } from './MethodEquation'
import { MethodSetting } from './MethodSetting'
import { PlaneFigure } from './PlaneFigure'
import classes from './posterior.module.css'
import type { PosteriorStore } from './stores'

export function MethodPanel({ lab, panel }: { lab: PosteriorStore; panel: PanelName }) {
  const method = useStore(lab, (state) => state.panels[panel].settings.method)
  const problem = useStore(lab, (state) => state.panels[panel].problem)
  const result = useStore(lab, (state) => state.panels[panel].result)
  const definition = methodDefinitions[method]
  return (
    <section
      className={classes.panel}
      aria-label={panel === 'a' ? 'Left method' : 'Right method'}
      data-testid={`panel-${panel}`}
      data-tour={`panel-${panel}`}
    >
      <div className={classes.methodHead}>
        <MethodSetting lab={lab} panel={panel} settingKey="method" />
        <Text size="xs" mt={4} lh={1.4} data-testid={`explanation-${panel}`}>
          <Subscripts text={definition.explanation} /> <SolverNote lab={lab} panel={panel} />
        </Text>
      </div>
      {problem && <ProblemCard problem={problem} />}
      <div className={classes.planeWrap}>
        <PlaneFigure lab={lab} panel={panel} />
      </div>
      <Text size="xs" className={classes.numbers} data-testid={`numbers-${panel}`}>
        {result ? costs(result) : 'Evaluations, time and lost points appear with the samples.'}
      </Text>
      <MethodEquation method={method} />
      <MethodSettings lab={lab} panel={panel} />
    </section>
  )
}

/** An inexact solver is the whole difference between two panels of the same method. */
function SolverNote({ lab, panel }: { lab: PosteriorStore; panel: PanelName }) {
  const settings = useStore(lab, (state) => state.panels[panel].settings)
  const observed = useStore(lab, (state) => state.settings.observed)
  if (whyMethodUnused('solverIterations', settings, observed) !== undefined) return null
  const { solver, solverIterations } = settings
  return (
    <Text span inherit fw={600} data-testid={`solver-${panel}`}>
      Solved by {solver.toUpperCase()} in {solverIterations} {solverIterations === 1 ? 'step' : 'steps'}.
    </Text>
  )
}

/** The method's own settings. Those without effect here are not shown; why, is. */
function MethodSettings({ lab, panel }: { lab: PosteriorStore; panel: PanelName }) {
  const settings = useStore(lab, (state) => state.panels[panel].settings)
  const observed = useStore(lab, (state) => state.settings.observed)
  const { uses } = methodDefinitions[settings.method]
  const reasons = uses.map((key) => whyMethodUnused(key, settings, observed))
  const shown = uses.filter((_, k) => reasons[k] === undefined)
  const reason = reasons.find((each) => each !== undefined)
  return (
    <div>
      {shown.length > 0 && (
        <div className={classes.methodSettings}>
          {shown.map((key) => (
            <MethodSetting key={key} lab={lab} panel={panel} settingKey={key} />
          ))}
        </div>
      )}
      {reason && shown.length < uses.length && shown[0] !== 'solver' && (
        <Text size="xs" c="dimmed" mt={shown.length > 0 ? 4 : 0}>
          Solver: {inSentence(reason)}
        </Text>
      )}
    </div>
  )
}

/** What a result cost, and what went wrong in it. */
function costs({ forwards, vjps, milliseconds, lost, count }: PanelResult): string {
  const evaluations = `${formatCount(forwards)} evaluations${vjps > 0 ? ` + ${formatCount(vjps)} VJPs` : ''} per point`
  return `${evaluations} · ${formatSeconds(milliseconds / 1000)} · ${lost === 0 ? 'no' : formatCount(lost)} of ${formatCount(count)} points lost`
}
