/**
 * Figure 2 without a window: `npm run figure2 -- --seeds 64 [--points 2048 --any-setting value] [--out figure2]`.
 *
 * Writes <out>.csv (a line per seed, sigma_t and covariance, after each seed), <out>.svg and, where a Chromium is
 * found, <out>.png. A later run with the same settings goes on from the file. Progress goes to stderr, the table of medians
 * to stdout. Exit codes: 0 done, 1 the run failed, 2 the options cannot be used.
 */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { findBrowser } from '../../scripts/browser.mjs'
import type { Backend } from '../diffusion/backend'
import {
  figure2Covariances,
  figure2Csv,
  figure2Defaults,
  figure2Quartiles,
  figure2Seed,
  figure2Sigmas,
  type Figure2Quartile,
  type Figure2Row,
  type Figure2Settings,
} from '../experiments/mixture/figure2'
import { figure2Definitions, validateFigure2 } from '../experiments/mixture/figure2Settings'
import { isSettingProblem, parseValue } from '../experiments/settings'
import { figure2Svg } from './figure2Chart'
import { onBackend, parseOptions, progressLine, runProgram, UsageError } from './program'

interface Command {
  readonly settings: Figure2Settings
  readonly sigmas: readonly number[]
  readonly out: string
  readonly json: boolean
  readonly cpu: boolean
}

const settingKeys = Object.keys(figure2Defaults) as (keyof Figure2Settings)[]

/** Runs the program; resolves with its exit code. */
export function main(args: readonly string[]): Promise<number> {
  return runProgram({ name: 'figure2', usage, read: readCommand, run: onBackend(run) }, args)
}

async function run(command: Command, backend: Backend): Promise<void> {
  const { settings, sigmas, out, json } = command
  const rows = await readRows(command)
  const known = new Set(rows.map(({ seed }) => seed))
  process.stderr.write(
    `figure2: ${backend.adapter.name}, ${settings.points} points, ${settings.seeds} seeds\n`,
  )
  if (known.size > 0) process.stderr.write(`figure2: ${known.size} seeds are in ${out}.csv already\n`)
  const wanted = Array.from({ length: settings.seeds }, (_, k) => settings.seed + k)
  const missing = wanted.filter((seed) => !known.has(seed))
  const started = performance.now()
  const progress = progressLine()
  let shown = -Infinity
  for (const [k, seed] of missing.entries()) {
    const added = await figure2Seed(
      backend,
      settings,
      seed,
      {
        onProgress(fraction, label) {
          const now = performance.now()
          if (now - shown < 200) return
          shown = now
          const share = (k + fraction) / missing.length
          const left = share > 0 ? ((now - started) * (1 - share)) / share / 1000 : undefined
          const time = left === undefined ? '' : `  ${Math.ceil(left / 60)} min left`
          progress.show(`${Math.round(100 * share)} %${time}  ${label}`)
        },
      },
      sigmas,
    )
    rows.push(...added)
    await writeFile(`${out}.csv`, comment(command) + figure2Csv(rows))
    progress.clear()
    process.stderr.write(`figure2: seed ${seed} done, ${missing.length - k - 1} to go\n`)
  }
  const quartiles = figure2Quartiles(rows.filter(({ seed }) => wanted.includes(seed)))
  process.stdout.write(json ? `${JSON.stringify(quartiles)}\n` : table(quartiles))
  const { points, seeds } = settings
  const svg = figure2Svg(quartiles, `Median and quartiles over ${seeds} seeds, ${points} points a set.`)
  await writeFile(`${out}.svg`, svg)
  const browser = findBrowser()
  if (browser) await writePng(browser, svg, `${out}.png`)
  else process.stderr.write('figure2: no Chromium was found, so no PNG; the SVG holds the same picture.\n')
  process.stderr.write(`figure2: wrote ${out}.csv, ${out}.svg${browser ? `, ${out}.png` : ''}\n`)
}

async function writePng(executablePath: string, svg: string, path: string): Promise<void> {
  const { chromium } = await import('playwright-core')
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-quic'] })
  try {
    const page = await browser.newPage({ viewport: { width: 760, height: 500 }, deviceScaleFactor: 2 })
    await page.setContent(`<body style="margin:0">${svg}</body>`)
    await page.screenshot({ path })
  } finally {
    await browser.close()
  }
}

/** First line of the CSV: all that the rows depend on, so that only the same settings go on from it. */
function comment({ settings, sigmas, cpu }: Command): string {
  const { seed: _seed, seeds: _seeds, ...rest } = settings
  return `# ${JSON.stringify({ ...rest, sigmas, cpu })}\n`
}

/** Rows of whole seeds that an earlier run left. Error: UsageError where the file is of other settings. */
async function readRows(command: Command): Promise<Figure2Row[]> {
  const path = `${command.out}.csv`
  if (!existsSync(path)) return []
  const [first, , ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n')
  if (`${first}\n` !== comment(command)) {
    throw new Error(`${path} holds rows of other settings: choose another --out, or move the file away.`)
  }
  return lines.map((line) => {
    const [seed, sigma, covariance, divergence, ess] = line.split(',')
    const name = figure2Covariances.find((candidate) => candidate === covariance)
    const numbers = [seed, sigma, divergence, ess].map(Number)
    if (!name || numbers.some((value) => !Number.isFinite(value))) {
      throw new Error(`${path} has a damaged line: "${line}". Remove the file, or choose another --out.`)
    }
    return {
      seed: numbers[0]!,
      sigma: numbers[1]!,
      covariance: name,
      divergence: numbers[2]!,
      ess: numbers[3]!,
    }
  })
}

function table(quartiles: readonly Figure2Quartile[]): string {
  const sigmas = [...new Set(quartiles.map(({ sigma }) => sigma))].toSorted((a, b) => a - b)
  const cell = (text: string) => text.padStart(12)
  const lines = sigmas.map((sigma) =>
    figure2Covariances
      .map((name) => quartiles.find((each) => each.covariance === name && each.sigma === sigma))
      .map((each) => cell(each ? each.median.toPrecision(3) : ''))
      .join(''),
  )
  return [
    `median Sinkhorn divergence\n${'sigma_t'.padStart(8)}${figure2Covariances.map(cell).join('')}`,
    ...lines.map((line, i) => `${String(sigmas[i]).padStart(8)}${line}`),
    '',
  ].join('\n')
}

function readCommand(args: readonly string[]): Command {
  const values = parseOptions(args, [...settingKeys, 'sigmas', 'out'])
  const settings: Figure2Settings = { ...figure2Defaults }
  for (const key of settingKeys) {
    const given = values[key]
    if (typeof given !== 'string') continue
    const value = parseValue(key, figure2Definitions[key], given)
    if (isSettingProblem(value)) throw new UsageError(`--${key}: ${value.message}`)
    Object.assign(settings, { [key]: value })
  }
  const problems = validateFigure2(settings)
  if (problems.length > 0) throw new UsageError(problems.map(({ message }) => message).join('\n      '))
  const sigmas =
    typeof values['sigmas'] === 'string' ? values['sigmas'].split(',').map(Number) : figure2Sigmas
  if (!sigmas.every((sigma) => sigma >= 1e-4 && sigma <= 1000)) {
    throw new UsageError('--sigmas takes noise levels from 0.0001 to 1000, for example 0.1,0.5,2.')
  }
  const out = typeof values['out'] === 'string' ? values['out'] : 'figure2'
  return { settings, sigmas, out, json: values['json'] === true, cpu: values['cpu'] === true }
}

function usage(): string {
  const settingLines = settingKeys.map((key) => {
    const { label, ...definition } = figure2Definitions[key]
    const range = definition.kind === 'number' ? `${definition.minimum} to ${definition.maximum}; ` : ''
    return `  --${key.padEnd(16)} ${label} (${range}default ${figure2Defaults[key]})`
  })
  return [
    'npm run -s figure2 -- [options]',
    '',
    '  --out STEM         writes STEM.csv, STEM.svg and STEM.png (default figure2)',
    `  --sigmas LIST      noise levels, comma-separated (default ${figure2Sigmas.join(',')})`,
    '  --json             the quartiles as JSON on stdout instead of the table',
    '  --cpu              compute with the float64 TypeScript twins instead of WebGPU (slow)',
    '',
    'Settings:',
    ...settingLines,
    '',
  ].join('\n')
}
