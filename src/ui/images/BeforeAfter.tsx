/** Two pictures in one square, one before the divider and one after it; a slider moves the divider. */
import { useState, type ReactNode } from 'react'
import type { Picture } from '../../store/images/types'
import { PictureCanvas } from './PictureCanvas'
import classes from './pictures.module.css'

interface BeforeAfterProps {
  /** Undefined while there is nothing to compare with: the slider is then disabled. */
  readonly before: Picture | undefined
  readonly after: Picture | undefined
  /** "observation", "original". */
  readonly beforeName: string
  readonly afterLabel: string
  /** Instead of `after` where there is none. */
  readonly children: ReactNode
}

export function BeforeAfter({ before, after, beforeName, afterLabel, children }: BeforeAfterProps) {
  const [chosen, setDivider] = useState(0)
  const divider = before ? chosen : 0
  return (
    <>
      <div className={classes.frame}>
        {after ? <PictureCanvas picture={after} label={afterLabel} testId="restoration" /> : children}
        {before && (
          <>
            <div className={classes.split} style={{ clipPath: `inset(0 ${100 - divider}% 0 0)` }}>
              <PictureCanvas picture={before} label="" />
            </div>
            {divider > 0 && <div className={classes.divider} style={{ left: `${divider}%` }} aria-hidden />}
          </>
        )}
      </div>
      <input
        type="range"
        min={0}
        max={100}
        step={1}
        value={divider}
        disabled={!before}
        title={
          before ? `How much of the ${beforeName} is shown` : 'Compares the result with what it came from.'
        }
        className={classes.range}
        aria-label={`Before and after: how much of the ${beforeName} is shown`}
        aria-valuetext={`${divider} % ${beforeName}, ${100 - divider} % restoration`}
        onChange={(event) => setDivider(Number(event.currentTarget.value))}
        data-testid="before-after"
      />
    </>
  )
}
