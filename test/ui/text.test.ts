import { expect, test } from 'vitest'
import { settingDefinitions } from '../../src/experiments/manifold/settings'
import { formatDuration, formatMeasure, formatValue } from '../../src/ui/format'
import { plainTex } from '../../src/ui/math/plainTex'
import { logTicks } from '../../src/ui/plots/chartLayout'

test('no symbol of a setting shows TeX before KaTeX is loaded', () => {
  for (const { symbol } of Object.values(settingDefinitions)) {
    expect(plainTex(symbol)).not.toMatch(/[\\{}]/)
    expect(plainTex(symbol)).not.toBe('')
  }
})

test('values are written so that they read back exactly', () => {
  for (const value of [8192, 0.01, 1e-6, 1e-12, 0.9999, 4294967295, 0, 0.001]) {
    expect(Number(formatValue(value))).toBe(value)
  }
})

test('measures have three digits, durations one unit', () => {
  expect(formatMeasure(0.123456)).toBe('0.123')
  expect(formatMeasure(null)).toBe('–')
  expect(formatMeasure(Number.NaN)).toBe('not finite')
  expect(formatDuration(41.2)).toBe('41 s')
  expect(formatDuration(49000)).toBe('14 h')
})

test('log axes get at least three round ticks over narrow and wide ranges', () => {
  expect(logTicks(0.001, 10)).toEqual([0.001, 0.01, 0.1, 1, 10])
  expect(logTicks(1.1, 1.9)).toEqual([1.2, 1.4, 1.6, 1.8])
  expect(logTicks(0.25, 1.5)).toEqual([0.3, 0.5, 0.7, 1, 1.5])
})
