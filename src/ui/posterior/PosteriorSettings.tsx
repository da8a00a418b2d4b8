/** The narrow column: what to look at, prior, observation, sampler, in the order in which one would explain them. */
import { Button, Select, Stack, Text } from '@mantine/core'
import { IconDice5 } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import { posteriorPresetNames, posteriorPresets } from '../../experiments/mixture/presets'
import { whyMixtureUnused } from '../../experiments/mixture/relevance'
import {
  methodKeys,
  mixtureDefinitions,
  mixtureKeys,
  type MixtureGroup,
  type MixtureKey,
} from '../../experiments/mixture/settings'
import type { PosteriorLab } from '../../store/posteriorTypes'
import { SettingSection } from '../controls/SettingSection'
import { PriorControls } from './PriorControls'
import { SceneSetting } from './SceneSetting'
import type { PosteriorStore } from './stores'

/** Drawn by PriorControls. */
const OF_PRIOR_CONTROLS: readonly MixtureKey[] = ['shape', 'features']

export function PosteriorSettings({ lab }: { lab: PosteriorStore }) {
  const { reseed } = lab.getState()
  return (
    <Stack gap="sm">
      <PresetChooser lab={lab} />
      <SettingGroup lab={lab} group="prior" title="Prior">
        <PriorControls lab={lab} />
      </SettingGroup>
      <SettingGroup lab={lab} group="observation" title="Observation">
        <Text size="xs" c="dimmed">
          Drag the constraint in the picture, or type under Advanced.
        </Text>
      </SettingGroup>
      <SettingGroup lab={lab} group="sampler" title="Sampler">
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDice5 size={16} />}
          onClick={reseed}
          data-testid="reseed"
        >
          Draw with other noise
        </Button>
      </SettingGroup>
    </Stack>
  )
}

/** Whether the settings are still those of the preset; another seed or number of samples shows the same thing. */
function isChanged({ preset, settings, panels }: PosteriorLab): boolean {
  if (preset === null) return true
  const { settings: own, a, b } = posteriorPresets[preset]
  return (
    mixtureKeys.some((key) => key !== 'seed' && key !== 'samples' && settings[key] !== own[key]) ||
    methodKeys.some((key) => panels.a.settings[key] !== a[key] || panels.b.settings[key] !== b[key])
  )
}

function PresetChooser({ lab }: { lab: PosteriorStore }) {
  const preset = useStore(lab, (state) => state.preset)
  const changed = useStore(lab, isChanged)
  return (
    <div data-tour="presets">
      <Select
        label="What to look at"
        size="xs"
        data={posteriorPresetNames.map((name) => ({ value: name, label: posteriorPresets[name].label }))}
        value={preset}
        placeholder="Your own settings"
        allowDeselect={false}
        comboboxProps={{ width: 300, position: 'bottom-start' }}
        data-testid="preset"
        onChange={(name) => name && lab.getState().choosePreset(name)}
      />
      {preset !== null && (
        <Text size="xs" mt={6} lh={1.45} data-testid="preset-caption">
          {posteriorPresets[preset].caption}
        </Text>
      )}
      {preset !== null && changed && (
        <Text size="xs" mt={2} c="dimmed">
          Changed since.{' '}
          <Button
            variant="subtle"
            size="compact-xs"
            onClick={() => lab.getState().choosePreset(preset)}
            data-testid="restore-preset"
          >
            Restore
          </Button>
        </Text>
      )}
    </div>
  )
}

interface SettingGroupProps {
  readonly lab: PosteriorStore
  readonly group: MixtureGroup
  readonly title: string
  readonly children: ReactNode
}

function SettingGroup({ lab, group, title, children }: SettingGroupProps) {
  const hidden = useStore(lab, (state) => state.hidden.has('advanced'))
  const keys = mixtureKeys.filter(
    (key) => mixtureDefinitions[key].group === group && !OF_PRIOR_CONTROLS.includes(key),
  )
  const prominent = keys.filter((key) => mixtureDefinitions[key].prominent)
  const advanced = keys.filter((key) => !mixtureDefinitions[key].prominent)
  return (
    <SettingSection
      title={title}
      name={group}
      advanced={<AdvancedSettings lab={lab} keys={advanced} />}
      advancedHidden={hidden}
    >
      {children}
      {prominent.map((key) => (
        <SceneSetting key={key} lab={lab} settingKey={key} />
      ))}
    </SettingSection>
  )
}

/** Those that have an effect first, so that the others do not stand in the way. */
function AdvancedSettings({ lab, keys }: { lab: PosteriorStore; keys: readonly MixtureKey[] }) {
  const settings = useStore(lab, (state) => state.settings)
  const used = keys.filter((key) => whyMixtureUnused(key, settings) === undefined)
  const unused = keys.filter((key) => !used.includes(key))
  return [...used, ...unused].map((key) => <SceneSetting key={key} lab={lab} settingKey={key} />)
}
