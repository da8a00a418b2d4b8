/**
 * A run as one safetensors file: what other programs want by name, and all that a run needs to continue.
 *
 *     net.{l}.weight [in, out], net.{l}.bias [out]   the newest weights (float32), y = x W + b
 *     samples [N, n]                                 the newest samples
 *     iteration.{k}.samples, .weights, .losses       each iteration, weights in the flat layout of src/diffusion/mlp.ts
 *     pending.weights, pending.losses                an M step that no E step has followed yet
 *     data.A [N, m, n], data.y [N, m]                pairs that came from a file
 *
 * Metadata: format, version, settings, preset, origin and the numbers of each iteration as JSON.
 */
import {
  readSafetensors,
  writeSafetensors,
  type SafetensorsFile,
  type TensorData,
} from '../../math/safetensors'
import { layers, parameterCount } from '../../diffusion/mlp'
import type { DataOrigin, DrawnStroke } from './dataset'
import { summarize, type IterationRecord, type RunState } from './diem'
import {
  networkShape,
  parseSetting,
  isSettingProblem,
  presetNames,
  settingKeys,
  validateSettings,
  type ManifoldSettings,
  type PresetName,
} from './settings'

/** A run with what it was made from. */
export interface SavedRun {
  readonly settings: ManifoldSettings
  readonly preset: PresetName
  readonly origin: DataOrigin
  readonly state: RunState
}

/** The file is not a run of this program; the message says what is wrong. */
export class RunFileError extends Error {
  override readonly name = 'RunFileError'
}

const FORMAT = 'diem-run'
const VERSION = '1'

export function writeRun({ settings, preset, origin, state }: SavedRun): Uint8Array<ArrayBuffer> {
  const tensors: [string, { shape: readonly number[]; data: TensorData }][] = []
  const add = (name: string, data: Float32Array, shape: readonly number[] = [data.length]) => {
    if (data.length > 0) tensors.push([name, { shape, data }])
  }
  const last = state.records.at(-1)
  const weights = state.weights ?? last?.weights
  if (weights) {
    layers(networkShape(settings)).forEach(({ inputs, outputs, weightOffset, biasOffset }, l) => {
      add(`net.${l}.weight`, weights.subarray(weightOffset, biasOffset), [inputs, outputs])
      add(`net.${l}.bias`, weights.subarray(biasOffset, biasOffset + outputs))
    })
  }
  const rows = (values: Float32Array) => [values.length / settings.features, settings.features]
  if (last) add('samples', last.samples, rows(last.samples))
  for (const record of state.records) {
    add(`iteration.${record.iteration}.samples`, record.samples, rows(record.samples))
    add(`iteration.${record.iteration}.losses`, record.losses)
    if (record.weights) add(`iteration.${record.iteration}.weights`, record.weights)
  }
  if (state.weights) add('pending.weights', state.weights)
  add('pending.losses', state.losses)
  if (origin.kind === 'file') {
    const { count, observed, features, A, y } = origin.observations
    add('data.A', A, [count, observed, features])
    add('data.y', y, [count, observed])
  }
  return writeSafetensors(tensors, {
    format: FORMAT,
    version: VERSION,
    preset,
    settings: JSON.stringify(settings),
    origin: JSON.stringify(origin.kind === 'file' ? { kind: 'file', name: origin.name } : origin),
    progress: JSON.stringify({
      steps: state.steps,
      seconds: state.seconds,
      iterations: state.records.map((record) => ({ ...summarize(record), steps: record.steps })),
    }),
  })
}

/** Reads what `writeRun` wrote. Errors: RunFileError; SafetensorsError where the container itself is broken. */
export function readRun(bytes: Uint8Array): SavedRun {
  const file = readSafetensors(bytes)
  const { metadata } = file
  if (metadata['format'] !== FORMAT) {
    throw new RunFileError(
      'This safetensors file holds no run of the manifold lab (its metadata names no such format).',
    )
  }
  if (metadata['version'] !== VERSION) {
    throw new RunFileError(
      `The run was saved in version ${metadata['version']} of the format; this program reads version ${VERSION}.`,
    )
  }
  const settings = settingsFromJson(metadata['settings'] ?? '')
  const preset = presetNames.find((name) => name === metadata['preset'])
  if (!preset) throw new RunFileError(`The run names a preset "${metadata['preset']}" that does not exist.`)
  const origin = readOrigin(file, settings)
  const progress = parseJson(metadata['progress'] ?? '', 'progress') as {
    steps: number
    seconds: number
    iterations: Omit<IterationRecord, 'weights' | 'samples' | 'losses'>[]
  }
  if (
    !Number.isInteger(progress.steps) ||
    !Number.isFinite(progress.seconds) ||
    !Array.isArray(progress.iterations)
  ) {
    throw new RunFileError('The metadata "progress" is incomplete.')
  }
  const parameters = parameterCount(networkShape(settings))
  const count = origin.kind === 'file' ? origin.observations.count : settings.observations
  const optional = (name: string) => file.tensors.has(name)
  const records = progress.iterations.map((numbers, k): IterationRecord => {
    if (
      numbers.iteration !== k ||
      !['kept', 'consistency', 'seconds', 'steps'].every((key) => typeof numbers[key as 'kept'] === 'number')
    ) {
      throw new RunFileError(`The numbers of iteration ${k} are incomplete.`)
    }
    return {
      ...numbers,
      samples: readFloats(file, `iteration.${k}.samples`, count * settings.features, false),
      losses: optional(`iteration.${k}.losses`)
        ? readFloats(file, `iteration.${k}.losses`)
        : new Float32Array(0),
      weights: optional(`iteration.${k}.weights`)
        ? readFloats(file, `iteration.${k}.weights`, parameters)
        : null,
    }
  })
  return {
    settings,
    preset,
    origin,
    state: {
      records,
      weights: optional('pending.weights') ? readFloats(file, 'pending.weights', parameters) : null,
      losses: optional('pending.losses') ? readFloats(file, 'pending.losses') : new Float32Array(0),
      seconds: progress.seconds,
      steps: progress.steps,
    },
  }
}

/** Settings as JSON text, complete and valid. Errors: RunFileError naming the key. */
export function settingsFromJson(text: string): ManifoldSettings {
  const values = parseJson(text, 'settings') as Record<string, unknown>
  const settings: Record<string, unknown> = {}
  for (const key of settingKeys) {
    if (!(key in values)) throw new RunFileError(`The settings lack "${key}".`)
    const parsed = parseSetting(key, String(values[key]))
    if (isSettingProblem(parsed)) throw new RunFileError(parsed.message)
    settings[key] = parsed
  }
  const complete = settings as unknown as ManifoldSettings
  const [problem] = validateSettings(complete)
  if (problem) throw new RunFileError(problem.message)
  return complete
}

function readOrigin(file: SafetensorsFile, settings: ManifoldSettings): DataOrigin {
  const origin = parseJson(file.metadata['origin'] ?? '', 'origin') as {
    kind: string
    name?: string
    strokes?: DrawnStroke[]
  }
  if (origin.kind === 'random') return { kind: 'random' }
  if (origin.kind === 'drawn') {
    if (!Array.isArray(origin.strokes) || !origin.strokes.every(isStroke))
      throw new RunFileError('The drawn curve in the metadata "origin" is damaged.')
    return { kind: 'drawn', strokes: origin.strokes }
  }
  if (origin.kind !== 'file') throw new RunFileError(`The data's origin "${origin.kind}" is unknown.`)
  const { features, observed, sigmaY } = settings
  const y = readFloats(file, 'data.y')
  const count = y.length / observed
  if (!Number.isInteger(count)) throw new RunFileError('The tensor "data.y" does not hold whole pairs.')
  const A = readFloats(file, 'data.A', count * observed * features)
  return {
    kind: 'file',
    name: String(origin.name),
    observations: { count, features, observed, A, y, sigmaY },
  }
}

function isStroke(value: unknown): value is DrawnStroke {
  const { plane, points } = (value ?? {}) as Partial<DrawnStroke>
  const isPair = (pair: unknown): pair is readonly [number, number] =>
    Array.isArray(pair) && pair.length === 2 && pair.every(Number.isFinite)
  if (!isPair(plane) || !plane.every(Number.isInteger)) return false
  if (plane[0] < 0 || plane[0] >= plane[1] || plane[1] > 7) return false
  return Array.isArray(points) && points.length > 1 && points.every(isPair)
}

function readFloats(file: SafetensorsFile, name: string, length?: number, finite = true): Float32Array {
  const tensor = file.tensors.get(name)
  if (!tensor) throw new RunFileError(`The tensor "${name}" is missing.`)
  if (!(tensor.data instanceof Float32Array))
    throw new RunFileError(`The tensor "${name}" has type ${tensor.dtype}, not F32.`)
  if (length !== undefined && tensor.data.length !== length) {
    throw new RunFileError(
      `The tensor "${name}" has ${tensor.data.length} values; the settings need ${length}.`,
    )
  }
  if (finite && !tensor.data.every((value) => Number.isFinite(value))) {
    throw new RunFileError(`The tensor "${name}" holds values that are not finite numbers.`)
  }
  return tensor.data
}

function parseJson(text: string, what: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new RunFileError(`The ${what} are not JSON.`, { cause })
  }
  if (typeof value !== 'object' || value === null)
    throw new RunFileError(`The ${what} are not a JSON object.`)
  return value
}
