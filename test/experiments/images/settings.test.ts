import { describe, expect, it } from 'vitest'
import { imageMethodNames } from '../../../src/experiments/images/methodDefinitions'
import { imagesPresetNames, imagesPresets } from '../../../src/experiments/images/presets'
import { whyImageUnused } from '../../../src/experiments/images/relevance'
import {
  defaultImagesSettings,
  imageChange,
  imageSettings,
  imagesKeys,
  parseImageSetting,
  validateImages,
} from '../../../src/experiments/images/settings'
import images from '../../../public/images/index.json' with { type: 'json' }
import models from '../../../public/models/index.json' with { type: 'json' }

const keysOf = (problems: readonly { key: string }[]) => problems.map(({ key }) => key)

describe('image lab settings', () => {
  it.each(imagesPresetNames)('preset %s is valid, says what to look for and names bundled files', (name) => {
    const { settings, compared, label, caption } = imagesPresets[name]
    expect(validateImages(settings)).toEqual([])
    expect(label).not.toBe('')
    expect(caption).toMatch(/\w{3,}.*\.$/)
    expect(compared.length).toBeGreaterThan(1)
    expect(compared).toEqual(imageMethodNames.filter((method) => compared.includes(method)))
    const image = images.find((each) => each.name === settings.image)
    const model = models.find((each) => each.name === settings.model)
    expect(image?.channels).toBe(model?.channels)
  })

  it('opens with a default that is a preset', () => {
    expect(imagesPresets.fillTheHole.settings).toEqual(defaultImagesSettings)
  })

  it('explains every setting in one sentence with a symbol', () => {
    for (const { symbol, label, explanation } of Object.values(imageSettings)) {
      expect(symbol && label).not.toBe('')
      expect(explanation).toMatch(/\.$/)
    }
  })

  it.each(imagesPresetNames)('shows about six controls of preset %s before the advanced ones', (name) => {
    const { settings } = imagesPresets[name]
    const shown = imagesKeys.filter(
      (key) => imageSettings[key].prominent && whyImageUnused(key, settings) === undefined,
    )
    expect(shown.length).toBeGreaterThan(3)
    expect(shown.length).toBeLessThan(8)
  })

  it('refuses what cannot be sampled, and names the way out', () => {
    const refused = (change: object) => keysOf(validateImages({ ...defaultImagesSettings, ...change }))
    expect(refused({ side: 60 })).toEqual(['side'])
    expect(refused({ model: '../secret' })).toEqual(['model'])
    expect(refused({ sigmaY: Number.NaN })).toEqual(['sigmaY'])
    expect(refused({ steps: 4, samples: 0 })).toEqual(['steps', 'samples'])
    expect(refused({ factor: 3 })).toEqual(['factor'])
    expect(refused({ task: 'mri', acceleration: 8, centre: 0.2 })).toEqual(['centre'])
    expect(refused({ task: 'box', acceleration: 8, centre: 0.2 })).toEqual([])
  })

  it('keeps the factor a number, whatever a control or a link says', () => {
    expect(parseImageSetting('factor', '2')).toBe(2)
    expect(imageChange('factor', '4')).toEqual({ factor: 4 })
    expect(parseImageSetting('factor', '3')).toMatchObject({ key: 'factor' })
    expect(parseImageSetting('task', 'mri')).toBe('mri')
  })

  it('hides what another task or method uses', () => {
    const unused = (change: object) =>
      imagesKeys.filter((key) => whyImageUnused(key, { ...defaultImagesSettings, ...change }) !== undefined)
    expect(unused({ task: 'mri' })).toContain('boxSide')
    expect(unused({ task: 'mri' })).not.toContain('acceleration')
    expect(unused({ method: 'dps' })).toEqual(expect.arrayContaining(['solver', 'iterations', 'proximity']))
    expect(unused({ method: 'mmps', sampler: 'ddpm' })).toContain('eta')
    expect(unused({ method: 'mmps' })).not.toContain('iterations')
  })
})
