/** Names of exported files: diem-seed0-iteration8. */
import type { Lab } from '../../store/labTypes'

export function runFileStem(lab: Lab): string {
  const iteration = lab.shown?.iteration ?? lab.selected ?? Math.max(0, lab.iterations.length - 1)
  const run = lab.slot === 'b' ? '-runB' : ''
  return `diem-seed${lab.settings.seed}-iteration${iteration}${run}`
}
