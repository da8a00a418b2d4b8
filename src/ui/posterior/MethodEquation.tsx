/** A method's estimate as an equation, set in the colours of its picture. */
import { methodDefinitions } from '../../experiments/mixture/methodDefinitions'
import type { MethodId } from '../../experiments/mixture/settings'
import { useColours } from '../useColours'
import { Equation } from '../math/Equation'
import { estimateTex } from '../math/methodTex'

export function MethodEquation({ method }: { method: MethodId }) {
  const colours = useColours()
  return (
    <Equation label={`Equation of ${methodDefinitions[method].name}`} tex={estimateTex(method, colours)} />
  )
}
