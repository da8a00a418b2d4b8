/**
 * The image lab as its part of the URL fragment: every setting that differs from the preset’s.
 *
 *     #lab=images&preset=deblurPhoto&task=brush&strokes=p…&sigmaY=0.1&method=dps&steps=100&compare=mmps,dps&hide=export&run=1
 *
 * Pictures and models of the visitor's own stay on the device: a link says only that there was one. Nonsense is reported
 * and left out; it never keeps the page from opening.
 */
import type { ImageMethodName } from '../../diffusion/image/types'
import { imageMethodNames } from '../../experiments/images/methodDefinitions'
import {
  defaultImagesPreset,
  imagesPresetNames,
  imagesPresets,
  type ImagesPresetName,
} from '../../experiments/images/presets'
import {
  imagesKeys,
  parseImageSetting,
  validateImages,
  type ImagesSettings,
} from '../../experiments/images/settings'
import { isSettingProblem } from '../../experiments/settings'
import { decodeBrush, decodeKernel, encodeBrush, encodeKernel } from './polylines'
import type { BrushStroke, Crop, ImagesLabState } from './types'

export interface ImagesUrlState {
  readonly preset: ImagesPresetName
  readonly settings: ImagesSettings
  readonly strokes: readonly BrushStroke[]
  readonly drawnKernel: ImagesLabState['drawnKernel']
  /** Square of a bundled picture; null is the largest one in its middle. */
  readonly crop: Crop | null
  readonly methods: readonly ImageMethodName[]
  readonly hidden: ReadonlySet<string>
}

export interface ReadImagesUrl {
  readonly state: ImagesUrlState
  /** What was ignored, and why. */
  readonly problems: string[]
  /** Start running at once. */
  readonly autorun: boolean
}

const KNOWN: readonly string[] = [
  'preset',
  'model',
  'image',
  'crop',
  'strokes',
  'kernel',
  'compare',
  'hide',
  'run',
]
const NAMES = ['model', 'image'] as const
type Name = (typeof NAMES)[number]

/**
 * Reads the lab's own part of a fragment (with or without #).
 *
 * @param present settings of the lab that is open: going back to a picture or model of the visitor's own that is still here
 * is no link from elsewhere
 */
export function readImagesUrl(fragment: string, present?: Pick<ImagesSettings, Name>): ReadImagesUrl {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ''))
  const problems: string[] = []
  const presetText = parameters.get('preset')
  const preset = imagesPresetNames.find((name) => name === presetText) ?? defaultImagesPreset
  if (presetText !== null && presetText !== preset) {
    problems.push(`preset = "${presetText}" is not one of: ${imagesPresetNames.join(', ')}. Using ${preset}.`)
  }
  const base = imagesPresets[preset]
  const own = NAMES.filter((name) => parameters.get(name) === 'own' && present?.[name] === 'own')
  const settings = readSettings(
    parameters,
    { ...base.settings, ...Object.fromEntries(own.map((name) => [name, 'own'])) },
    problems,
  )
  for (const name of parameters.keys()) {
    if (!KNOWN.includes(name) && !imagesKeys.some((key) => key === name)) {
      problems.push(`"${name}" is not a setting of the image lab; it was ignored.`)
    }
  }
  const strokes = decodeBrush(parameters.get('strokes') ?? '')
  if (!strokes) problems.push('The brush strokes in the link are damaged; they were ignored.')
  const kernelText = parameters.get('kernel')
  const drawnKernel = kernelText === null ? null : decodeKernel(kernelText)
  if (drawnKernel === undefined)
    problems.push('The drawn motion kernel in the link is damaged; the random one is used instead.')
  return {
    state: {
      preset,
      settings,
      strokes: strokes ?? [],
      drawnKernel: drawnKernel ?? null,
      crop: readCrop(parameters.get('crop'), problems),
      methods: readMethods(parameters.get('compare'), base.compared, problems),
      hidden: new Set((parameters.get('hide') ?? '').split(',').filter(Boolean)),
    },
    problems,
    autorun: parameters.get('run') === '1',
  }
}

/** Writes the shortest text that `readImagesUrl` reads back to the same state; empty for the defaults. */
export function writeImagesUrl(state: ImagesUrlState): string {
  const { preset, settings, strokes, drawnKernel, crop, methods, hidden } = state
  const parameters = new URLSearchParams()
  if (preset !== defaultImagesPreset) parameters.set('preset', preset)
  const base = imagesPresets[preset]
  for (const key of [...NAMES, ...imagesKeys]) {
    if (settings[key] !== base.settings[key]) parameters.set(key, String(settings[key]))
  }
  if (crop) parameters.set('crop', [crop.x, crop.y, crop.side].join(','))
  if (strokes.length > 0) parameters.set('strokes', encodeBrush(strokes))
  if (drawnKernel) parameters.set('kernel', encodeKernel(drawnKernel))
  if (methods.join(',') !== base.compared.join(',')) parameters.set('compare', methods.join(','))
  if (hidden.size > 0) parameters.set('hide', [...hidden].join(','))
  return parameters.toString().replaceAll('%2C', ',')
}

function readSettings(parameters: URLSearchParams, base: ImagesSettings, problems: string[]): ImagesSettings {
  const settings = { ...base }
  for (const key of NAMES) {
    const text = parameters.get(key)
    if (text === null || text === base[key]) continue
    if (text === 'own') {
      const [what, which] = key === 'image' ? ['a picture', 'picture'] : ['a model', 'model']
      problems.push(
        `The link was made with ${what} of the sender’s own, which never left their device. Using the bundled ${which} ${base[key]}.`,
      )
    } else settings[key] = text
  }
  for (const key of imagesKeys) {
    const text = parameters.get(key)
    if (text === null) continue
    const value = parseImageSetting(key, text)
    if (isSettingProblem(value)) problems.push(`${value.message} Using ${base[key]}.`)
    else Object.assign(settings, { [key]: value })
  }
  const invalid = validateImages(settings)
  if (invalid.length === 0) return settings
  problems.push(...invalid.map(({ message }) => `${message} Using the preset’s settings.`))
  return base
}

function readCrop(text: string | null, problems: string[]): Crop | null {
  if (text === null) return null
  const crop = parseCrop(text)
  if (crop) return crop
  problems.push(`crop = "${text}" is not a corner and a side in pixels; the middle of the picture is used.`)
  return null
}

/** "x,y,side" in whole pixels; undefined for anything else. Whether it lies in the picture is not known here. */
export function parseCrop(text: string): Crop | undefined {
  const [x, y, side, ...more] = text.split(',').map((part) => (/^\d{1,5}$/.test(part) ? Number(part) : -1))
  const isCrop =
    x !== undefined &&
    y !== undefined &&
    side !== undefined &&
    more.length === 0 &&
    x >= 0 &&
    y >= 0 &&
    side > 0
  return isCrop ? { x, y, side } : undefined
}

function readMethods(
  text: string | null,
  base: readonly ImageMethodName[],
  problems: string[],
): readonly ImageMethodName[] {
  if (text === null) return base
  const asked = text.split(',').filter(Boolean)
  const methods = imageMethodNames.filter((name) => asked.includes(name))
  const unknown = asked.filter((name) => !imageMethodNames.some((known) => known === name))
  if (unknown.length > 0) {
    problems.push(
      `compare = "${unknown.join(',')}" is not among: ${imageMethodNames.join(', ')}; it was ignored.`,
    )
  }
  return methods.length > 0 ? methods : base
}
