/** One setting of the scene or the sampler. A slider draws new samples while it moves. */
import { useStore } from 'zustand'
import { whyMixtureUnused } from '../../experiments/mixture/relevance'
import { mixtureDefinitions, type MixtureKey } from '../../experiments/mixture/settings'
import { inWords, SettingControl } from '../controls/SettingControl'
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
      onChange={(next) => refusal(change({ [settingKey]: next }))}
      onDrag={(next) => change({ [settingKey]: next }, true)}
    />
  )
}

/** Why a change of the scene was refused, in the page's words; null where it was not. */
export function refusal(messages: readonly string[]): string | null {
  return messages.length === 0 ? null : inWords(messages.join(' '), mixtureDefinitions)
}
