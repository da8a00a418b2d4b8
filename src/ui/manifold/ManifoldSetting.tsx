/** One setting of a run of the manifold lab: asks before a change throws iterations away. */
import { useStore } from 'zustand'
import { settingDefinitions, type SettingKey, type SettingValue } from '../../experiments/manifold/settings'
import { whyFixed, whyUnused } from './relevance'
import { useRestartGuard } from '../controls/RestartGuard'
import { outcomeOf, SettingControl, valueLabel, type Outcome } from '../controls/SettingControl'
import { inSentence } from '../format'
import { isBusy, useLabs, useShownLabs, type LabStore } from '../labs'
import { useColours } from '../useColours'

export function ManifoldSetting({ lab, settingKey }: { lab: LabStore; settingKey: SettingKey }) {
  const definition = settingDefinitions[settingKey]
  const value: SettingValue = useStore(lab, (state) => state.settings[settingKey])
  const busy = useStore(lab, isBusy)
  const fixed = useStore(lab, (state) => whyFixed(settingKey, state.dataSource))
  const unused = useStore(lab, (state) => whyUnused(settingKey, state.settings)) ?? fixed
  const guard = useRestartGuard()
  const { b } = useLabs()
  const shownLabs = useShownLabs()
  const { covariances } = useColours()
  const change = (next: SettingValue): Outcome | Promise<Outcome> => {
    if (next === lab.getState().settings[settingKey]) return null
    // Run B follows run A in what it does not have of its own.
    const followed = lab !== b && b.getState().settings[settingKey] === lab.getState().settings[settingKey]
    const affected = followed ? shownLabs : [lab]
    return new Promise((resolve) => {
      guard({
        labs: settingKey === 'iterations' ? [] : affected,
        action: `Set ${inSentence(definition.label)} to ${valueLabel(definition, next)}`,
        apply: () => {
          resolve(outcomeOf(lab.getState().change({ [settingKey]: next }), settingDefinitions))
        },
        cancel: () => resolve(null),
      })
    })
  }
  return (
    <SettingControl
      name={settingKey}
      definition={definition}
      value={value}
      disabled={busy || (definition.kind === 'number' && fixed !== undefined)}
      unused={definition.kind === 'number' ? unused : undefined}
      random={settingKey === 'seed'}
      {...(settingKey === 'covariance' && {
        colourOf: (option: string) => covariances[option as keyof typeof covariances],
      })}
      onChange={change}
    />
  )
}
