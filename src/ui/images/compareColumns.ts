/** The comparison in numbers: its columns, which value is best, and its text for a spreadsheet. */
import type { CompareRow } from '../../store/images/types'
import type { NumberColumn } from '../controls/NumberTable'
import { formatCount, formatMeasure, formatSeconds } from '../format'
import { decibels, similarity } from './pictureText'

interface CompareColumn extends NumberColumn<CompareRow> {
  readonly key: 'psnr' | 'ssim' | 'misfit' | 'steps' | 'evaluations' | 'seconds'
  /** How far from ideal; absent where no value is better than another. */
  readonly miss?: (row: CompareRow) => number | null
}

export const compareColumns: readonly CompareColumn[] = [
  {
    key: 'psnr',
    label: 'PSNR',
    explanation: 'Against the original, mean over the samples: higher is nearer.',
    text: ({ psnr }) => (psnr === null ? '–' : decibels(psnr)),
    miss: ({ psnr }) => (psnr === null ? null : -psnr),
  },
  {
    key: 'ssim',
    label: 'SSIM',
    explanation: 'Structural similarity to the original: 1 is the same.',
    text: ({ ssim }) => (ssim === null ? '–' : similarity(ssim)),
    miss: ({ ssim }) => (ssim === null ? null : -ssim),
  },
  {
    key: 'misfit',
    label: 'misfit',
    explanation:
      'Distance of A x from y in units of the noise: 1 is right, less fits the noise, more ignores y.',
    text: ({ misfit }) => formatMeasure(misfit),
    miss: ({ misfit }) => (misfit === null || misfit <= 0 ? null : Math.abs(Math.log(misfit))),
  },
  {
    key: 'steps',
    label: 'steps',
    explanation: 'Steps of the sampler.',
    text: ({ steps }) => formatCount(steps),
  },
  {
    key: 'evaluations',
    label: 'evaluations',
    explanation: 'Passes through the network for one sample: forward passes and products with its Jacobian.',
    text: ({ evaluations }) => formatCount(evaluations),
  },
  {
    key: 'seconds',
    label: 'time',
    explanation: 'On this device.',
    text: ({ seconds }) => (seconds === null ? '–' : formatSeconds(seconds)),
  },
]

/** For each row, the keys of the columns in which it is best. Equal values are best together. */
export function bestColumns(rows: readonly CompareRow[]): readonly ReadonlySet<string>[] {
  const finished = rows.filter(({ status }) => status === 'finished')
  if (finished.length < 2) return rows.map(() => new Set())
  const least = new Map(
    compareColumns.flatMap(({ key, miss }) => {
      if (!miss) return []
      const misses = finished.map(miss).filter((value) => value !== null && Number.isFinite(value))
      return misses.length === 0 ? [] : [[key, Math.min(...(misses as number[]))] as const]
    }),
  )
  return rows.map((row) => {
    const won = compareColumns.filter(
      ({ key, miss }) => row.status === 'finished' && miss !== undefined && miss(row) === least.get(key),
    )
    return new Set(won.map(({ key }) => key))
  })
}

/** Tab-separated, for a spreadsheet. Full precision. */
export function compareAsText(rows: readonly CompareRow[]): string {
  const keys = compareColumns.map(({ key }) => key)
  return [
    ['method', ...keys].join('\t'),
    ...rows.map((row) => [row.label, ...keys.map((key) => row[key] ?? '')].join('\t')),
  ].join('\n')
}
