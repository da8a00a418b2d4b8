/** Figure 2's own settings: how many seeds and points, the rest under "Advanced". */
import { Collapse } from '@mantine/core'
import { useId, useState } from 'react'
import { useStore } from 'zustand'
import type { Figure2Settings as Settings } from '../../experiments/mixture/figure2'
import { figure2Definitions } from '../../experiments/mixture/figure2Settings'
import { AdvancedButton } from '../controls/AdvancedButton'
import { outcomeOf, SettingControl } from '../controls/SettingControl'
import classes from './posterior.module.css'
import type { PosteriorStore } from './stores'

type Key = keyof Settings

const FIRST: readonly Key[] = ['seeds', 'points']
const OTHERS = (Object.keys(figure2Definitions) as Key[]).filter((key) => !FIRST.includes(key))

export function Figure2Settings({ lab }: { lab: PosteriorStore }) {
  const [opened, setOpened] = useState(false)
  const regionId = useId()
  return (
    <div>
      <div className={classes.figure2Settings}>
        {FIRST.map((key) => (
          <Figure2Setting key={key} lab={lab} settingKey={key} />
        ))}
        <AdvancedButton
          title="Figure 2"
          name="figure2"
          regionId={regionId}
          opened={opened}
          onToggle={() => setOpened(!opened)}
        />
      </div>
      <Collapse expanded={opened} id={regionId}>
        {opened && (
          <div className={classes.figure2Settings} style={{ paddingTop: 8 }}>
            {OTHERS.map((key) => (
              <Figure2Setting key={key} lab={lab} settingKey={key} />
            ))}
          </div>
        )}
      </Collapse>
    </div>
  )
}

function Figure2Setting({ lab, settingKey }: { lab: PosteriorStore; settingKey: Key }) {
  const value = useStore(lab, (state) => state.figure2.settings[settingKey])
  const busy = useStore(lab, ({ figure2: { status } }) => status === 'running' || status === 'paused')
  return (
    <SettingControl
      name={`figure2.${settingKey}`}
      definition={figure2Definitions[settingKey]}
      value={value}
      disabled={busy}
      unused={busy ? 'Cancel Figure 2 to change its settings; finished seeds are kept.' : undefined}
      onChange={(next) =>
        outcomeOf(lab.getState().changeFigure2({ [settingKey]: Number(next) }), figure2Definitions)
      }
    />
  )
}
