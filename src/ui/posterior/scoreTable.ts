/** The methods table in numbers: its columns, which value is best, and its text for a spreadsheet. */
import type { MethodScore } from '../../experiments/mixture/scores'
import type { NumberColumn } from '../controls/NumberTable'
import { formatCount, formatMeasure, formatPercent, formatSeconds } from '../format'

interface ScoreColumn extends NumberColumn<MethodScore> {
  /** How far from ideal; absent where no value is better than another. */
  readonly miss?: (score: MethodScore, exact: MethodScore | undefined) => number
}

/** Ratios of consistency count the same both ways. */
function ratioMiss(value: number, ideal: number): number {
  return Math.abs(Math.log(value / ideal))
}

const SMALLEST_DIVERGENCE = 1e-6

export const scoreColumns: readonly ScoreColumn[] = [
  {
    key: 'divergence',
    label: 'divergence',
    explanation: 'Sinkhorn divergence to the exact posterior: lower is better.',
    // Below this, what is measured is the chance of the draws: see sinkhornDivergence.
    text: ({ divergence }) => (divergence <= SMALLEST_DIVERGENCE ? '≤ 1e-6' : formatMeasure(divergence)),
    miss: ({ divergence }) => divergence,
  },
  {
    key: 'coverage50',
    label: 'inside 50 %',
    explanation: 'Samples inside the smallest region that holds half of the exact posterior: 50 % is right.',
    text: ({ coverage50 }) => formatPercent(coverage50),
    miss: ({ coverage50 }) => Math.abs(coverage50 - 0.5),
  },
  {
    key: 'coverage90',
    label: 'inside 90 %',
    explanation: 'Samples inside the smallest region that holds 90 % of the exact posterior: 90 % is right.',
    text: ({ coverage90 }) => formatPercent(coverage90),
    miss: ({ coverage90 }) => Math.abs(coverage90 - 0.9),
  },
  {
    key: 'consistency',
    label: 'consistency',
    explanation: 'Mean squared residual y − A x in units of σ_y²: that of the exact row is right.',
    text: ({ consistency }) => formatMeasure(consistency),
    miss: ({ consistency }, exact) => ratioMiss(consistency, exact?.consistency ?? 1),
  },
  {
    key: 'lost',
    label: 'lost',
    explanation: 'Samples that are not finite or beyond 100.',
    text: ({ lost }) => formatCount(lost),
  },
  {
    key: 'evaluations',
    label: 'evaluations',
    explanation: 'Evaluations of the denoiser (forward passes + vector-Jacobian products) for one sample.',
    text: ({ forwards, vjps }) => `${formatCount(forwards)} + ${formatCount(vjps)}`,
  },
  {
    key: 'time',
    label: 'time',
    explanation: 'Time to draw all samples on this device.',
    text: ({ milliseconds }) => formatSeconds(milliseconds / 1000),
  },
]

/** Keys of the columns in which each method is best, by label. The exact row does not compete. */
export function bestColumns(rows: readonly MethodScore[]): ReadonlyMap<string, ReadonlySet<string>> {
  const exact = rows.find(({ method }) => method === 'exact')
  const methods = rows.filter(({ method }) => method !== 'exact')
  const best = new Map<string, Set<string>>()
  if (methods.length < 2) return best
  for (const { key, miss } of scoreColumns) {
    if (!miss) continue
    const misses = methods.map((score) => miss(score, exact))
    const least = Math.min(...misses.filter((value) => Number.isFinite(value)))
    for (const [k, score] of methods.entries()) {
      if (misses[k] !== least) continue
      const columns = best.get(score.label) ?? new Set<string>()
      columns.add(key)
      best.set(score.label, columns)
    }
  }
  return best
}

/** Tab-separated, for a spreadsheet. Full precision. */
export function scoresAsText(rows: readonly MethodScore[]): string {
  const header = [
    'method',
    'divergence',
    'inside50',
    'inside90',
    'consistency',
    'lost',
    'forwards',
    'vjps',
    'ms',
  ]
  const lines = rows.map((row) =>
    [
      row.label,
      row.divergence,
      row.coverage50,
      row.coverage90,
      row.consistency,
      row.lost,
      row.forwards,
      row.vjps,
      row.milliseconds,
    ].join('\t'),
  )
  return [header.join('\t'), ...lines].join('\n')
}
