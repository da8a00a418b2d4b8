/** Two pictures in one square, one before the divider and one after it; a slider moves the divider. */
import { useState } from 'react'
import type { Picture } from '../../store/images/types'
import { PictureCanvas } from './PictureCanvas'
import classes from './pictures.module.css'

interface BeforeAfterProps {
  readonly before: Picture
  readonly after: Picture
  /** "observation", "original". */
  readonly beforeName: string
  readonly afterLabel: string
}

export function BeforeAfter({ before, after, beforeName, afterLabel }: BeforeAfterProps) {
  const [divider, setDivider] = useState(0)
  return (
    <>
      <div className={classes.frame}>
        <PictureCanvas picture={after} label={afterLabel} testId="restoration" />
        <div className={classes.split} style={{ clipPath: `inset(0 ${100 - divider}% 0 0)` }}>
          <PictureCanvas picture={before} label="" />
        </div>
        {divider > 0 && <div className={classes.divider} style={{ left: `${divider}%` }} aria-hidden />}
      </div>
      <input
        type="range"
        min={0}
        max={100}
        step={1}
        value={divider}
        className={classes.range}
        aria-label={`Before and after: how much of the ${beforeName} is shown`}
        aria-valuetext={`${divider} % ${beforeName}, ${100 - divider} % restoration`}
        onChange={(event) => setDivider(Number(event.currentTarget.value))}
        data-testid="before-after"
      />
    </>
  )
}
