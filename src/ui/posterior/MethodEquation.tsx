/** A method's estimate as an equation, set in the colours of its picture. */
import { methodDefinitions } from '../../experiments/mixture/methodDefinitions'
import type { MethodId } from '../../experiments/mixture/settings'
import { Tex } from '../math/Tex'
import { useColours } from '../useColours'
import { estimateTex } from './methodTex'
import classes from './posterior.module.css'

export function MethodEquation({ method }: { method: MethodId }) {
  const colours = useColours()
  return (
    <div
      className={classes.equation}
      role="group"
      aria-label={`Equation of ${methodDefinitions[method].name}`}
    >
      <Tex tex={estimateTex(method, colours)} block />
    </div>
  )
}
