/**
 * Summaries of repeated measurements.
 */

/** Value below which the share `q` of the values lies, between neighbours in proportion. NaN of no values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = q * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Median and quartiles. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) }
}

/** others[i] / own[i] of measurements taken in the same round: what slows both down cancels in each pair. */
export function pairRatios(own: readonly number[], others: readonly number[]): Spread {
  const rounds = Math.min(own.length, others.length)
  return spread(Array.from({ length: rounds }, (_, i) => others[i]! / own[i]!))
}

/** ‖a - b‖ / ‖b‖; infinite where a has a number that is not finite, or another length. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity
  let difference = 0
  let norm = 0
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2
    norm += b[i]! ** 2
  }
  const error = Math.sqrt(difference / norm)
  return Number.isFinite(error) ? error : Infinity
}
