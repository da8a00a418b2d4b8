/** The options of `npm run restore`: settings of the image lab, named and written as in a link of the page. */
import type { ImageMethodName } from '../diffusion/image/types'
import { imageMethodNames } from '../experiments/images/methodDefinitions'
import {
  defaultImagesPreset,
  imagesPresetNames,
  imagesPresets,
  type ImagesPresetName,
} from '../experiments/images/presets'
import {
  imageSettings,
  imagesKeys,
  parseImageSetting,
  validateImages,
  type ImagesSettings,
} from '../experiments/images/settings'
import { isSettingProblem } from '../experiments/settings'
import type { ProviderName } from '../onnx/session/runtime'
import { decodeBrush, decodeKernel } from '../store/images/polylines'
import type { BrushStroke, Crop, ImagesLabState } from '../store/images/types'
import { parseCrop } from '../store/images/url'
import { providerNames, readProvider } from './imageDevice'
import { parseOptions, UsageError } from './program'

export interface RestoreOptions {
  readonly preset: ImagesPresetName
  /** `image` and `model` are 'own' for paths. */
  readonly settings: ImagesSettings
  /** Name or path of a picture, and of a model. */
  readonly image: string
  readonly model: string
  /** What was asked for; else others will do that suit the model or the picture. */
  readonly isSideGiven: boolean
  readonly isModelGiven: boolean
  readonly strokes: readonly BrushStroke[]
  readonly drawnKernel: ImagesLabState['drawnKernel']
  readonly crop: Crop | null
  /** Methods of a comparison; null is one restoration. */
  readonly compare: readonly ImageMethodName[] | null
  readonly provider: ProviderName | undefined
  readonly out: string
  readonly csv: boolean
  readonly json: boolean
}

const FLAGS = ['csv', 'json']

/** Error: UsageError with everything that is wrong with the settings. */
export function readRestoreOptions(args: readonly string[]): RestoreOptions {
  const values = parseOptions(args, [...Object.keys(optionHelp), ...imagesKeys], FLAGS)
  const text = (name: string) => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  const preset = readPreset(text('preset') ?? defaultImagesPreset)
  const base = imagesPresets[preset].settings
  const [image, model] = [text('image') ?? base.image, text('model') ?? base.model]
  const settings = { ...base, image: nameOf(image), model: nameOf(model) }
  const problems: string[] = []
  for (const key of imagesKeys) {
    const given = text(key)
    if (given === undefined) continue
    const value = parseImageSetting(key, given)
    if (isSettingProblem(value)) problems.push(`--${key}: ${value.message}`)
    else Object.assign(settings, { [key]: value })
  }
  if (problems.length === 0) problems.push(...validateImages(settings).map(({ message }) => message))
  if (problems.length > 0) throw new UsageError(problems.join('\n      '))
  const { strokes, drawnKernel } = readDrawings(text)
  const crop = text('crop')
  return {
    preset,
    settings,
    image,
    model,
    isSideGiven: text('side') !== undefined,
    isModelGiven: text('model') !== undefined,
    strokes,
    drawnKernel,
    crop: crop === undefined ? null : readCrop(crop),
    compare: readMethods(text('compare')),
    provider: readProvider(text('provider'), providerNames),
    out: text('out') ?? 'restored',
    csv: values['csv'] === true,
    json: values['json'] === true,
  }
}

/** A path has a folder or an ending; a bundled name has neither. */
function nameOf(given: string): string {
  return /[./\\]/.test(given) ? 'own' : given
}

function readPreset(name: string): ImagesPresetName {
  const preset = imagesPresetNames.find((candidate) => candidate === name)
  if (preset) return preset
  throw new UsageError(`--preset "${name}" is not one of: ${imagesPresetNames.join(', ')}.`)
}

function readDrawings(text: (name: string) => string | undefined) {
  const strokes = decodeBrush(text('strokes') ?? '')
  if (!strokes) throw new UsageError('--strokes is damaged: copy the whole value of the link.')
  const kernel = text('kernel')
  const drawnKernel = kernel === undefined ? null : decodeKernel(kernel)
  if (drawnKernel === undefined)
    throw new UsageError('--kernel is damaged: copy the whole value of the link.')
  return { strokes, drawnKernel }
}

function readCrop(text: string): Crop {
  const crop = parseCrop(text)
  if (crop) return crop
  throw new UsageError(`--crop takes a corner and a side in pixels, as in 10,0,128, not "${text}".`)
}

function readMethods(text: string | undefined): readonly ImageMethodName[] | null {
  if (text === undefined) return null
  const asked = text.split(',')
  const unknown = asked.filter((name) => !imageMethodNames.some((known) => known === name))
  if (unknown.length > 0)
    throw new UsageError(`--compare: "${unknown.join(',')}" is not among: ${imageMethodNames.join(', ')}.`)
  return imageMethodNames.filter((name) => asked.includes(name))
}

const optionHelp = {
  preset: `${imagesPresetNames.join(' | ')} (default ${defaultImagesPreset})`,
  image: 'a bundled picture, or a file: of the usual kinds where there is a Chromium, else a plain PNG',
  model:
    'a bundled model, or a folder with denoiser.onnx and denoiser.json; for a file with colours, photo-64',
  crop: 'x,y,side in pixels of the picture (default the largest square in the middle)',
  strokes: 'of --task brush, as in a link',
  kernel: 'the drawn path of --task motion, as in a link',
  compare: 'methods, comma-separated: a table of them instead of one restoration; see --equal',
  provider: `${providerNames.join(' | ')} (default native, onnxruntime-node on the CPU)`,
  out: 'stem of the files that are written (default restored)',
} as const

export function usage(): string {
  const { settings } = imagesPresets[defaultImagesPreset]
  const lines = imagesKeys.map((key) => {
    const definition = imageSettings[key]
    const valid =
      definition.kind === 'choice'
        ? definition.options.map(({ value }) => value).join(' | ')
        : `${definition.minimum} to ${definition.maximum}`
    return `  --${key.padEnd(13)} ${definition.label} (${valid}; ${defaultImagesPreset}: ${settings[key]})`
  })
  return [
    'npm run -s restore -- [options]',
    '',
    ...Object.entries(optionHelp).map(([name, help]) => `  --${name.padEnd(13)} ${help}`),
    '  --csv           also the numbers of each step, STEM-steps.csv',
    '  --json          one JSON object instead of the table',
    '',
    'Settings, as in a link:',
    ...lines,
    '',
    'Writes STEM-restoration-1.png …, STEM-observation.png, STEM-original.png and, of several samples, STEM-mean.png and',
    'STEM-deviation.png. Same seeds and settings: the same pictures as in the page, up to rounding.',
    '',
  ].join('\n')
}
