/** One setting of a panel's method. */
import { useStore } from 'zustand'
import { whyMethodUnused } from '../../experiments/mixture/relevance'
import { methodSettingDefinitions, type MethodId, type MethodKey } from '../../experiments/mixture/settings'
import type { PanelName } from '../../store/posteriorTypes'
import { outcomeOf, SettingControl } from '../controls/SettingControl'
import { useColours } from '../useColours'
import type { PosteriorStore } from './stores'

interface MethodSettingProps {
  readonly lab: PosteriorStore
  readonly panel: PanelName
  readonly settingKey: MethodKey
}

export function MethodSetting({ lab, panel, settingKey }: MethodSettingProps) {
  const value = useStore(lab, (state) => state.panels[panel].settings[settingKey])
  const unused = useStore(lab, (state) =>
    whyMethodUnused(settingKey, state.panels[panel].settings, state.settings.observed),
  )
  const { methods } = useColours()
  return (
    <SettingControl
      name={`${panel}.${settingKey}`}
      definition={methodSettingDefinitions[settingKey]}
      value={value}
      disabled={unused !== undefined}
      unused={unused}
      {...(settingKey === 'method' && { colourOf: (option: string) => methods[option as MethodId] })}
      onChange={(next) =>
        outcomeOf(lab.getState().changeMethod(panel, { [settingKey]: next }), methodSettingDefinitions)
      }
    />
  )
}
