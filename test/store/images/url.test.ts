import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { imageMethodNames } from '../../../src/experiments/images/methodDefinitions'
import { defaultImagesPreset, imagesPresets } from '../../../src/experiments/images/presets'
import { quantizeBrush, quantizeKernel } from '../../../src/store/images/polylines'
import { readImagesUrl, writeImagesUrl, type ImagesUrlState } from '../../../src/store/images/url'

const defaults: ImagesUrlState = {
  preset: defaultImagesPreset,
  settings: imagesPresets[defaultImagesPreset].settings,
  strokes: [],
  drawnKernel: null,
  crop: null,
  methods: imagesPresets[defaultImagesPreset].compared,
  hidden: new Set(),
}

describe('the image lab in a link', () => {
  it('is empty for the defaults, and reads back to them', () => {
    expect(writeImagesUrl(defaults)).toBe('')
    expect(readImagesUrl('')).toEqual({ state: defaults, problems: [], autorun: false })
  })

  it('holds every setting, the strokes, the kernel, the crop and the compared methods', () => {
    const strokes = quantizeBrush([
      {
        points: [
          [0.1, 0.2],
          [0.5, 0.9],
          [0.51, 0.2],
        ],
        width: 0.1,
        erase: false,
      },
      { points: [[1.4, -3]], width: 0.05, erase: true },
    ])
    const drawnKernel = quantizeKernel([
      [-1, 0],
      [0.3, 0.7],
      [1, -1],
    ])
    const state: ImagesUrlState = {
      ...defaults,
      preset: 'deblurPhoto',
      settings: { ...imagesPresets.deblurPhoto.settings, task: 'brush', sigmaY: 0.123, factor: 2, seed: 7 },
      strokes,
      drawnKernel,
      crop: { x: 3, y: 0, side: 100 },
      methods: ['mmps', 'jfps'],
      hidden: new Set(['advanced', 'export']),
    }
    const text = writeImagesUrl(state)
    expect(text).toContain('preset=deblurPhoto&task=brush&')
    expect(text).toContain('compare=mmps,jfps&hide=advanced,export')
    expect(readImagesUrl(`#${text}&run=1`)).toEqual({ state, problems: [], autorun: true })
  })

  it('keeps strokes on the grid of a link, without points on the way, and reproduces them to the bit', () => {
    const coordinate = fc.double({ min: -0.5, max: 1.5, noNaN: true })
    const stroke = fc.record({
      points: fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 40 }),
      width: fc.double({ min: 0.01, max: 0.5, noNaN: true }),
      erase: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(stroke, { maxLength: 5 }), (drawn) => {
        const strokes = quantizeBrush(drawn)
        expect(strokes).toHaveLength(drawn.length)
        expect(readImagesUrl(writeImagesUrl({ ...defaults, strokes })).state.strokes).toEqual(strokes)
      }),
      { numRuns: 50 },
    )
    const line = Array.from({ length: 500 }, (_, i) => [i / 500, 0.3] as const)
    expect(quantizeBrush([{ points: line, width: 0.1, erase: false }])[0]!.points).toHaveLength(2)
    const scribble = Array.from(
      { length: 9_000 },
      (_, i) => [Math.sin(i) / 2 + 0.5, Math.cos(7 * i) / 2 + 0.5] as const,
    )
    const [simple] = quantizeBrush([{ points: scribble, width: 0.1, erase: false }])
    expect(simple!.points.length).toBeLessThanOrEqual(4096)
  })

  it('reports nonsense and opens all the same', () => {
    const { state, problems } = readImagesUrl(
      '#preset=x&task=paint&sigmaY=-3&steps=1e9&strokes=p!!&kernel=A&crop=1,2&compare=mmps,magic&foo=1&image=../etc&hide=',
    )
    expect(state.settings).toEqual(defaults.settings)
    expect(state).toMatchObject({ strokes: [], drawnKernel: null, crop: null, methods: ['mmps'] })
    for (const word of [
      'preset',
      'task',
      'sigmaY',
      'steps',
      'strokes',
      'kernel',
      'crop',
      'magic',
      '"foo"',
      'image',
    ])
      expect(problems.join('\n')).toContain(word)
    fc.assert(fc.property(fc.string(), (text) => void readImagesUrl(text)))
  })

  it('says that own pictures and models stay with their owner', () => {
    const { state, problems } = readImagesUrl('#image=own&model=own')
    expect(state.settings).toEqual(defaults.settings)
    expect(problems).toHaveLength(2)
    for (const problem of problems) expect(problem).toContain('never left')
  })

  it('goes back to an own picture that is still here, whatever else is wrong', () => {
    const present = { image: 'own', model: 'photo-64' }
    const { state, problems } = readImagesUrl(
      '#image=own&model=own&task=mri&acceleration=8&centre=0.4',
      present,
    )
    expect(state.settings).toEqual({ ...defaults.settings, image: 'own' })
    expect(problems.filter((text) => text.includes('never left'))).toHaveLength(1)
  })

  it('knows every method', () => {
    const methods = readImagesUrl(`#compare=${[...imageMethodNames].toReversed().join(',')}`).state.methods
    expect(methods).toEqual(imageMethodNames)
  })
})
