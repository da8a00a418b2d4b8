/** Run, Pause, Cancel, New noise; the step, the time left, and the film of the run. */
import { IconDice5 } from '@tabler/icons-react'
import { useCallback, useEffect } from 'react'
import { useStore } from 'zustand'
import { stepInWords } from '../../store/images/stepWords'
import type { ImageRunState, ImagesLab } from '../../store/images/types'
import { formatMeasure } from '../format'
import { useShortcuts } from '../transport/shortcuts'
import { TransportBar } from '../transport/TransportBar'
import { isUnderWay, whyNoRun } from './busy'
import type { ImagesStore } from './stores'
import { view } from './view'

export function ImagesTransport({ lab, onHelp }: { lab: ImagesStore; onHelp: () => void }) {
  const state = useStore(lab)
  const frame = useStore(view, (shown) => shown.frame)
  const { run, compare, model, reseed } = state
  const { film, status } = run
  const newest = film.length - 1
  const running = status === 'running'
  const underWay = isUnderWay(run)

  const select = useCallback((position: number | null) => view.setState({ frame: position }), [])
  const toggle = useCallback(() => {
    const now = lab.getState()
    if (now.run.status === 'running') now.pause()
    else if (whyNotRun(now) === undefined) now.start()
  }, [lab])
  const start = useCallback(() => {
    view.setState({ frame: null })
    lab.getState().start()
  }, [lab])
  const scrub = useCallback(
    (by: number) => {
      const last = lab.getState().run.film.length - 1
      if (last < 0) return
      const present = view.getState().frame ?? last
      const next = Math.max(0, Math.min(last, present + by))
      view.setState({ frame: next === last ? null : next })
    },
    [lab],
  )
  useShortcuts({ toggle, scrub, help: onHelp })
  // A new run is watched as it goes.
  useEffect(() => {
    if (film.length <= 1) view.setState({ frame: null })
  }, [film.length])

  const comparing = isUnderWay(compare)
  return (
    <TransportBar
      running={running}
      runLabel={status === 'paused' ? 'Resume' : 'Run'}
      runHint="Draw samples of the posterior (space bar)"
      runUnavailable={whyNotRun(state)}
      onRun={start}
      onPause={state.pause}
      steps={[]}
      onCancel={underWay ? state.cancel : undefined}
      cancelHint="Stop the run at once; the pictures so far stay."
      reset={{
        label: 'New noise',
        hint: 'Take other random numbers for the sampler: other samples of the same posterior.',
        testId: 'new-noise',
        unavailable: underWay || comparing ? 'Something is computing: cancel it first.' : undefined,
        icon: <IconDice5 size={16} />,
        onClick: reseed,
      }}
      status={statusText(state)}
      progress={
        underWay
          ? {
              label: 'Sampling',
              fraction:
                run.step > 0 ? run.step / run.steps : model.status === 'ready' ? undefined : model.fraction,
              secondsLeft: running ? run.secondsLeft : undefined,
            }
          : modelProgress(state)
      }
      scrubber={{
        newest,
        last: Math.max(newest, 1),
        selected: frame === null || frame >= newest ? null : frame,
        onSelect: select,
        name: 'Frame of the film',
        label: (position) => frameLabel(run, position),
        empty: 'No film yet',
        newestLabel: 'Show newest',
        atNewest: status === 'finished' ? 'result' : 'newest',
      }}
    />
  )
}

function whyNotRun(state: ImagesLab): string | undefined {
  return isUnderWay(state.compare) ? 'A comparison is under way: cancel it first.' : whyNoRun(state)
}

function frameLabel(run: ImageRunState, position: number): string {
  const kept = run.film[position]
  if (!kept) return 'No film yet'
  // Short: on a phone there is little room.
  const [name] = estimateInWords(run, kept.step).split(' of ')
  return `${name === 'last estimate' ? 'End' : capitalized(name!)}: σ_t = ${formatMeasure(kept.sigma)}`
}

function estimateInWords({ settings }: ImageRunState, estimate: number): string {
  return settings ? stepInWords(estimate, settings) : `step ${estimate}`
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** One short sentence. */
export function statusText({ status, run, compare, model }: ImagesLab): string {
  if (status === 'starting') return 'Starting the device…'
  switch (run.status) {
    case 'running':
      if (run.step > 0) return capitalized(estimateInWords(run, run.step))
      return (model.status === 'ready' ? run.label : model.label) || 'Starting the run'
    case 'paused':
      return run.step > 0 ? `Paused at ${estimateInWords(run, run.step)}` : 'Paused before the first step'
    case 'failed':
      return 'Stopped by a problem'
    case 'idle':
    case 'finished':
      break
  }
  if (compare.status === 'running') return `Comparing: ${compare.label}`
  if (compare.status === 'paused') return `Comparison paused: ${compare.label}`
  if (model.status === 'failed') return 'The model could not be used'
  if (model.status === 'asking') return 'The model needs answers'
  // The checks of a model hinder nobody: the model's panel shows how far they are.
  if (model.status !== 'ready' && model.status !== 'verifying') return model.label || 'No model'
  return run.status === 'finished' ? 'Finished' : 'Ready to run'
}

function modelProgress({ run, compare, model }: ImagesLab) {
  if (isUnderWay(compare)) {
    const { fraction, secondsLeft } = compare
    return { label: 'Comparing', fraction, secondsLeft }
  }
  const { status } = model
  if (status === 'downloading' || status === 'building' || status === 'compiling') {
    return { label: model.label, fraction: model.fraction, secondsLeft: undefined }
  }
  return { label: 'Film', fraction: run.status === 'finished' ? 1 : 0, secondsLeft: undefined }
}
