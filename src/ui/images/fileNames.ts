/** Names of exported files: diem-images-box-mmps-seed0. */
import type { ImagesLabState } from '../../store/images/types'

export function fileStem({ settings: { task, method, seed } }: Pick<ImagesLabState, 'settings'>): string {
  return `diem-images-${task}-${method}-seed${seed}`
}
