/** One setting of the image lab. The observation follows a slider of the task while it moves. */
import { useStore } from 'zustand'
import { whyImageUnused } from '../../experiments/images/relevance'
import { imageChange, imageSettings, type ImagesKey } from '../../experiments/images/settings'
import type { MethodId } from '../../experiments/mixture/settings'
import { outcomeOf, SettingControl } from '../controls/SettingControl'
import { useColours } from '../useColours'
import { whyBusy } from './busy'
import type { ImagesStore } from './stores'

const SEEDS: readonly ImagesKey[] = ['seed', 'taskSeed']

export function ImageSetting({ lab, settingKey }: { lab: ImagesStore; settingKey: ImagesKey }) {
  const definition = imageSettings[settingKey]
  const value = useStore(lab, (state) => state.settings[settingKey])
  const unused = useStore(lab, (state) => whyBusy(state) ?? whyImageUnused(settingKey, state.settings))
  const { methods } = useColours()
  const { change } = lab.getState()
  return (
    <SettingControl
      name={settingKey}
      definition={definition}
      value={definition.kind === 'choice' ? String(value) : value}
      disabled={unused !== undefined}
      unused={unused}
      random={SEEDS.includes(settingKey)}
      {...(settingKey === 'method' && { colourOf: (option: string) => methods[option as MethodId] })}
      onChange={(next) => outcomeOf(change(imageChange(settingKey, next)), imageSettings)}
      {...(definition.group === 'task' && {
        onDrag: (next: number) => change(imageChange(settingKey, next), true),
      })}
    />
  )
}
