import { describe, expect, it } from 'vitest'
import {
  isSettingProblem,
  parseSetting,
  presetNames,
  presets,
  settingDefinitions,
  settingKeys,
  validateSettings,
} from '../../src/experiments/manifold/settings'

describe('manifold settings', () => {
  it.each(presetNames)('preset %s is valid', (name) => {
    expect(validateSettings(presets[name])).toEqual([])
  })

  it('the paper preset has the numbers of section 5.1', () => {
    expect(presets.paper).toMatchObject({
      features: 5,
      observed: 2,
      observations: 65536,
      sigmaY: 0.01,
      hidden: 256,
      embedding: 64,
      samplerSteps: 4096,
      corrections: 1,
      delta: 0.1,
      solver: 'cg',
      solverIterations: 3,
      safeguard: 'none',
      trainingSteps: 65536,
      batch: 1024,
      iterations: 32,
      averaging: 0,
    })
  })

  it.each(['', 'NaN', 'abc', '1e999', '0.5', '-1', '99999999999'])('refuses observations = "%s"', (text) => {
    const problem = parseSetting('observations', text)
    expect(isSettingProblem(problem) && problem.message).toContain('observations')
  })

  it('refuses a choice that does not exist and names the ones that do', () => {
    const problem = parseSetting('solver', 'magic')
    expect(isSettingProblem(problem) && problem.message).toContain('exact, cg, gmres, bicgstab')
  })

  it('refuses combinations that cannot be run', () => {
    expect(validateSettings({ ...presets.quick, observed: 4, features: 3 }).map(({ key }) => key)).toEqual([
      'observed',
    ])
    expect(validateSettings({ ...presets.quick, hidden: 6 }).map(({ key }) => key)).toEqual(['hidden'])
    expect(validateSettings({ ...presets.quick, timeAlpha: Number.NaN }).map(({ key }) => key)).toEqual([
      'timeAlpha',
    ])
  })

  it('explains every setting in one sentence with a symbol', () => {
    for (const key of settingKeys) {
      const { symbol, label, explanation } = settingDefinitions[key]
      expect(symbol && label).not.toBe('')
      expect(explanation).toMatch(/\.$/)
    }
  })
})
