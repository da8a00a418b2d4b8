/** The task by its picture: one small card each. */
import { Text, Tooltip, UnstyledButton } from '@mantine/core'
import { useStore } from 'zustand'
import { imageSettings, type TaskName } from '../../experiments/images/settings'
import { whyBusy } from './busy'
import classes from './images.module.css'
import type { ImagesStore } from './stores'
import { taskIcons } from './taskIcons'

const { options } = imageSettings.task as Extract<typeof imageSettings.task, { kind: 'choice' }>

export function TaskCards({ lab }: { lab: ImagesStore }) {
  const task = useStore(lab, (state) => state.settings.task)
  const busy = useStore(lab, whyBusy)
  const gray = useStore(lab, ({ model }) => model.contract?.image.channels === 1)
  const whyNot = (name: TaskName) =>
    busy ?? (name === 'gray' && gray ? 'This model knows no colours: choose another model.' : undefined)
  return (
    <div className={classes.tasks} role="group" aria-label="Task">
      {options.map(({ value, label, explanation }) => {
        const name = value as TaskName
        const reason = whyNot(name)
        return (
          <Tooltip
            key={name}
            label={reason ?? explanation}
            events={{ hover: true, focus: true, touch: true }}
            openDelay={250}
          >
            <UnstyledButton
              aria-pressed={name === task}
              aria-disabled={reason !== undefined || undefined}
              aria-description={reason ?? explanation}
              className={classes.task}
              data-testid={`task-${name}`}
              onClick={() => reason === undefined && lab.getState().change({ task: name })}
            >
              <svg viewBox="0 0 32 32" aria-hidden className={classes.taskIcon}>
                {taskIcons[name]}
              </svg>
              <Text span className={classes.taskLabel}>
                {label}
              </Text>
            </UnstyledButton>
          </Tooltip>
        )
      })}
    </div>
  )
}
