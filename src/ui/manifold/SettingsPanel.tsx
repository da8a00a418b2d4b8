/** The controls of a run, in the order in which one would explain them; most of them under "Advanced". */
import { Button, Collapse, Stack, Text, Title } from '@mantine/core'
import { IconChevronDown, IconLock } from '@tabler/icons-react'
import { useId, useState } from 'react'
import { useStore } from 'zustand'
import { settingDefinitions, settingKeys, type SettingGroup } from '../../experiments/manifold/settings'
import classes from '../controls/controls.module.css'
import { ManifoldSetting } from './ManifoldSetting'
import type { Lab } from '../../store/labTypes'
import { DataSourceControl } from '../data/DataSourceControl'
import { isBusy, useLabs, type LabStore } from '../labs'
import { ProblemAlert } from '../ProblemAlert'
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
  const { hidden } = useLabs()
  const [opened, setOpened] = useState(false)
  const regionId = useId()
  const keys = settingKeys.filter((key) => settingDefinitions[key].group === group)
  const prominent = keys.filter((key) => settingDefinitions[key].prominent)
  const advanced = keys.filter((key) => !settingDefinitions[key].prominent)
  const showAdvanced = !hidden.has('advanced')
  if (prominent.length === 0 && !showAdvanced) return null
  return (
    <section aria-label={title} className={classes.group}>
      <div className={classes.groupHeader}>
        <Title order={2} size="sm">
          {title}
        </Title>
        {showAdvanced && (
          <Button
            variant="subtle"
            size="compact-xs"
            c="dimmed"
            fw={400}
            aria-expanded={opened}
            aria-controls={regionId}
            aria-label={`Advanced settings: ${title}`}
            data-testid={`advanced-${group}`}
            onClick={() => setOpened(!opened)}
            rightSection={
              <IconChevronDown size={14} style={{ transform: opened ? 'rotate(180deg)' : undefined }} />
            }
          >
            Advanced
          </Button>
        )}
      </div>
      <Stack gap="xs" mt={prominent.length > 0 || group === 'data' ? 6 : 0}>
        {group === 'data' && <DataSourceControl lab={lab} />}
        {group === 'data' && <ProblemAlert lab={lab} places={['data']} />}
        {prominent.map((key) => (
          <ManifoldSetting key={key} lab={lab} settingKey={key} />
        ))}
        <Collapse expanded={opened} id={regionId}>
          <Stack gap="xs">
            {opened && advanced.map((key) => <ManifoldSetting key={key} lab={lab} settingKey={key} />)}
          </Stack>
        </Collapse>
      </Stack>
    </section>
  )
}
