/** One setting of the scene or the sampler. A slider draws new samples while it moves. */
import { useStore } from 'zustand'
import { whyMixtureUnused } from '../../experiments/mixture/relevance'
import { mixtureDefinitions, type MixtureKey } from '../../experiments/mixture/settings'
import { outcomeOf, SettingControl } from '../controls/SettingControl'
import type { PosteriorStore } from './stores'

export function SceneSetting({ lab, settingKey }: { lab: PosteriorStore; settingKey: MixtureKey }) {
  const definition = mixtureDefinitions[settingKey]
  const value = useStore(lab, (state) => state.settings[settingKey])
  const unused = useStore(lab, (state) => whyMixtureUnused(settingKey, state.settings))
  const { change } = lab.getState()
  return (
    <SettingControl
      name={settingKey}
      definition={definition}
      value={value}
      disabled={unused !== undefined}
      unused={unused}
      random={settingKey === 'seed'}
      onChange={(next) => outcomeOf(change({ [settingKey]: next }), mixtureDefinitions)}
      onDrag={(next) => change({ [settingKey]: next }, true)}
    />
  )
}
