import { describe, expect, it } from 'vitest'
import { presets } from '../../src/experiments/manifold/settings'
import {
  quantizeStrokes,
  readUrl,
  withSharedSettings,
  writeUrl,
  type UrlState,
} from '../../src/store/urlState'

const plain: UrlState = {
  preset: 'quick',
  settings: presets.quick,
  strokes: [],
  compare: null,
  hidden: new Set(),
  autorun: false,
}

describe('URL state', () => {
  it('is empty for the defaults', () => {
    expect(writeUrl(plain)).toBe('')
    expect(readUrl('')).toEqual({ state: plain, problems: [], restore: 'any' })
  })

  it('holds every setting that differs, the seed, the drawn curve, the comparison and what is hidden', () => {
    const settings = { ...presets.paper, seed: 7, sigmaY: 0.02, solver: 'gmres' as const }
    const points = Array.from({ length: 32 }, (_, i) => [Math.cos(i / 5), Math.sin(i / 5)] as const)
    const state: UrlState = {
      preset: 'paper',
      settings,
      strokes: quantizeStrokes([{ plane: [1, 4], points }]),
      compare: withSharedSettings({ ...settings, covariance: 'gaussian' }, settings),
      hidden: new Set(['advanced', 'export']),
      autorun: false,
    }
    expect(readUrl(writeUrl(state))).toEqual({ state, problems: [], restore: 'same' })
    expect(state.strokes[0]!.points[3]![0]).toBeCloseTo(Math.cos(0.6), 2)
  })

  it('shares data and observation between compared runs', () => {
    const { state } = readUrl('#seed=5&sigmaY=0.1&compare=1&b.seed=9&b.covariance=zero')
    expect(state.compare).toEqual({ ...state.settings, covariance: 'zero' })
  })

  it.each([
    ['#hidden=abc', /hidden.*not a number/],
    ['#observed=8', /observed.*features/],
    ['#preset=enormous', /enormous/],
    ['#colour=red', /colour/],
    ['#curve=99zz', /curve/],
    ['#solver=<script>', /solver/],
    ['#seed=-1', /range/],
    ['#%E0%A4%A', /./],
  ])('reports %s and opens with what is valid', (fragment, message) => {
    const { state, problems } = readUrl(fragment)
    expect(problems.join(' ')).toMatch(message)
    expect(state.settings).toEqual(presets.quick)
  })
})
