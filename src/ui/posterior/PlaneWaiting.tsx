/** Over a panel's canvas: that newer samples are on their way, if they take long enough to wonder. */
import { Progress, Text } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useStore, type StoreApi } from 'zustand'
import type { PanelName, PosteriorLab } from '../../store/posteriorTypes'
import classes from './plane.module.css'

const PATIENCE_MILLISECONDS = 300

export function PlaneWaiting({ lab, panel }: { lab: StoreApi<PosteriorLab>; panel: PanelName }) {
  const computing = useStore(lab, ({ panels }) => panels[panel].computing)
  return computing ? <AfterPatience lab={lab} panel={panel} /> : null
}

function AfterPatience({ lab, panel }: { lab: StoreApi<PosteriorLab>; panel: PanelName }) {
  const progress = useStore(lab, ({ panels }) => {
    const { progress } = panels[panel]
    // Whole percents: more often need not be drawn.
    return typeof progress === 'number' ? Math.round(100 * progress) : progress
  })
  const [waited, setWaited] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setWaited(true), PATIENCE_MILLISECONDS)
    return () => clearTimeout(timer)
  }, [])
  if (!waited) return null
  const known = typeof progress === 'number'
  const label =
    progress === 'compile' ? 'Compiling shaders…' : known ? `Sampling, ${progress} %` : 'Sampling…'
  return (
    <div className={classes.waiting} data-testid={`waiting-${panel}`}>
      <Progress
        size={3}
        radius={0}
        color="gray"
        value={known ? progress : 100}
        animated={!known}
        aria-label={label}
        transitionDuration={150}
      />
      <Text size="xs" c="dimmed" className={classes.waitingText}>
        {label}
      </Text>
    </div>
  )
}
