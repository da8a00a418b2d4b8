/**
 * Cost c0 + c1 x of measured points, by least squares of the relative errors, so that small sizes weigh as much as large ones:
 *
 *     min Σ ((c0 + c1 x - t)/t)²,  c0 ≥ 0
 */

export interface Point {
  readonly x: number
  /** Above zero. */
  readonly t: number
}

export interface LinearFit {
  readonly constant: number
  readonly slope: number
  /** Largest |c0 + c1 x - t|/t. */
  readonly deviation: number
}

/** Two points with different x at least. */
export function fitLine(points: readonly Point[]): LinearFit {
  let [s, sx, sxx, b, bx] = [0, 0, 0, 0, 0]
  for (const { x, t } of points) {
    const weight = 1 / (t * t)
    s += weight
    sx += weight * x
    sxx += weight * x * x
    b += weight * t
    bx += weight * x * t
  }
  const free = (sxx * b - sx * bx) / (s * sxx - sx * sx)
  const constant = Math.max(free, 0)
  const slope = (bx - constant * sx) / sxx
  const deviation = Math.max(...points.map(({ x, t }) => Math.abs(constant + slope * x - t) / t))
  return { constant, slope, deviation }
}
