/** Which prior: a ready-made curve, one drawn by hand, or one learned in the manifold lab; in the plane or in space. */
import { Anchor, Group, SegmentedControl, Text } from '@mantine/core'
import { useState } from 'react'
import { useStore } from 'zustand'
import { whyMixtureUnused } from '../../experiments/mixture/relevance'
import { mixtureDefinitions } from '../../experiments/mixture/settings'
import { outcomeOf, SettingControl } from '../controls/SettingControl'
import { useFilePicker } from '../controls/useFilePicker'
import { lazyPart } from '../lazyPart'
import type { PosteriorStore } from './stores'

const DrawCurveModal = lazyPart(async () => (await import('../data/DrawCurveModal')).DrawCurveModal)

export function PriorControls({ lab }: { lab: PosteriorStore }) {
  const shape = useStore(lab, (state) => state.settings.shape)
  const features = useStore(lab, (state) => state.settings.features)
  const fixed = useStore(lab, (state) => whyMixtureUnused('features', state.settings))
  const strokes = useStore(lab, (state) => state.strokes)
  const learned = useStore(lab, (state) => state.learned)
  const [drawing, setDrawing] = useState(false)
  const picker = useFilePicker({
    accept: '.safetensors',
    label: 'Run file of the manifold lab',
    testId: 'open-run-file',
    onFile: (file) => void lab.getState().openRunFile(file),
  })
  const { useDrawnCurve: takeDrawnCurve } = lab.getState()
  const choose = (next: string) => {
    if (next === 'drawn') setDrawing(true)
    else if (next === 'learned') void lab.getState().openLearned()
    else return outcomeOf(lab.getState().change({ shape: next as typeof shape }), mixtureDefinitions)
    return null
  }
  return (
    <>
      {picker.input}
      <SettingControl
        name="shape"
        definition={mixtureDefinitions.shape}
        value={shape}
        whyNot={(option) =>
          option === 'learned' && !learned.available
            ? 'No learned prior is saved here yet: run the manifold lab, or open a run file below.'
            : undefined
        }
        onChange={(next) => choose(String(next))}
      />
      <Group gap="sm" justify="space-between">
        <SegmentedControl
          size="xs"
          withItemsBorders={false}
          aria-label={mixtureDefinitions.features.label}
          data-testid="dimensions"
          disabled={fixed !== undefined}
          value={String(features)}
          data={[
            { value: '2', label: 'Plane' },
            { value: '3', label: 'Space' },
          ]}
          onChange={(next) =>
            lab.getState().change(next === '2' ? { features: 2, observed: 1 } : { features: 3 })
          }
        />
        {shape === 'drawn' && (
          <Anchor component="button" type="button" size="xs" onClick={() => setDrawing(true)}>
            Draw again…
          </Anchor>
        )}
        <Anchor component="button" type="button" size="xs" onClick={picker.open}>
          Open a run file…
        </Anchor>
      </Group>
      {(shape === 'learned' || learned.available) && (
        <Text size="xs" c="dimmed" data-testid="learned">
          {shape === 'learned' ? learned.description : `To choose as “Learned”: ${learned.description}`}
        </Text>
      )}
      {drawing && (
        <DrawCurveModal
          opened
          features={features}
          strokes={strokes}
          others="The third coordinate follows the random curve."
          onClose={() => setDrawing(false)}
          onUse={takeDrawnCurve}
        />
      )}
    </>
  )
}
