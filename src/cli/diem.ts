/**
 * DiEM without a window: `npm run diem -- --preset quick --seed 0 [--any-setting value] [--json]`.
 *
 * The same run as the page's, in Node on Dawn. Progress goes to stderr; with --json, stdout holds one JSON object
 * per EM iteration (iteration 0 is the Gaussian start). Exit codes: 0 done, 1 the run failed, 2 the settings or a
 * file cannot be used.
 */
import { access, constants, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Backend } from '../diffusion/backend'
import { createDataset, type DataOrigin } from '../experiments/manifold/dataset'
import {
  DiemRun,
  summarize,
  type IterationRecord,
  type RunState,
  type StepStage,
} from '../experiments/manifold/diem'
import { readObservations } from '../experiments/manifold/observationsFile'
import { readRun, writeRun } from '../experiments/manifold/runFile'
import {
  defaultPreset,
  isSettingProblem,
  parseSetting,
  presetNames,
  presets,
  settingDefinitions,
  settingKeys,
  validateSettings,
  type ManifoldSettings,
  type PresetName,
} from '../experiments/manifold/settings'
import { readUrl, type UrlState } from '../store/urlState'
import { onBackend, parseOptions, progressLine, runProgram, UsageError } from './program'

interface Command {
  readonly settings: ManifoldSettings
  readonly preset: PresetName
  readonly origin: DataOrigin
  readonly state?: RunState
  readonly json: boolean
  readonly cpu: boolean
  readonly save?: string
}

const stageNames: Readonly<Record<StepStage, string>> = {
  start: 'Gaussian start',
  compile: 'compiling shaders',
  train: 'M step',
  sample: 'E step',
  metric: 'Sinkhorn divergence',
  draw: 'drawing',
}

/** Runs the program; resolves with its exit code. */
export function main(args: readonly string[]): Promise<number> {
  return runProgram({ name: 'diem', usage, read: readCommand, run: onBackend(runCommand) }, args)
}

async function runCommand(command: Command, backend: Backend): Promise<void> {
  const { settings, origin, json, save } = command
  process.stderr.write(`diem: ${backend.adapter.name}, preset ${command.preset}, seed ${settings.seed}\n`)
  const run = new DiemRun(settings, createDataset(settings, origin), backend, command.state)
  if (run.finished) {
    process.stderr.write(
      `diem: the loaded run already has ${settings.iterations} iterations; raise --iterations to go on.\n`,
    )
  }
  const progress = progressLine()
  while (!run.finished) {
    const known = run.records.length
    const iteration = run.records.length
    await run.advance({
      onStage: (stage, fraction) =>
        progress.show(
          `iteration ${iteration}/${settings.iterations}  ${stageNames[stage]} ${Math.round(100 * fraction)} %`,
        ),
    })
    const record = run.records[known]
    if (!record) continue
    progress.clear()
    process.stdout.write(json ? `${JSON.stringify(summarize(record))}\n` : `${tableRow(record)}\n`)
    if (save) await writeFile(save, writeRun({ ...command, state: run.state }))
  }
  if (!save) return
  await writeFile(save, writeRun({ ...command, state: run.state }))
  process.stderr.write(`diem: saved ${save}\n`)
}

function tableRow({ iteration, loss, divergence, kept, consistency, seconds }: IterationRecord): string {
  return [
    `iteration ${String(iteration).padStart(2)}`,
    `loss ${loss === null ? '     –' : loss.toPrecision(4).padStart(6)}`,
    `divergence ${divergence === null ? '–' : divergence.toPrecision(4)}`,
    `kept ${(100 * kept).toFixed(1)} %`,
    `consistency ${consistency.toPrecision(3)}`,
    `${seconds.toFixed(1)} s`,
  ].join('   ')
}

async function readCommand(args: readonly string[]): Promise<Command> {
  const values = parseOptions(args.map(kebabFlag), [
    'preset',
    'url',
    'load',
    'save',
    'data',
    ...settingKeys.map(flag),
  ])
  const take = (name: string) => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  const loadPath = take('load')
  const loaded = loadPath === undefined ? undefined : await fromFile(loadPath, (bytes) => readRun(bytes))
  if (loaded && take('preset') !== undefined)
    throw new UsageError('--preset does not go with --load: the file brings its settings.')
  const link = take('url') === undefined ? undefined : readLink(take('url')!, take('preset'), loadPath)
  const preset = loaded?.preset ?? link?.preset ?? readPreset(take('preset') ?? defaultPreset)
  const settings: ManifoldSettings = { ...(loaded?.settings ?? link?.settings ?? presets[preset]) }
  for (const key of settingKeys) {
    const text = take(flag(key))
    if (text === undefined) continue
    const value = parseSetting(key, text)
    if (isSettingProblem(value)) throw new UsageError(`--${flag(key)}: ${value.message}`)
    if (loaded && key !== 'iterations' && value !== loaded.settings[key]) {
      throw new UsageError(`--${flag(key)} cannot be changed in a loaded run; only --iterations can.`)
    }
    Object.assign(settings, { [key]: value })
  }
  let origin: DataOrigin = loaded?.origin ?? { kind: 'random' }
  if (link && link.strokes.length > 0) origin = { kind: 'drawn', strokes: link.strokes }
  const dataPath = take('data')
  if (dataPath !== undefined) {
    if (loaded) throw new UsageError('--data does not go with --load: the file brings its data.')
    const pairs = await fromFile(dataPath, (bytes) => readObservations(dataPath, bytes, settings))
    Object.assign(settings, { features: pairs.features, observed: pairs.observed, observations: pairs.count })
    origin = { kind: 'file', name: basename(dataPath), observations: { ...pairs, sigmaY: settings.sigmaY } }
  }
  const problems = validateSettings(settings)
  const save = take('save')
  if (save !== undefined) await requireWritable(save)
  if (problems.length > 0) throw new UsageError(problems.map(({ message }) => message).join('\n      '))
  return {
    settings,
    preset,
    origin,
    state: loaded?.state,
    json: values['json'] === true,
    cpu: values['cpu'] === true,
    save,
  }
}

async function fromFile<T>(path: string, read: (bytes: Uint8Array) => T): Promise<T> {
  try {
    return read(await readFile(path))
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Fails before the run and not after its first iteration. */
async function requireWritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK)
    const target = await stat(path).catch(() => undefined)
    if (target?.isDirectory()) throw new Error('it is a folder')
    if (target) await access(path, constants.W_OK)
  } catch (error) {
    throw new UsageError(
      `--save ${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/** Settings and curve of a link copied from the page: its fragment, or the whole address. */
function readLink(url: string, preset: string | undefined, loadPath: string | undefined): UrlState {
  if (preset !== undefined || loadPath !== undefined)
    throw new UsageError('--url goes with neither --preset nor --load.')
  const { state, problems } = readUrl(url.slice(Math.max(url.indexOf('#'), 0)))
  if (problems.length > 0) throw new UsageError(`--url: ${problems.join(' ')}`)
  return state
}

function readPreset(name: string): PresetName {
  const preset = presetNames.find((candidate) => candidate === name)
  if (!preset) throw new UsageError(`--preset "${name}" is not one of: ${presetNames.join(', ')}.`)
  return preset
}

/** A setting's option may also be spelled as in the URL: `--sigmaY` → `--sigma-y`. */
function kebabFlag(argument: string): string {
  const [name = '', ...rest] = argument.split('=')
  const key = settingKeys.find((candidate) => `--${candidate}` === name)
  return key ? [`--${flag(key)}`, ...rest].join('=') : argument
}

/** `sigmaY` → `sigma-y`. */
function flag(key: string): string {
  return key.replaceAll(/[A-Z]+/g, (part) => `-${part.toLowerCase()}`)
}

function usage(): string {
  const settingLines = settingKeys.map((key) => {
    const definition = settingDefinitions[key]
    const valid =
      definition.kind === 'choice'
        ? definition.options.map(({ value }) => value).join(' | ')
        : `${definition.minimum} to ${definition.maximum}`
    return `  --${flag(key).padEnd(24)} ${definition.label} (${valid}; quick: ${presets.quick[key]})`
  })
  return [
    'npm run -s diem -- [options]',
    '',
    `  --preset NAME              ${presetNames.join(' | ')} (default ${defaultPreset})`,
    '  --url LINK                 settings of a link copied from the page',
    '  --json                     one JSON object per EM iteration on stdout',
    '  --save FILE                save the run after each iteration (.safetensors)',
    '  --load FILE                continue a saved run',
    '  --data FILE                learn from (A, y) pairs of your own (.csv, .json, .safetensors)',
    '  --cpu                      compute with the float64 TypeScript twins instead of WebGPU (slow)',
    '',
    'Settings:',
    ...settingLines,
    '',
  ].join('\n')
}
