/**
 * Finished cells of the benchmark: as lines of a CSV file, from which an interrupted run goes on, and as the paper's Table 4
 * (rows methods and steps, columns tasks) in Markdown.
 */
import { type BenchmarkTask, benchmarkTaskNames, benchmarkTasks, type CellScores } from './benchmark'

/** A mean over images and its standard error. */
export interface Estimate {
  readonly mean: number
  readonly error: number
}

export interface BenchmarkRow {
  readonly task: BenchmarkTask
  /** Short name and label of the method. */
  readonly method: string
  readonly steps: number
  readonly images: number
  /** All are null where a sample left the finite numbers. */
  readonly psnr: Estimate | null
  readonly ssim: Estimate | null
  readonly lpips: Estimate | null
  readonly misfit: Estimate | null
  readonly residual: Estimate | null
  readonly seconds: number
}

const metrics = ['psnr', 'ssim', 'lpips', 'misfit', 'residual'] as const

export const benchmarkHeader = [
  'task',
  'method',
  'steps',
  'images',
  ...metrics.flatMap((metric) => [metric, `${metric}_error`]),
  'seconds',
].join(',')

/** The mean of values with its standard error, sd/√n; the error of one value is not known, and null. */
function estimate(values: readonly number[] | null | undefined): Estimate | null {
  if (!values || values.length === 0) return null
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, error: Math.sqrt(square / (values.length - 1) / values.length) }
}

export function benchmarkRow(
  cell: Pick<BenchmarkRow, 'task' | 'method' | 'steps' | 'images' | 'seconds'>,
  scores: CellScores | null,
): BenchmarkRow {
  const { task, method, steps, images, seconds } = cell
  const all = Object.fromEntries(metrics.map((metric) => [metric, estimate(scores?.[metric])]))
  return {
    task,
    method,
    steps,
    images,
    ...(all as Record<(typeof metrics)[number], Estimate | null>),
    seconds,
  }
}

/** One line, without its end. Empty fields: what is not known. */
export function writeRow(row: BenchmarkRow): string {
  const number = (value: number | undefined) =>
    value === undefined || !Number.isFinite(value) ? '' : String(Number(value.toPrecision(6)))
  return [
    row.task,
    row.method,
    row.steps,
    row.images,
    ...metrics.flatMap((metric) => [number(row[metric]?.mean), number(row[metric]?.error)]),
    number(row.seconds),
  ].join(',')
}

/** What a file of rows holds. */
export interface WrittenRows {
  readonly rows: readonly BenchmarkRow[]
  /** The file without the half line that a killed run left; what is to be appended to. */
  readonly text: string
}

/**
 * Reads a file of rows back, so that a run goes on from it.
 * Error: RangeError where its first line is not `comment`, which says what all cells depend on, or a line is damaged.
 */
export function readRows(text: string, comment: string): WrittenRows {
  const [first, header, ...lines] = text.split('\n').slice(0, -1)
  if (first !== comment || header !== benchmarkHeader) {
    throw new RangeError('it holds cells of another model, other images, another batch size or another seed')
  }
  const rows = lines.map((line) => {
    const row = readRow(line)
    if (row) return row
    throw new RangeError(`it has a damaged line: "${line}"`)
  })
  return { rows, text: [first, header, ...lines, ''].join('\n') }
}

function readRow(line: string): BenchmarkRow | undefined {
  const cells = line.split(',')
  if (cells.length !== benchmarkHeader.split(',').length) return undefined
  const [task, method = '', ...rest] = cells
  const known = benchmarkTaskNames.find((name) => name === task)
  const numbers = rest.map((cell) => (cell === '' ? NaN : Number(cell)))
  const [steps = NaN, images = NaN] = numbers
  if (!known || method === '' || !Number.isInteger(steps) || !Number.isInteger(images)) return undefined
  const estimates = metrics.map((metric, i) => {
    const [mean, error] = [numbers[2 + 2 * i]!, numbers[3 + 2 * i]!]
    return [metric, Number.isNaN(mean) ? null : { mean, error }] as const
  })
  return {
    task: known,
    method,
    steps,
    images,
    ...(Object.fromEntries(estimates) as Record<(typeof metrics)[number], Estimate | null>),
    seconds: numbers.at(-1)!,
  }
}

/** The name of a cell in a file of rows. */
export function cellKey({ task, method, steps }: Pick<BenchmarkRow, 'task' | 'method' | 'steps'>): string {
  return `${task} ${method} ${steps}`
}

const shown = {
  psnr: { title: 'PSNR in dB, higher is better', digits: 2, best: Math.max },
  ssim: { title: 'SSIM, higher is better', digits: 3, best: Math.max },
  lpips: { title: 'LPIPS, lower is better', digits: 3, best: Math.min },
} as const

/**
 * A table for each number that is known, mean ± standard error, the best of each column and number of steps in bold; "not
 * finite" where a sample left the finite numbers.
 *
 * @param methods short names and labels, in the order of the rows
 */
export function benchmarkMarkdown(
  rows: readonly BenchmarkRow[],
  methods: readonly { readonly name: string; readonly label: string }[],
): string {
  const cells = new Map(rows.map((row) => [cellKey(row), row]))
  const tasks = benchmarkTaskNames.filter((task) => rows.some((row) => row.task === task))
  const allSteps = [...new Set(rows.map(({ steps }) => steps))].toSorted((a, b) => a - b)
  const tables: string[] = []
  for (const metric of ['psnr', 'ssim', 'lpips'] as const) {
    if (!rows.some((row) => row[metric])) continue
    const { title, digits, best } = shown[metric]
    const lines = allSteps.flatMap((steps) => {
      const bests = tasks.map((task) =>
        best(
          ...methods.flatMap(
            ({ name }) => cells.get(cellKey({ task, method: name, steps }))?.[metric]?.mean ?? [],
          ),
        ),
      )
      return methods.map(({ name, label }) => {
        const texts = tasks.map((task, i) => {
          const row = cells.get(cellKey({ task, method: name, steps }))
          if (!row) return ''
          const value = row[metric]
          if (!value) return row.psnr ? '' : 'not finite'
          const mean = value.mean.toFixed(digits)
          const error = Number.isNaN(value.error) ? '' : ` ± ${value.error.toFixed(digits)}`
          return `${value.mean === bests[i] ? `**${mean}**` : mean}${error}`
        })
        return `| ${label} | ${steps} | ${texts.join(' | ')} |`
      })
    })
    const labels = tasks.map((task) => benchmarkTasks[task].label)
    tables.push(
      [
        `${title}\n`,
        `| Method | Steps | ${labels.join(' | ')} |`,
        `| --- | --: | ${labels.map(() => '--:').join(' | ')} |`,
        ...lines,
      ].join('\n'),
    )
  }
  return `${tables.join('\n\n')}\n`
}
