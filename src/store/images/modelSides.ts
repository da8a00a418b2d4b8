/** The square images that a model takes. */
import { imageSettings } from '../../experiments/images/settings'
import type { DenoiserContract, ImageSide } from '../../onnx/contract'

type Shape = Pick<DenoiserContract, 'image'>

/** Whether the model takes images of side × side pixels. */
export function isSideOf({ image: { height, width } }: Shape, side: number): boolean {
  return takes(height, side) && takes(width, side)
}

/** The side nearest to `side` that the model and the lab take; `side` where there is none (see `sidesInWords`). */
export function nearestSide(contract: Shape, side: number): number {
  const { side: range } = imageSettings
  if (range.kind !== 'number') return side
  const { height } = contract.image
  const candidates =
    typeof height === 'number'
      ? [height]
      : Array.from({ length: range.maximum }, (_, i) => i + 1).filter(
          (value) => value >= range.minimum && value % (range.multipleOf ?? 1) === 0,
        )
  const fitting = candidates.filter((value) => isSideOf(contract, value))
  return fitting.reduce(
    (best, value) => (best < 0 || Math.abs(value - side) < Math.abs(best - side) ? value : best),
    fitting.length > 0 ? -1 : side,
  )
}

export function sidesInWords({ image: { height, width } }: Shape): string {
  return `${inWords(height)} rows and ${inWords(width)} columns`
}

function takes(allowed: ImageSide, side: number): boolean {
  if (typeof allowed === 'number') return side === allowed
  const { minimum, maximum, multipleOf } = allowed
  return side >= minimum && side <= maximum && side % multipleOf === 0
}

function inWords(allowed: ImageSide): string {
  if (typeof allowed === 'number') return String(allowed)
  return `multiples of ${allowed.multipleOf} from ${allowed.minimum} to ${allowed.maximum}`
}
