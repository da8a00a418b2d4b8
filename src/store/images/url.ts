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
import {
  parametersOf,
  readHidden,
  readPreset,
  readSettings,
  writeDifferences,
  writeFragment,
} from '../fragment'
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
  const parameters = parametersOf(fragment)
  const problems: string[] = []
  const preset = readPreset(parameters, imagesPresetNames, defaultImagesPreset, problems)
  const { settings: usual, compared } = imagesPresets[preset]
  const own = NAMES.filter((name) => parameters.get(name) === 'own' && present?.[name] === 'own')
  const base = { ...usual, ...Object.fromEntries(own.map((name) => [name, 'own'])) }
  const settings = readSettings(
    {
      keys: imagesKeys,
      parse: parseImageSetting,
      validate: validateImages,
      text: (key) => parameters.get(key),
      base,
      begun: readNames(parameters, base, problems),
    },
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
      methods: readMethods(parameters.get('compare'), compared, problems),
      hidden: readHidden(parameters),
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
  writeDifferences(parameters, [...NAMES, ...imagesKeys], settings, base.settings)
  if (crop) parameters.set('crop', [crop.x, crop.y, crop.side].join(','))
  if (strokes.length > 0) parameters.set('strokes', encodeBrush(strokes))
  if (drawnKernel) parameters.set('kernel', encodeKernel(drawnKernel))
  if (methods.join(',') !== base.compared.join(',')) parameters.set('compare', methods.join(','))
  return writeFragment(parameters, hidden)
}

/** `base` with the model and the image of the link. */
function readNames(parameters: URLSearchParams, base: ImagesSettings, problems: string[]): ImagesSettings {
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
  return settings
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
