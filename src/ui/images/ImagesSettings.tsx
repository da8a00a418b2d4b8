/** The narrow column: what to look at, image, task, model, method, sampler, in the order in which one would explain them. */
import { Button, Group, Input, Select, Stack, Text, VisuallyHidden } from '@mantine/core'
import { IconLock } from '@tabler/icons-react'
import { useId, type ReactNode } from 'react'
import { useStore } from 'zustand'
import { imagesPresetNames, imagesPresets } from '../../experiments/images/presets'
import { whyImageUnused } from '../../experiments/images/relevance'
import {
  imageSettings,
  imagesKeys,
  type ImagesGroup,
  type ImagesKey,
} from '../../experiments/images/settings'
import type { ImagesLab } from '../../store/images/types'
import { SettingSection } from '../controls/SettingSection'
import { whyBusy } from './busy'
import { ImageChooser, type OpenImage } from './ImageChooser'
import { ImageSetting } from './ImageSetting'
import { ModelPanel } from './ModelPanel'
import type { ImagesStore } from './stores'
import { TaskCards } from './TaskCards'

interface ImagesSettingsProps {
  readonly lab: ImagesStore
  readonly onOpen: OpenImage
  readonly onCamera: () => void
  readonly onCrop: () => void
}

export function ImagesSettings({ lab, onOpen, onCamera, onCrop }: ImagesSettingsProps) {
  return (
    <Stack gap="sm">
      <PresetChooser lab={lab} />
      <SettingGroup lab={lab} group="image" title="Image">
        <ImageChooser lab={lab} onOpen={onOpen} onCamera={onCamera} onCrop={onCrop} />
      </SettingGroup>
      <SettingGroup lab={lab} group="task" title="Task">
        <TaskCards lab={lab} />
      </SettingGroup>
      <SettingGroup lab={lab} group="model" title="Prior">
        <ModelPanel lab={lab} />
      </SettingGroup>
      <SettingGroup lab={lab} group="method" title="Method" />
      <SettingGroup lab={lab} group="sampler" title="Sampler" />
    </Stack>
  )
}

/** Where another value shows the same thing. */
const INCIDENTAL: readonly (keyof ImagesLab['settings'])[] = ['seed', 'taskSeed', 'samples', 'equal']

function isChanged({ preset, settings, compare }: ImagesLab): boolean {
  const own = imagesPresets[preset]
  return (
    (Object.keys(settings) as (keyof typeof settings)[]).some(
      (key) => !INCIDENTAL.includes(key) && settings[key] !== own.settings[key],
    ) || compare.methods.join() !== own.compared.join()
  )
}

function PresetChooser({ lab }: { lab: ImagesStore }) {
  const preset = useStore(lab, (state) => state.preset)
  const changed = useStore(lab, isChanged)
  const busy = useStore(lab, whyBusy)
  const { choosePreset } = lab.getState()
  const id = useId()
  return (
    <div data-tour="presets">
      {/* In a line that is there anyway: what is below does not move when a run begins. */}
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Input.Label htmlFor={id} size="xs" style={{ whiteSpace: 'nowrap' }}>
          What to look at
        </Input.Label>
        {busy !== undefined && (
          <Text size="xs" c="dimmed" truncate title={busy} role="status" data-testid="busy">
            <IconLock size={12} aria-hidden style={{ verticalAlign: -1 }} /> Cancel to change
            <VisuallyHidden>. {busy}</VisuallyHidden>
          </Text>
        )}
      </Group>
      <Select
        id={id}
        size="xs"
        data={imagesPresetNames.map((name) => ({ value: name, label: imagesPresets[name].label }))}
        value={preset}
        allowDeselect={false}
        disabled={busy !== undefined}
        title={busy}
        comboboxProps={{ width: 300, position: 'bottom-start' }}
        data-testid="preset"
        onChange={(name) => name && choosePreset(name)}
      />
      <Text size="xs" mt={6} lh={1.45} data-testid="preset-caption">
        {imagesPresets[preset].caption}
      </Text>
      {changed && (
        <Text size="xs" mt={2} c="dimmed">
          Changed since.{' '}
          <Button
            variant="subtle"
            size="compact-xs"
            disabled={busy !== undefined}
            onClick={() => choosePreset(preset)}
            data-testid="restore-preset"
          >
            Restore
          </Button>
        </Text>
      )}
    </div>
  )
}

/** Drawn by a component of its own. */
const OF_COMPONENTS: readonly ImagesKey[] = ['task', 'equal']

interface SettingGroupProps {
  readonly lab: ImagesStore
  readonly group: ImagesGroup
  readonly title: string
  readonly children?: ReactNode
}

/** Settings without effect at the present choice are not shown. */
function SettingGroup({ lab, group, title, children }: SettingGroupProps) {
  const hidden = useStore(lab, (state) => state.hidden.has('advanced'))
  const settings = useStore(lab, (state) => state.settings)
  const fixedSide = useStore(lab, ({ model }) => typeof model.contract?.image.width === 'number')
  const keys = imagesKeys.filter(
    (key) =>
      imageSettings[key].group === group &&
      !OF_COMPONENTS.includes(key) &&
      !(key === 'side' && fixedSide) &&
      whyImageUnused(key, settings) === undefined,
  )
  const advanced = keys.filter((key) => !imageSettings[key].prominent)
  return (
    <SettingSection
      title={title}
      name={group}
      advanced={advanced.map((key) => (
        <ImageSetting key={key} lab={lab} settingKey={key} />
      ))}
      advancedHidden={hidden || advanced.length === 0}
    >
      {children}
      {keys
        .filter((key) => imageSettings[key].prominent)
        .map((key) => (
          <ImageSetting key={key} lab={lab} settingKey={key} />
        ))}
    </SettingSection>
  )
}
