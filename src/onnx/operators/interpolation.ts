/**
 * Interpolation along one axis as a matrix, as ONNX's Resize defines it.
 *
 * Output position o lies at x(o) in the input: o / s ("asymmetric"), (o + ½) / s - ½ ("half_pixel"), o (in - 1) / (out - 1)
 * ("align_corners"). Nearest takes one input, linear weighs by 1 - |d|, cubic by Keys' kernel with parameter a; outside,
 * the edge is repeated, or left out (`exclude_outside`). Antialiasing widens the kernel by 1 / s where s < 1. Source:
 * github.com/onnx/onnx, docs/Operators.md, Resize; onnx/reference/ops/op_resize.py for the details.
 */
import type { AxisMatrix } from './axisMatrix'

export const COORDINATES = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
] as const
export const NEAREST = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const
export const MODES = ['nearest', 'linear', 'cubic'] as const

export interface Interpolation {
  readonly mode: (typeof MODES)[number]
  readonly coordinates: (typeof COORDINATES)[number]
  readonly nearest: (typeof NEAREST)[number]
  readonly cubicA: number
  readonly excludeOutside: boolean
  readonly antialias: boolean
}

/** Where output position `out` lies among the input's; `scale` may differ from outSize / inSize, which was rounded. */
function coordinate(
  { coordinates }: Interpolation,
  out: number,
  inSize: number,
  outSize: number,
  scale: number,
): number {
  switch (coordinates) {
    case 'asymmetric':
      return out / scale
    case 'half_pixel':
      return (out + 0.5) / scale - 0.5
    case 'pytorch_half_pixel':
      return outSize > 1 ? (out + 0.5) / scale - 0.5 : 0
    case 'align_corners':
      return outSize > 1 ? (out * (inSize - 1)) / (outSize - 1) : 0
    case 'half_pixel_symmetric': {
      const adjustment = outSize / (scale * inSize)
      return (inSize / 2) * (1 - adjustment) + (out + 0.5) / scale - 0.5
    }
  }
}

function nearestTo({ nearest }: Interpolation, at: number): number {
  switch (nearest) {
    case 'floor':
      return Math.floor(at)
    case 'ceil':
      return Math.ceil(at)
    case 'round_prefer_floor':
      return Math.ceil(at - 0.5)
    case 'round_prefer_ceil':
      return Math.floor(at + 0.5)
  }
}

/** Keys' cubic kernel. */
function cubic(distance: number, a: number): number {
  const d = Math.abs(distance)
  if (d < 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1
  return d < 2 ? a * (d ** 3 - 5 * d ** 2 + 8 * d - 4) : 0
}

/** Weights [outSize, inSize]. */
export function interpolationMatrix(
  interpolation: Interpolation,
  inSize: number,
  outSize: number,
  scale: number,
): AxisMatrix {
  const { mode, cubicA, excludeOutside, antialias } = interpolation
  const clamp = (place: number) => Math.min(inSize - 1, Math.max(0, place))
  const shrink = antialias ? Math.min(1, scale) : 1
  const reach = (mode === 'linear' ? 1 : 2) / shrink
  const width = mode === 'nearest' ? 1 : Math.ceil(2 * reach)
  const places = new Int32Array(outSize * width)
  const weights = new Float64Array(outSize * width)
  for (let out = 0; out < outSize; out++) {
    const at = coordinate(interpolation, out, inSize, outSize, scale)
    if (mode === 'nearest') {
      // In float32, as ONNX Runtime computes it: 4 / 1.6 is then 2.5, a tie.
      places[out] = clamp(nearestTo(interpolation, Math.fround(at)))
      weights[out] = 1
      continue
    }
    const first = Math.floor(at - reach) + 1
    let total = 0
    for (let i = 0; i < width; i++) {
      const [place, entry] = [first + i, out * width + i]
      const distance = (place - at) * shrink
      const weight = mode === 'linear' ? Math.max(0, 1 - Math.abs(distance)) : cubic(distance, cubicA)
      places[entry] = clamp(place)
      weights[entry] = excludeOutside && place !== clamp(place) ? 0 : weight
      total += weights[entry]
    }
    for (let entry = out * width; entry < (out + 1) * width; entry++) weights[entry]! /= total
  }
  return { rows: outSize, columns: inSize, width, places, weights }
}
