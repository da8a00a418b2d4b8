/** The controls of a run, in the order in which one would explain them; most of them under "Advanced". */
import { Stack, Text } from '@mantine/core'
import { IconLock } from '@tabler/icons-react'
import { useStore } from 'zustand'
import { settingDefinitions, settingKeys, type SettingGroup } from '../../experiments/manifold/settings'
import type { Lab } from '../../store/labTypes'
import { SettingSection } from '../controls/SettingSection'
import { DataSourceControl } from '../data/DataSourceControl'
import { isBusy, useLabs, type LabStore } from '../labs'
import { ProblemAlert } from '../ProblemAlert'
import { ManifoldSetting } from './ManifoldSetting'
import { PresetChooser } from './PresetChooser'

const GROUPS: readonly { readonly group: SettingGroup; readonly title: string }[] = [
  { group: 'data', title: 'Data' },
  { group: 'observation', title: 'Observation' },
  { group: 'prior', title: 'Prior' },
  { group: 'posterior', title: 'Posterior' },
  { group: 'sampler', title: 'Sampler' },
  { group: 'training', title: 'Training' },
  { group: 'metric', title: 'Metric' },
]

/** What a change means at the moment. Always there, so that nothing moves when a run starts. */
function changeHint({ status, adapter, iterations }: Lab): string {
  if (status === 'starting' && adapter === null) return 'Locked until the device has started.'
  if (status === 'running') return 'Locked while it computes: pause to change.'
  if (status === 'paused' || iterations.length > 0) return 'A change restarts the run (it asks first).'
  return 'Change anything, then press Run.'
}

export function SettingsPanel({ lab }: { lab: LabStore }) {
  const hint = useStore(lab, changeHint)
  const locked = useStore(lab, isBusy)
  return (
    <Stack gap="sm">
      <PresetChooser lab={lab} />
      <Text size="xs" c="dimmed" data-testid="change-hint">
        {locked && <IconLock size={13} style={{ verticalAlign: -2 }} />} {hint}
      </Text>
      {GROUPS.map(({ group, title }) => (
        <SettingGroupPanel key={group} lab={lab} group={group} title={title} />
      ))}
    </Stack>
  )
}

interface SettingGroupPanelProps {
  readonly lab: LabStore
  readonly group: SettingGroup
  readonly title: string
}

function SettingGroupPanel({ lab, group, title }: SettingGroupPanelProps) {
  const advancedHidden = useLabs().hidden.has('advanced')
  const keys = settingKeys.filter((key) => settingDefinitions[key].group === group)
  const prominent = keys.filter((key) => settingDefinitions[key].prominent)
  const advanced = keys.filter((key) => !settingDefinitions[key].prominent)
  if (prominent.length === 0 && advancedHidden) return null
  return (
    <SettingSection
      title={title}
      name={group}
      advanced={advanced.map((key) => (
        <ManifoldSetting key={key} lab={lab} settingKey={key} />
      ))}
      advancedHidden={advancedHidden}
    >
      {group === 'data' && <DataSourceControl lab={lab} />}
      {group === 'data' && <ProblemAlert lab={lab} places={['data']} />}
      {prominent.map((key) => (
        <ManifoldSetting key={key} lab={lab} settingKey={key} />
      ))}
    </SettingSection>
  )
}
