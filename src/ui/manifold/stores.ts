/** The manifold lab's stores, started when the lab is first shown. */
import { startLabs, type Labs } from '../../store/lab'

let labs: Labs | undefined

export function manifoldLabs(): Labs {
  labs ??= startLabs()
  return labs
}
