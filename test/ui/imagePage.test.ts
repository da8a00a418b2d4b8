import { describe, expect, it } from 'vitest'
import { defaultImagesSettings } from '../../src/experiments/images/settings'
import type { PartialContract } from '../../src/onnx/contract'
import type {
  CompareRow,
  CompareState,
  ImageRunState,
  Picture,
  RunResult,
} from '../../src/store/images/types'
import { bestColumns, compareAsText } from '../../src/ui/images/compareColumns'
import { completedContract, suggestedAnswers } from '../../src/ui/images/contractAnswers'
import { stepInWords } from '../../src/store/images/stepWords'
import { isComparisonStale, isStale, shownPicture } from '../../src/ui/images/view'

const picture = (level: number): Picture => ({
  width: 1,
  height: 1,
  data: new Uint8ClampedArray([level, level, level, 255]),
})

const row = (change: Partial<CompareRow>): CompareRow => ({
  method: 'mmps',
  label: 'MMPS(1)',
  status: 'finished',
  fraction: 1,
  steps: 10,
  picture: null,
  psnr: 20,
  ssim: 0.9,
  misfit: 1,
  evaluations: 30,
  seconds: 2,
  message: '',
  ...change,
})

describe('comparison', () => {
  it('marks the best of what is finished; a misfit of 1 is right, above and below are wrong', () => {
    const rows = [
      row({ psnr: 24, misfit: 2 }),
      row({ psnr: 22, misfit: 0.8 }),
      row({ psnr: 99, misfit: 1, status: 'running' }),
      row({ psnr: null, ssim: null, misfit: null, status: 'failed' }),
    ]
    const best = bestColumns(rows).map((columns) => Array.from(columns))
    expect(best).toEqual([['psnr', 'ssim'], ['ssim', 'misfit'], [], []])
    expect(bestColumns(rows.slice(0, 1))).toEqual([new Set()])
  })

  it('copies full precision, empty where there is no number', () => {
    expect(compareAsText([row({ psnr: 1 / 3, seconds: null })]).split('\n')[1]).toBe(
      'MMPS(1)\t0.3333333333333333\t0.9\t1\t10\t30\t',
    )
  })
})

describe('contract of a bare model', () => {
  const partial: PartialContract = {
    known: {
      version: 1,
      name: 'net',
      title: 'net',
      description: '',
      image: { channels: 1, height: 32 },
      batch: 'dynamic',
      inputs: { x: 'x', noise: 'sigma' },
      output: { name: 'out' },
      takes: { kind: 'sigma' },
      process: 've',
      sigmaMin: 0.002,
      licence: '',
    },
    questions: [
      {
        field: 'predicts',
        question: 'What does it predict?',
        options: [
          { label: 'The image', value: 'x0' },
          { label: 'The noise', value: 'epsilon' },
        ],
        suggestion: 'epsilon',
      },
      {
        field: 'range',
        question: 'Range?',
        options: [{ label: '-1 to 1', value: [-1, 1] }],
        suggestion: [-1, 1],
      },
      { field: 'image.width', question: 'Width?', options: [], suggestion: 32 },
      { field: 'sigmaMax', question: 'Largest noise?', options: [], suggestion: null },
    ],
  }

  it('starts with what is right most often, and leaves open what nobody can guess', () => {
    expect(suggestedAnswers(partial)).toEqual({
      predicts: '1',
      range: '0',
      'image.width': '32',
      sigmaMax: '',
    })
  })

  it('puts the answers where they belong, without touching what was known', () => {
    const contract = completedContract(partial, { ...suggestedAnswers(partial), sigmaMax: '80,5' })
    expect(contract).toMatchObject({
      predicts: 'epsilon',
      range: [-1, 1],
      image: { channels: 1, height: 32, width: 32 },
      sigmaMax: 80.5,
    })
    expect(partial.known['image']).toEqual({ channels: 1, height: 32 })
  })

  it('says what is still missing', () => {
    expect(() => completedContract(partial, suggestedAnswers(partial))).toThrow(/Largest noise/)
  })
})

describe('steps in words', () => {
  it('counts the steps of the settings, and the estimate that gives x_0 apart', () => {
    const words = (sampler: 'ddim' | 'pc', estimates: readonly number[]) =>
      estimates.map((estimate) => stepInWords(estimate, { sampler, steps: 6 }))
    expect(words('ddim', [1, 6, 7])).toEqual(['step 1 of 6', 'step 6 of 6', 'last estimate'])
    expect(words('pc', [1, 2, 3, 12, 13])).toEqual([
      'step 1 of 6',
      'step 1 of 6',
      'step 2 of 6',
      'step 6 of 6',
      'last estimate',
    ])
  })
})

describe('the shown restoration', () => {
  const settings = defaultImagesSettings
  const observation = picture(7)
  const result = { samples: [picture(1), picture(2)], settings, observation } as unknown as RunResult
  const run: ImageRunState = {
    status: 'finished',
    settings,
    observation,
    step: 2,
    steps: 2,
    label: '',
    frames: [picture(3), picture(4)],
    film: [{ step: 1, sigma: 5, picture: picture(9) }],
    records: [],
    result,
    problem: null,
  }

  it('is the chosen sample, the running estimate, or a frame of the film', () => {
    const level = (state: ImageRunState, view: { frame: number | null; sample: number }) =>
      shownPicture(state, view)?.picture.data[0]
    expect(level(run, { frame: null, sample: 1 })).toBe(2)
    expect(level(run, { frame: null, sample: 7 })).toBe(2)
    expect(level({ ...run, status: 'running' }, { frame: null, sample: 1 })).toBe(4)
    expect(level(run, { frame: 0, sample: 1 })).toBe(9)
    expect(level(run, { frame: 5, sample: 0 })).toBe(1)
    expect(shownPicture({ ...run, frames: [], result: null }, { frame: null, sample: 0 })).toBeNull()
  })

  it('is stale once a setting that made it has changed', () => {
    expect(isStale({ run, settings, observation: picture(7) })).toBe(false)
    expect(isStale({ run, settings, observation: picture(8) })).toBe(true)
    expect(isStale({ run, observation, settings: { ...settings, equal: 'evaluations' } })).toBe(false)
    expect(isStale({ run, observation, settings: { ...settings, seed: 1 } })).toBe(true)
    const cancelled: ImageRunState = { ...run, status: 'idle', result: null }
    expect(isStale({ run: cancelled, observation, settings })).toBe(false)
    expect(isStale({ run: cancelled, observation: picture(8), settings })).toBe(true)
    expect(
      isStale({ run: { ...run, status: 'running' }, observation, settings: { ...settings, seed: 1 } }),
    ).toBe(false)
  })

  it('ages with the comparison: its methods are its own, what it holds equal is not', () => {
    const compare: CompareState = {
      methods: ['mmps'],
      status: 'finished',
      settings,
      observation,
      rows: [row({})],
      fraction: 1,
      label: '',
      problem: null,
    }
    const stale = (change: Partial<typeof settings>, seen = picture(7)) =>
      isComparisonStale({ compare, settings: { ...settings, ...change }, observation: seen })
    expect(stale({ method: 'dps' })).toBe(false)
    expect(stale({ equal: 'evaluations' })).toBe(true)
    expect(stale({ taskSeed: 1 })).toBe(true)
    expect(stale({}, picture(8))).toBe(true)
    expect(isComparisonStale({ compare: { ...compare, rows: [] }, settings, observation: null })).toBe(false)
  })
})
