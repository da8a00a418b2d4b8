/** Presets with what they show and how long they take here. */
import { Button, SegmentedControl, Text } from '@mantine/core'
import { useStore } from 'zustand'
import { useShallow } from 'zustand/shallow'
import {
  differencesFromPreset,
  presetDescriptions,
  presetNames,
  settingDefinitions,
  type PresetName,
} from '../../experiments/manifold/settings'
import { useRestartGuard } from '../controls/RestartGuard'
import { formatDuration, inSentence } from '../format'
import { isBusy, useShownLabs, type LabStore } from '../labs'

export function PresetChooser({ lab }: { lab: LabStore }) {
  const preset = useStore(lab, (state) => state.preset)
  const busy = useStore(lab, isBusy)
  const estimate = useStore(lab, (state) => state.estimates[state.preset])
  const changed = useStore(
    lab,
    useShallow((state) => differencesFromPreset(state.settings, state.preset).map(([key]) => key)),
  )
  const guard = useRestartGuard()
  const labs = useShownLabs()
  const choose = (name: PresetName) =>
    guard({
      labs,
      action: `Take preset ${presetDescriptions[name].label}`,
      apply: () => lab.getState().choosePreset(name),
    })
  const fromFile = useStore(lab, (state) => state.dataSource.kind === 'file')
  const given = ['seed', ...(fromFile ? ['features', 'observed', 'observations'] : [])]
  const own = changed.filter((key) => !given.includes(key))
  return (
    <div>
      <SegmentedControl
        fullWidth
        withItemsBorders={false}
        size="xs"
        disabled={busy}
        value={preset}
        onChange={(name) => choose(name)}
        data={presetNames.map((name) => ({ value: name, label: presetDescriptions[name].label }))}
        aria-label="Preset"
        data-testid="preset"
        styles={{ label: { paddingInline: 0, fontSize: 11 } }}
      />
      <Text size="xs" c="dimmed" mt={6} lh={1.45}>
        {presetDescriptions[preset].caption}{' '}
        <Text span inherit fw={600} data-testid="estimate">
          {estimate === null
            ? 'Time here: known as soon as some preset has run for a second.'
            : `About ${formatDuration(estimate)} here.`}
        </Text>
      </Text>
      {own.length > 0 && (
        <Text size="xs" mt={2}>
          Changed: {own.map((key) => inSentence(settingDefinitions[key].label)).join(', ')}.{' '}
          <Button variant="subtle" size="compact-xs" disabled={busy} onClick={() => choose(preset)}>
            Restore preset
          </Button>
        </Text>
      )}
    </div>
  )
}
