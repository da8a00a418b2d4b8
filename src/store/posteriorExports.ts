/** Files and command lines that the posterior lab gives away. */
import { figure2Csv, figure2Defaults, type Figure2Settings } from '../experiments/mixture/figure2'
import type { MethodScore } from '../experiments/mixture/scores'
import { writeCsv } from '../math/csv'
import type { Figure2State, PanelResult, PosteriorLabState } from './posteriorTypes'

/** Samples at a frame of `lastFrame`, columns x1 … xn. */
export function samplesCsv(result: PanelResult | null, frame: number, lastFrame: number): Blob {
  if (!result) return csv('')
  const { features, count } = result
  const size = count * features
  const begin = frameOf(result, frame, lastFrame) * size
  const header = Array.from({ length: features }, (_, j) => `x${j + 1}`)
  return csv(writeCsv(header, result.frames.subarray(begin, begin + size)))
}

/** A result's own frame at the lab's `frame`: methods may keep different numbers of them. */
export function frameOf({ sigmas }: PanelResult, frame: number, lastFrame: number): number {
  if (lastFrame === 0 || frame >= lastFrame) return sigmas.length
  return Math.round((frame / lastFrame) * sigmas.length)
}

const TABLE_COLUMNS = [
  'divergence',
  'coverage50',
  'coverage90',
  'consistency',
  'lost',
  'forwards',
  'vjps',
  'milliseconds',
] as const satisfies readonly (keyof MethodScore)[]

/** A line per method, with its own settings. */
export function tableCsv(rows: readonly MethodScore[]): Blob {
  const header = ['method', 'solver', 'solverIterations', 'guidance', 'proximity', 'particles']
  const lines = rows.map((row) => {
    const { method } = row
    const own =
      method === 'exact'
        ? ['exact', '', '', '', '', '']
        : header.map((key) => method[key as keyof typeof method])
    return [...own, ...TABLE_COLUMNS.map((column) => row[column])].join(',')
  })
  return csv(`${[[...header, ...TABLE_COLUMNS].join(','), ...lines].join('\n')}\n`)
}

export function figure2File({ rows }: Figure2State): Blob {
  return csv(figure2Csv(rows))
}

/** All that makes the picture, as JSON. */
export function settingsJson({ preset, settings, panels, strokes }: PosteriorLabState): Blob {
  const content = {
    lab: 'posterior',
    preset,
    settings,
    a: panels.a.settings,
    b: panels.b.settings,
    ...(settings.shape === 'drawn' && { strokes }),
  }
  return new Blob([`${JSON.stringify(content, null, 2)}\n`], { type: 'application/json' })
}

/** The command that makes the same Figure 2 without a window. */
export function figure2Command(settings: Figure2Settings): string {
  const options = (Object.keys(figure2Defaults) as (keyof Figure2Settings)[])
    .filter((key) => key === 'seeds' || settings[key] !== figure2Defaults[key])
    .map((key) => `--${key} ${settings[key]}`)
  return ['npm run -s figure2 --', ...options].join(' ')
}

function csv(text: string): Blob {
  return new Blob([text], { type: 'text/csv' })
}
