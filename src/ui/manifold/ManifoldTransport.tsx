/** The transport bar of the manifold lab; when comparing, it drives both runs. */
import { useCallback } from 'react'
import { useStore } from 'zustand'
import type { Lab } from '../../store/labTypes'
import { useRestartGuard } from '../controls/RestartGuard'
import { useComparing, useLabs, useShownLabs, type LabStore } from '../labs'
import { useShortcuts } from '../transport/shortcuts'
import { TransportBar } from '../transport/TransportBar'

export function ManifoldTransport({ onHelp }: { onHelp: () => void }) {
  const { a, b } = useLabs()
  const labs = useShownLabs()
  const comparing = useComparing()
  const guard = useRestartGuard()
  const labA = useStore(a)
  const labB = useStore(b)
  const states = comparing ? [labA, labB] : [labA]

  const running = states.some((lab) => lab.status === 'running')
  const starting = states.some((lab) => lab.status === 'starting')
  const paused = states.some((lab) => lab.status === 'paused')
  const newest = Math.max(...states.map((lab) => lab.iterations.length)) - 1
  const last = Math.max(...states.map((lab) => lab.settings.iterations))
  const finished = states.every((lab) => lab.status === 'finished')

  const run = useCallback(() => startAll(labs), [labs])
  const pause = useCallback(() => pauseAll(labs), [labs])
  const select = useCallback((position: number | null) => selectAll(labs, position), [labs])
  const toggle = useCallback(
    () => (labs.some((lab) => lab.getState().status === 'running') ? pauseAll(labs) : startAll(labs)),
    [labs],
  )
  const scrub = useCallback((by: number) => scrubAll(labs, by), [labs])
  useShortcuts({ toggle, scrub, help: onHelp })

  const drawing = states.some((lab) => lab.progress?.stage === 'draw')
  const busyReason = starting
    ? 'The device is being started.'
    : running
      ? 'A step is under way: let it finish, or cancel it.'
      : paused
        ? 'A step is paused: resume it, or cancel it.'
        : undefined
  const each = (action: (lab: Lab) => void) => () => labs.forEach((lab) => action(lab.getState()))
  const runLabel = paused ? 'Resume' : newest >= 0 && !finished ? 'Continue' : 'Run'
  return (
    <TransportBar
      running={running}
      runLabel={runLabel}
      runHint={`${runLabel} to the last iteration (space bar)`}
      runUnavailable={
        starting
          ? 'The device is being started.'
          : drawing
            ? 'Samples are being drawn.'
            : finished
              ? 'The last iteration is done: raise the number of EM iterations, or reset.'
              : undefined
      }
      onRun={run}
      onPause={pause}
      steps={[
        {
          label: 'E step',
          hint:
            newest < 0
              ? 'Fit the Gaussian start and draw one sample for each observation.'
              : 'Draw one sample for each observation from the posterior under the present prior.',
          testId: 'estep',
          unavailable: busyReason,
          onClick: each((lab) => lab.eStep()),
        },
        {
          label: 'M step',
          hint: 'Train the prior on the newest samples.',
          testId: 'mstep',
          unavailable:
            busyReason ?? (newest < 0 ? 'There are no samples yet: do an E step first.' : undefined),
          onClick: each((lab) => lab.mStep()),
        },
      ]}
      reset={{
        label: 'Reset',
        hint: 'Forget all iterations; settings and data stay.',
        testId: 'reset',
        unavailable: newest < 0 && !running && !paused ? 'There is nothing to reset.' : undefined,
        onClick: () =>
          guard({ labs, action: 'Reset', apply: () => labs.forEach((lab) => lab.getState().reset()) }),
      }}
      status={states
        .map((lab) => (comparing ? `${lab.slot.toUpperCase()}: ` : '') + statusText(lab))
        .join(' · ')}
      onCancel={running || paused ? each((lab) => lab.cancel()) : undefined}
      unpausable={drawing}
      progress={combinedProgress(states)}
      scrubber={{
        newest,
        last,
        selected: states[0]!.selected,
        onSelect: select,
        name: 'Iteration',
        label: (position) => `Iteration ${position} of ${last}`,
        empty: `No iteration yet, of ${last}`,
        newestLabel: 'Show newest',
        atNewest: 'newest',
      }}
    />
  )
}

function startAll(labs: readonly LabStore[]): void {
  for (const lab of labs) {
    const { status, run } = lab.getState()
    if (status === 'idle' || status === 'paused' || status === 'failed') run()
  }
}

function pauseAll(labs: readonly LabStore[]): void {
  for (const lab of labs) {
    const { status, progress, pause } = lab.getState()
    // A drawing takes a moment and can be cancelled.
    if (status === 'running' && progress?.stage !== 'draw') pause()
  }
}

function selectAll(labs: readonly LabStore[], position: number | null): void {
  for (const lab of labs) {
    const { iterations, select } = lab.getState()
    const newest = iterations.length - 1
    select(position === null || position >= newest ? null : position)
  }
}

function scrubAll(labs: readonly LabStore[], by: number): void {
  const newest = Math.max(...labs.map((lab) => lab.getState().iterations.length)) - 1
  if (newest < 0) return
  const present = labs[0]!.getState().selected ?? newest
  selectAll(labs, Math.max(0, Math.min(newest, present + by)))
}

function statusText(lab: Lab): string {
  const { status, progress, iterations, settings } = lab
  switch (status) {
    case 'starting':
      return progress?.label ?? 'Starting…'
    case 'running':
      return progress?.label ?? 'Running'
    case 'paused':
      return `Paused${progress ? `: ${progress.label}` : ''}`
    case 'finished':
      return `Finished ${settings.iterations} iteration${settings.iterations === 1 ? '' : 's'}`
    case 'failed':
      return 'Stopped by a problem'
    case 'idle':
      if (progress) return progress.label
      return iterations.length === 0 ? 'Ready' : `Ready after iteration ${iterations.length - 1}`
  }
}

function combinedProgress(states: readonly Lab[]) {
  const active = states.filter((lab) => lab.progress)
  if (active.length === 0) {
    const done = states.every((lab) => lab.status === 'finished')
    return done ? { label: 'Finished', fraction: 1, secondsLeft: undefined } : null
  }
  const fractions = active.map(({ progress }) => progress!.runFraction ?? progress!.fraction)
  const left = active.flatMap(({ progress }) => progress!.secondsLeft ?? [])
  return {
    label: active[0]!.progress!.label,
    fraction: fractions.reduce((sum, value) => sum + value, 0) / fractions.length,
    secondsLeft: left.length > 0 ? Math.max(...left) : undefined,
  }
}
