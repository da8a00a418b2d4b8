import { describe, expect, test } from 'vitest'
import { settingDefinitions, settingKeys, parseSetting } from '../../src/experiments/manifold/settings'
import { positionOf, settingStops, stopAt } from '../../src/ui/controls/stops'

const numberSettings = settingKeys.flatMap((key) => {
  const definition = settingDefinitions[key]
  return definition.kind === 'number' ? [{ key, definition }] : []
})

describe('slider stops', () => {
  test.each(numberSettings)(
    'every stop of $key is a valid value, ascending from end to end',
    ({ key, definition }) => {
      const stops = settingStops(definition)
      if (!stops) return
      expect(stops[0]).toBe(definition.minimum)
      expect(stops.at(-1)).toBe(definition.maximum)
      for (const [k, stop] of stops.entries()) {
        expect(parseSetting(key, String(stop))).toBe(stop)
        if (k > 0) expect(stop).toBeGreaterThan(stops[k - 1]!)
      }
    },
  )

  test('only the seed has no slider', () => {
    const without = numberSettings.filter(({ definition }) => !settingStops(definition))
    expect(without.map(({ key }) => key)).toEqual(['seed'])
  })

  test('a stop comes back from its position', () => {
    for (const { definition } of numberSettings) {
      const stops = settingStops(definition)
      for (const stop of stops ?? [])
        expect(stopAt(positionOf(stop, stops!, definition.scale), stops!)).toBe(stop)
    }
  })

  test('a value between stops sits between them by its logarithm', () => {
    expect(positionOf(2, [1, 4, 16], 'log')).toBeCloseTo(0.5)
    expect(positionOf(2, [1, 3, 5], 'linear')).toBeCloseTo(0.5)
    expect(positionOf(99, [1, 4, 16], 'log')).toBe(2)
    expect(positionOf(0, [1, 4, 16], 'log')).toBe(0)
  })
})
