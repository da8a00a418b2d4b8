/**
 * Slider positions for a setting's range. A slider moves over "stops", round values that are spaced evenly on the
 * setting's scale (powers of two and their halves for counts, 1 1.5 2 3 5 7 10 a decade for quantities, even steps
 * on linear scales), so that one arrow key is one sensible change. A typed value between stops sits between them.
 */
import type { NumberSetting } from '../../experiments/settings'

const MANTISSAS = [1, 1.5, 2, 3, 5, 7]
const LINEAR_STOPS = 100

/** More whole numbers than this make a slider useless: the value is typed instead. */
const MOST_INTEGER_STOPS = 512

/** Ascending stops from minimum to maximum; undefined where a slider would be useless. */
export function settingStops(definition: NumberSetting): readonly number[] | undefined {
  const { minimum, maximum, scale, integer, multipleOf = 1 } = definition
  if (scale === 'log')
    return integer ? octaveStops(minimum, maximum, multipleOf) : decadeStops(minimum, maximum)
  const step = integer ? multipleOf : niceStep((maximum - minimum) / LINEAR_STOPS)
  const count = Math.floor((maximum - minimum) / step + 1e-9)
  if (integer && count > MOST_INTEGER_STOPS) return undefined
  const stops = Array.from({ length: count + 1 }, (_, k) => round(minimum + k * step))
  return withEnds(stops, minimum, maximum)
}

/** Position of a value on 0 .. stops.length - 1, between two stops by the scale's own measure. */
export function positionOf(value: number, stops: readonly number[], scale: 'linear' | 'log'): number {
  const last = stops.length - 1
  if (value <= stops[0]!) return 0
  if (value >= stops[last]!) return last
  const upper = stops.findIndex((stop) => stop >= value)
  const measure = scale === 'log' ? Math.log : (x: number) => x
  const low = measure(stops[upper - 1]!)
  const high = measure(stops[upper]!)
  return upper - 1 + (measure(value) - low) / (high - low)
}

/** The stop nearest to a position. */
export function stopAt(position: number, stops: readonly number[]): number {
  return stops[Math.min(stops.length - 1, Math.max(0, Math.round(position)))]!
}

function octaveStops(minimum: number, maximum: number, multipleOf: number): number[] {
  const stops: number[] = []
  for (let power = 1; power <= maximum; power *= 2) {
    for (const value of [power, 1.5 * power]) {
      if (value >= minimum && value <= maximum && value % multipleOf === 0) stops.push(value)
    }
  }
  return withEnds(stops, minimum, maximum)
}

function decadeStops(minimum: number, maximum: number): number[] {
  const stops: number[] = []
  for (let exponent = Math.floor(Math.log10(minimum)); exponent <= Math.log10(maximum); exponent += 1) {
    for (const mantissa of MANTISSAS) {
      const value = Number(`${mantissa}e${exponent}`)
      if (value >= minimum && value <= maximum) stops.push(value)
    }
  }
  return withEnds(stops, minimum, maximum)
}

function withEnds(stops: number[], minimum: number, maximum: number): number[] {
  if (stops[0] !== minimum) stops.unshift(minimum)
  if (stops.at(-1) !== maximum) stops.push(maximum)
  return stops
}

/** The smallest of 1, 2, 5 times a power of ten that is at least `step`. */
function niceStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step))
  return round([1, 2, 5, 10].find((factor) => factor * power >= step * (1 - 1e-9))! * power)
}

function round(value: number): number {
  return Number(value.toPrecision(10))
}
