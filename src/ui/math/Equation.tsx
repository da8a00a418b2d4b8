/** An equation on a line of its own, named for screen readers. */
import { Tex } from './Tex'
import classes from './equation.module.css'

export function Equation({ tex, label }: { tex: string; label: string }) {
  return (
    <div className={classes.equation} role="group" aria-label={label}>
      <Tex tex={tex} block />
    </div>
  )
}
