import { describe, expect, it } from 'vitest'
import { posteriorPresets } from '../../src/experiments/mixture/presets'
import { readPosteriorUrl, writePosteriorUrl, type PosteriorUrlState } from '../../src/store/posteriorUrl'
import { quantizeStrokes } from '../../src/store/urlState'

const { settings, a, b } = posteriorPresets.figure1
const plain: PosteriorUrlState = {
  preset: 'figure1',
  settings,
  a,
  b,
  strokes: [],
  frame: null,
  hidden: new Set(),
}

describe('URL of the posterior lab', () => {
  it('is empty for the defaults', () => {
    expect(writePosteriorUrl(plain)).toBe('')
    expect(readPosteriorUrl('')).toEqual({ state: plain, problems: [] })
  })

  it('holds every setting that differs, both methods, the drawn curve, the frame and what is hidden', () => {
    const preset = posteriorPresets.dpsMissesMode
    const points = Array.from({ length: 32 }, (_, i) => [Math.cos(i / 5), Math.sin(i / 5)] as const)
    const state: PosteriorUrlState = {
      preset: 'dpsMissesMode',
      settings: { ...preset.settings, shape: 'drawn', features: 3, y1: -0.125, seed: 9, samples: 512 },
      a: { ...preset.a, method: 'tds', particles: 128 },
      b: { ...preset.b, guidance: 0.75 },
      strokes: quantizeStrokes([{ plane: [0, 2], points }]),
      frame: 12,
      hidden: new Set(['table', 'export']),
    }
    const text = writePosteriorUrl(state)
    expect(text).toContain('a.method=tds&a.particles=128')
    expect(readPosteriorUrl(`#${text}`)).toEqual({ state, problems: [] })
  })

  it.each([
    ['shape=banana', /banana.*spiral/],
    ['features=2&observed=2', /leaves nothing open/],
    ['preset=enormous', /enormous.*figure1/],
    ['colour=red', /colour/],
    ['a.colour=red', /a\.colour/],
    ['b.method=magic', /b\.method.*magic/],
    ['b.method=tds&b.particles=1024&samples=256', /b\.particles.*samples/],
    ['shape=drawn', /no drawn curve/],
    ['curve=99zz', /curve/],
    ['frame=soon', /frame/],
    ['y1=1e99', /range/],
    ['%E0%A4%A', /./],
  ])('reports %s and opens with what is valid', (fragment, message) => {
    const { state, problems } = readPosteriorUrl(fragment)
    expect(problems.join(' ')).toMatch(message)
    expect(state).toEqual({ ...plain, settings: { ...settings, samples: state.settings.samples } })
  })
})
