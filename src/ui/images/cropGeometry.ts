/** A square of the original as the crop dialog has it (per cent of each side), and back in pixels. */
import type { Crop, Picture } from '../../store/images/types'

type Size = Pick<Picture, 'width' | 'height'>

export interface PercentSquare {
  readonly unit: '%'
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A square of fewer pixels holds no picture. */
export const SMALLEST_CROP = 8

export function toPercent({ x, y, side }: Crop, { width, height }: Size): PercentSquare {
  return {
    unit: '%',
    x: (100 * x) / width,
    y: (100 * y) / height,
    width: (100 * side) / width,
    height: (100 * side) / height,
  }
}

/** Whole pixels, inside the original. */
export function toCrop({ x, y, width: share }: PercentSquare, { width, height }: Size): Crop {
  const most = Math.min(width, height)
  const side = Math.max(Math.min(SMALLEST_CROP, most), Math.min(most, Math.round((share * width) / 100)))
  const inside = (value: number, size: number) => Math.min(size - side, Math.max(0, Math.round(value)))
  return { x: inside((x * width) / 100, width), y: inside((y * height) / 100, height), side }
}
