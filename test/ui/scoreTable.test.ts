import { expect, test } from 'vitest'
import type { MethodScore } from '../../src/experiments/mixture/scores'
import { defaultMethod } from '../../src/experiments/mixture/settings'
import { bestColumns, scoresAsText } from '../../src/ui/posterior/scoreTable'

const score = (label: string, values: Partial<MethodScore>): MethodScore => ({
  method: label === 'Exact' ? 'exact' : defaultMethod('mmps'),
  label,
  divergence: 0.1,
  coverage50: 0.5,
  coverage90: 0.9,
  consistency: 0.8,
  lost: 0,
  forwards: 65,
  vjps: 65,
  milliseconds: 12,
  ...values,
})

test('what is best is nearest to the ideal, not largest or smallest, and the exact row does not compete', () => {
  const best = bestColumns([
    score('Exact', { divergence: 1e-6 }),
    score('narrow', { divergence: 0.02, coverage50: 0.7, coverage90: 0.99, consistency: 0.4 }),
    score('wide', { divergence: 0.05, coverage50: 0.45, coverage90: 0.85, consistency: 1.2 }),
    score('broken', { divergence: Number.NaN, coverage50: 0, coverage90: 0, consistency: 900, lost: 9 }),
  ])
  expect(best.get('narrow')).toEqual(new Set(['divergence']))
  expect(best.get('wide')).toEqual(new Set(['coverage50', 'coverage90', 'consistency']))
  expect(best.has('Exact')).toBe(false)
  expect(best.has('broken')).toBe(false)
})

test('one method alone is not marked as best', () => {
  expect(bestColumns([score('Exact', {}), score('only', {})]).size).toBe(0)
})

test('the table copies with full precision', () => {
  const text = scoresAsText([score('ΠGDM', { divergence: 0.123456789 })])
  expect(text.split('\n')[1]).toBe('ΠGDM\t0.123456789\t0.5\t0.9\t0.8\t0\t65\t65\t12')
})
