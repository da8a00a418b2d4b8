import { describe, expect, it } from 'vitest'
import { figure2Defaults } from '../../../src/experiments/mixture/figure2'
import { figure2Definitions, validateFigure2 } from '../../../src/experiments/mixture/figure2Settings'
import { posteriorPresetNames, posteriorPresets } from '../../../src/experiments/mixture/presets'
import { whyMethodUnused, whyMixtureUnused } from '../../../src/experiments/mixture/relevance'
import {
  defaultMethod,
  methodSettingDefinitions,
  mixtureDefaults,
  mixtureDefinitions,
  parseMethodSetting,
  parseMixtureSetting,
  validateMethod,
  validateMixture,
} from '../../../src/experiments/mixture/settings'
import { isSettingProblem } from '../../../src/experiments/settings'

const keysOf = (problems: readonly { key: string }[]) => problems.map(({ key }) => key)

describe('posterior lab settings', () => {
  it.each(posteriorPresetNames)('preset %s is valid and says what to look for', (name) => {
    const { settings, a, b, label, caption } = posteriorPresets[name]
    expect(validateMixture(settings)).toEqual([])
    expect(validateMethod(a, settings)).toEqual([])
    expect(validateMethod(b, settings)).toEqual([])
    expect(label).not.toBe('')
    expect(caption).toMatch(/\w{3,}.*\.$/)
  })

  it('explains every setting in one sentence with a symbol', () => {
    const tables = { ...mixtureDefinitions, ...methodSettingDefinitions, ...figure2Definitions }
    for (const { symbol, label, explanation } of Object.values(tables)) {
      expect(symbol && label).not.toBe('')
      expect(explanation).toMatch(/\.$/)
    }
  })

  it('shows about six controls before the advanced ones', () => {
    const prominent = Object.values(mixtureDefinitions).filter((definition) => definition.prominent)
    expect(prominent.length).toBeGreaterThan(3)
    expect(prominent.length).toBeLessThan(7)
  })

  it('refuses what cannot be sampled, and names the way out', () => {
    expect(keysOf(validateMixture({ ...mixtureDefaults, observed: 2 }))).toEqual(['observed'])
    expect(validateMixture({ ...mixtureDefaults, features: 3, observed: 2 })).toEqual([])
    expect(keysOf(validateMixture({ ...mixtureDefaults, samples: 1000 }))).toEqual(['samples'])
    expect(keysOf(validateMixture({ ...mixtureDefaults, y1: Number.NaN }))).toEqual(['y1'])
    const tds = { ...defaultMethod('tds'), particles: 256 }
    expect(keysOf(validateMethod(tds, { samples: 128 }))).toEqual(['particles'])
    expect(validateMethod(tds, { samples: 256 })).toEqual([])
    // Particles that are not used do no harm.
    expect(validateMethod({ ...tds, method: 'dps' }, { samples: 128 })).toEqual([])
    expect(validateFigure2(figure2Defaults)).toEqual([])
    expect(keysOf(validateFigure2({ ...figure2Defaults, seeds: 0 }))).toEqual(['seeds'])
  })

  it('reads values from text and refuses nonsense', () => {
    expect(parseMixtureSetting('azimuth', '-42.5')).toBe(-42.5)
    expect(parseMethodSetting('method', 'pigdm')).toBe('pigdm')
    for (const value of [
      parseMixtureSetting('shape', 'banana'),
      parseMixtureSetting('components', '1e9'),
      parseMethodSetting('particles', '3'),
      parseMethodSetting('method', ''),
    ]) {
      expect(isSettingProblem(value)).toBe(true)
    }
  })

  it('says which settings have no effect', () => {
    expect(whyMixtureUnused('elevation', mixtureDefaults)).toMatch(/third direction/)
    expect(whyMixtureUnused('elevation', { ...mixtureDefaults, features: 3 })).toBeUndefined()
    expect(whyMixtureUnused('index', mixtureDefaults)).toBeDefined()
    expect(whyMixtureUnused('sigmaY', mixtureDefaults)).toBeUndefined()
    const cg = { ...defaultMethod('mmps'), solver: 'cg' as const }
    expect(whyMethodUnused('solver', cg, 1)).toMatch(/every solver gives the same/)
    expect(whyMethodUnused('solverIterations', cg, 2)).toBeUndefined()
    expect(whyMethodUnused('particles', cg, 2)).toMatch(/MMPS/)
    expect(whyMethodUnused('particles', defaultMethod('tds'), 1)).toBeUndefined()
  })
})
