/** Names of exported files: diem-posterior-dpsMissesMode-seed0. */
import type { PosteriorLabState } from '../../store/posteriorTypes'

export function fileStem({ preset, settings }: Pick<PosteriorLabState, 'preset' | 'settings'>): string {
  return `diem-posterior${preset === null ? '' : `-${preset}`}-seed${settings.seed}`
}
