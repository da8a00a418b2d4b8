/** The film of the reverse diffusion: play, single frames, scrub; and how far the samples are. */
import { IconDice5, IconPlayerSkipBack, IconPlayerSkipForward } from '@tabler/icons-react'
import { useCallback } from 'react'
import { useStore } from 'zustand'
import { methodDefinitions } from '../../experiments/mixture/methodDefinitions'
import type { PanelState, PosteriorLab } from '../../store/posteriorTypes'
import { formatMeasure } from '../format'
import { useShortcuts } from '../transport/shortcuts'
import { TransportBar } from '../transport/TransportBar'
import type { PosteriorStore } from './stores'

export function PosteriorTransport({ lab, onHelp }: { lab: PosteriorStore; onHelp: () => void }) {
  const state = useStore(lab)
  const { frame, lastFrame, playing, play, pausePlaying, reseed } = state
  const shown = state.panels.a.result ?? state.panels.b.result
  const newest = shown ? lastFrame : -1

  const select = useCallback(
    (position: number | null) => {
      const { showFrame, lastFrame: last } = lab.getState()
      showFrame(position ?? last)
    },
    [lab],
  )
  const toggle = useCallback(() => {
    const now = lab.getState()
    if (now.playing) now.pausePlaying()
    else now.play()
  }, [lab])
  const scrub = useCallback(
    (by: number) => {
      const now = lab.getState()
      now.showFrame(Math.max(0, Math.min(now.lastFrame, now.frame + by)))
    },
    [lab],
  )
  useShortcuts({ toggle, scrub, help: onHelp })

  const unavailable = newest < 1 ? 'There are no samples yet.' : undefined
  return (
    <TransportBar
      running={playing}
      runLabel="Play"
      runHint="Play the reverse diffusion, from noise to samples (space bar)"
      runUnavailable={unavailable}
      onRun={play}
      onPause={pausePlaying}
      steps={[
        {
          label: 'One frame back',
          hint: 'One frame back, towards noise (←)',
          testId: 'frame-back',
          unavailable: unavailable ?? (frame === 0 ? 'This is where it begins.' : undefined),
          iconOnly: true,
          icon: <IconPlayerSkipBack size={16} />,
          onClick: () => scrub(-1),
        },
        {
          label: 'One frame forward',
          hint: 'One frame forward, towards the samples (→)',
          testId: 'frame-forward',
          unavailable: unavailable ?? (frame >= lastFrame ? 'These are the final samples.' : undefined),
          iconOnly: true,
          icon: <IconPlayerSkipForward size={16} />,
          onClick: () => scrub(1),
        },
      ]}
      reset={{
        label: 'New noise',
        hint: 'Draw all samples again with other random numbers.',
        testId: 'new-noise',
        unavailable: undefined,
        icon: <IconDice5 size={16} />,
        onClick: reseed,
      }}
      status={statusText(state)}
      progress={progressOf(state)}
      scrubber={{
        newest,
        last: lastFrame,
        selected: frame >= lastFrame ? null : frame,
        onSelect: select,
        name: 'Frame of the reverse diffusion',
        label: (position) => frameLabel(shown?.sigmas ?? [], position, lastFrame),
        empty: 'No samples yet',
        newestLabel: 'Show samples',
        atNewest: 'final samples',
      }}
    />
  )
}

function frameLabel(sigmas: readonly number[], position: number, last: number): string {
  const sigma = sigmas[position]
  return position >= last || sigma === undefined
    ? 'x_0, after the last step'
    : `Frame ${position + 1} of ${last + 1}: σ_t = ${formatMeasure(sigma)}`
}

const panelsOf = ({ panels }: PosteriorLab): readonly PanelState[] => [panels.a, panels.b]

function statusText(state: PosteriorLab): string {
  if (state.status === 'starting') return 'Starting the device…'
  if (state.status === 'failed') return 'Stopped by a problem'
  const computing = panelsOf(state).filter((panel) => panel.computing)
  if (computing.length > 0) {
    const names = computing.map(({ settings }) => methodDefinitions[settings.method].label).join(', ')
    return computing.some(({ progress }) => progress === 'compile')
      ? `Compiling shaders for ${names}`
      : `Sampling: ${names}`
  }
  if (state.playing) return 'Playing'
  return state.frame < state.lastFrame ? 'Between noise and samples' : 'Samples are up to date'
}

function progressOf(state: PosteriorLab) {
  const computing = panelsOf(state).filter((panel) => panel.computing)
  if (computing.length === 0) {
    const all = Math.max(1, state.lastFrame)
    return { label: 'Film', fraction: state.frame / all, secondsLeft: undefined }
  }
  const known = computing.flatMap(({ progress }) => (typeof progress === 'number' ? [progress] : []))
  return {
    label: 'Sampling',
    fraction: known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length,
    secondsLeft: undefined,
  }
}
