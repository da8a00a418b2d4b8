/** Ready-made strokes in [-2, 2]²: a start for those who do not draw, with the keyboard too. */
import type { Point } from './arcLength'

const POINTS = 256

function stroke(shape: (t: number) => Point): Point[] {
  return Array.from({ length: POINTS }, (_, k) => shape(k / (POINTS - 1)))
}

export const shapes: readonly { readonly name: string; readonly points: readonly Point[] }[] = [
  {
    name: 'Circle',
    points: stroke((t) => [1.7 * Math.cos(2 * Math.PI * t), 1.7 * Math.sin(2 * Math.PI * t)]),
  },
  {
    name: 'Eight',
    points: stroke((t) => [1.8 * Math.sin(2 * Math.PI * t), 1.6 * Math.sin(4 * Math.PI * t)]),
  },
  {
    name: 'Spiral',
    points: stroke((t) => [
      (0.25 + 1.6 * t) * Math.cos(5 * Math.PI * t),
      (0.25 + 1.6 * t) * Math.sin(5 * Math.PI * t),
    ]),
  },
  {
    name: 'Zigzag',
    points: stroke((t) => [3.6 * t - 1.8, 1.6 * (1 - 4 * Math.abs(((3 * t) % 1) - 0.5))]),
  },
]
